// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"dialtone/firewall"
	"dialtone/inet"
	"dialtone/personality"
)

// checker finds what is wrong with a file whose parts are each well written: names that name nothing, things said twice,
// addresses nobody can reach.
type checker struct {
	*mistakes
	file      *file
	stations  map[string]int        // by link, how many interfaces are on it
	names     map[string]position   // by lower-case name, where it was first given
	served    map[string]position   // the same of names with SRV records, which may be those of hosts too
	addresses map[netip.Addr]string // by address, the host that has it
}

// check adds the mistakes of f to m.
func check(f *file, m *mistakes) {
	c := &checker{
		m, f, make(map[string]int), make(map[string]position), make(map[string]position), make(map[netip.Addr]string),
	}
	if len(f.Hosts) == 0 {
		c.add(position{}, "no hosts, expected at least one")
	}
	for i := range f.Hosts {
		h := &f.Hosts[i]
		c.name(&h.name)
		for j := range h.v.Aliases {
			c.name(&h.v.Aliases[j])
		}
	}
	for i := range f.Hosts {
		c.host(&f.Hosts[i])
	}
	for i := range f.Names {
		n := &f.Names[i]
		c.name(&n.name)
		for j := range n.v {
			c.unicastAddress(n.v[j].v, n.v[j].at)
		}
	}
	for i := range f.SRV {
		srv := &f.SRV[i]
		c.serviceName(&srv.name)
		for j := range srv.v {
			c.hostName(&srv.v[j].Host)
		}
	}
	c.lookups()
	for i := range f.Links {
		c.linkRules(&f.Links[i])
	}
	for i := range f.Faults {
		c.fault(&f.Faults[i])
	}
	c.timeline()
	c.access()
	for i := range f.Programs {
		p := &f.Programs[i]
		c.hostName(&p.Host)
		if p.Host.given() && p.Command != nil && len(p.Command) == 0 {
			c.add(p.Host.at, "an empty command, expected a program and its arguments")
		}
		for j := range p.Environment {
			if e := &p.Environment[j].name; e.v == "" || strings.ContainsAny(e.v, "=\x00") {
				c.add(e.at, "%q is no name of an environment variable", e.v)
			}
		}
	}
}

// label is one part of a name (RFC 1035, 2.3.1), with the underscore of SRV names (RFC 2782).
var label = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$`)

// domainName checks that n can be a name in the DNS, and is not read as an address by those who look it up.
func (c *checker) domainName(n *value[string]) bool {
	_, err := netip.ParseAddr(n.v)
	ok := len(n.v) <= 253 && err != nil
	for part := range strings.SplitSeq(n.v, ".") {
		ok = ok && label.MatchString(part)
	}
	if !ok {
		c.add(n.at, "%q is no domain name, expected labels of letters, digits and hyphens with dots between, such as web.test", n.v)
	}
	return ok
}

// name checks a name that the file gives to a host or an address.
func (c *checker) name(n *value[string]) { c.newName(n, c.names) }

// serviceName checks a name that the file gives to a service.
func (c *checker) serviceName(n *value[string]) { c.newName(n, c.served) }

// newName checks that n is a name and not in taken, and puts it there.
func (c *checker) newName(n *value[string], taken map[string]position) {
	if !c.domainName(n) {
		return
	}
	name := strings.ToLower(n.v)
	if first, again := taken[name]; again {
		c.add(n.at, "the name %q was given on line %d already, expected another", n.v, first.line)
		return
	}
	taken[name] = n.at
}

// hostName checks that n is the name of a host.
func (c *checker) hostName(n *value[string]) {
	if n.given() && c.file.host(n.v) == nil {
		c.add(n.at, "%s", c.file.noHost(n.v))
	}
}

// host returns the host called name, by its name or an alias; nil if there is none.
func (f *file) host(name string) *entry[hostPart] {
	for i := range f.Hosts {
		h := &f.Hosts[i]
		if canonical(h.name.v) == canonical(name) {
			return h
		}
		for _, alias := range h.v.Aliases {
			if canonical(alias.v) == canonical(name) {
				return h
			}
		}
	}
	return nil
}

// noHost says that no host is called name, and which name may have been meant.
func (f *file) noHost(name string) string {
	return fmt.Sprintf("no host %q, %s", name, expected(name, f.hostNames()))
}

// hostNames returns the names of the hosts, then their aliases.
func (f *file) hostNames() []string {
	all := names(f.Hosts)
	for i := range f.Hosts {
		for _, alias := range f.Hosts[i].v.Aliases {
			all = append(all, alias.v)
		}
	}
	return all
}

// names returns the names of t, in order.
func names[T any](t table[T]) []string {
	var all []string
	for i := range t {
		all = append(all, t[i].name.v)
	}
	return all
}

func (c *checker) host(h *entry[hostPart]) {
	if p := &h.v.Personality; p.given() {
		c.personality(p)
	}
	c.sysctls(&h.v)
	for i := range h.v.Interfaces {
		c.networkInterface(h.name.v, &h.v.Interfaces[i])
	}
	for i := range h.v.Routes {
		c.route(&h.v, &h.v.Routes[i])
	}
	c.chain(&h.v, &h.v.Firewall.Input)
	c.chain(&h.v, &h.v.Firewall.Output)
	c.services(&h.v)
}

func (c *checker) personality(name *value[string]) {
	if _, ok := personality.Named(name.v); !ok {
		c.add(name.at, "no personality %q, %s", name.v, expected(name.v, personality.Names()))
	}
}

func (c *checker) sysctls(h *hostPart) {
	for i := range h.Sysctls {
		name, text := &h.Sysctls[i].name, &h.Sysctls[i].v
		if known := inet.SysctlNames(); !slices.Contains(known, name.v) {
			c.add(name.at, "unknown sysctl %q, %s", name.v, expected(name.v, known))
			continue
		}
		if err := new(inet.Sysctl).Set(name.v, text.v); err != nil {
			c.add(text.at, "%v", err)
		}
	}
}

// interfaceNameMax is the longest name of an interface, in bytes: IFNAMSIZ of netdevice(7), less its end.
const interfaceNameMax = 15

func (c *checker) networkInterface(host string, i *entry[interfacePart]) {
	switch name := i.name.v; {
	case name == "lo":
		c.add(i.name.at, "every host has its loopback, expected another name than \"lo\"")
	case name == "" || len(name) > interfaceNameMax || strings.ContainsAny(name, "/: \t"):
		c.add(i.name.at, "%q is no name of an interface, expected 1 to %d letters such as eth0", name, interfaceNameMax)
	}
	if link := &i.v.Link; link.given() {
		c.link(link)
	}
	for j := range i.v.Addresses {
		a := &i.v.Addresses[j]
		if !a.given() || !a.v.IsValid() || !c.unicastAddress(a.v.Addr(), a.at) {
			continue
		}
		if other, taken := c.addresses[a.v.Addr()]; taken {
			c.add(a.at, "%v is an address of %s already, expected one that is free", a.v.Addr(), other)
		}
		c.addresses[a.v.Addr()] = host
	}
}

// link checks that name is a link, and has room for one more interface.
func (c *checker) link(name *value[string]) {
	for i := range c.file.Links {
		link := &c.file.Links[i]
		if link.name.v != name.v {
			continue
		}
		if c.stations[name.v]++; link.v.Kind.v == cable && c.stations[name.v] == 3 {
			c.add(name.at, "the cable %q has both its ends already, expected a hub or another cable", name.v)
		}
		return
	}
	c.noLink(name)
}

func (c *checker) noLink(name *value[string]) {
	c.add(name.at, "no link %q, %s", name.v, expected(name.v, names(c.file.Links)))
}

// unicastAddress checks that a is an address a host can have on a link.
func (c *checker) unicastAddress(a netip.Addr, at position) bool {
	bad := ""
	switch {
	case !a.IsValid():
		return false // said already
	case a.IsUnspecified():
		bad = "the unspecified address"
	case a.IsMulticast():
		bad = "a multicast address"
	case a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		bad = "the broadcast address"
	case a.IsLoopback():
		bad = "a loopback address, which every host has"
	}
	if bad != "" {
		c.add(at, "%v is %s, expected a unicast address", a, bad)
	}
	return bad == ""
}

func (c *checker) route(h *hostPart, r *routePart) {
	if to := r.To.v; to.IsValid() {
		c.masked(&r.To)
		if r.Via.v.IsValid() && r.Via.v.Is4() != to.Addr().Is4() {
			c.add(r.Via.at, "%v is not of the IP version of %v", r.Via.v, to)
			return
		}
	}
	if r.Interface.given() {
		c.interfaceName(h, &r.Interface)
	}
	if r.Type.v != unicast {
		for _, at := range []position{r.Via.at, r.Interface.at} {
			if at != (position{}) {
				c.add(at, "a route of type %s leads nowhere, expected neither via nor interface", r.Type.v)
			}
		}
		return
	}
	if !r.Via.given() && !r.Interface.given() && r.To.given() {
		c.add(r.To.at, "a unicast route to nowhere, expected via, interface or both")
	}
	if r.Via.v.IsValid() && !onLink(h, r) {
		c.add(r.Via.at, "%v is on no link of the host, expected an address within the prefix of one of its interfaces", r.Via.v)
	}
}

// onLink reports whether the gateway of r is in the prefix of an interface of h: r's own, if r names one.
func onLink(h *hostPart, r *routePart) bool {
	for i := range h.Interfaces {
		if r.Interface.given() && r.Interface.v != h.Interfaces[i].name.v {
			continue
		}
		for _, a := range h.Interfaces[i].v.Addresses {
			if a.v.Masked().Contains(r.Via.v) {
				return true
			}
		}
	}
	return false
}

// masked checks that p has no bits set behind its length.
func (c *checker) masked(p *value[netip.Prefix]) {
	if p.v.IsValid() && p.v != p.v.Masked() {
		c.add(p.at, "%v has bits set behind its length, expected %v", p.v, p.v.Masked())
	}
}

// interfaceName checks that name is an interface of h.
func (c *checker) interfaceName(h *hostPart, name *value[string]) {
	known := append(names(h.Interfaces), "lo")
	if slices.Contains(known, name.v) {
		return
	}
	c.add(name.at, "the host has no interface %q, %s", name.v, expected(name.v, known))
}

func (c *checker) chain(h *hostPart, chain *chainPart) {
	if p := &chain.Policy; p.v.Action == firewall.Reject {
		c.add(p.at, "a policy can't reject, expected accept or drop")
	}
	for i := range chain.Rules {
		r := &chain.Rules[i]
		c.masked(&r.From)
		c.masked(&r.To)
		if r.From.v.IsValid() && r.To.v.IsValid() && r.From.v.Addr().Is4() != r.To.v.Addr().Is4() {
			c.add(r.To.at, "%v is not of the IP version of %v, so that no packet matches", r.To.v, r.From.v)
		}
		if r.Interface.given() {
			c.interfaceName(h, &r.Interface)
		}
	}
}

func (c *checker) services(h *hostPart) {
	taken := make(map[string]bool)
	for i := range h.Services {
		s := &h.Services[i]
		if !s.Kind.given() {
			continue
		}
		kind := s.Kind.v
		port := s.Port.or(s.Kind.v.usualPort())
		switch where := fmt.Sprint(port); {
		case port == 0 && !s.Port.given():
			c.add(s.Kind.at, "the key \"port\" is missing, which %v needs", kind)
		case port == 0:
			c.add(s.Port.at, "port 0, expected 1 to 65535")
		case taken[where]:
			c.add(s.Kind.at, "port %s of the host has a service already, expected another port", where)
		default:
			taken[where] = true
		}
		if s.Page.given() && s.Kind.v != serviceHTTP {
			c.add(s.Page.at, "a page, which %v does not serve", kind)
		}
	}
}
