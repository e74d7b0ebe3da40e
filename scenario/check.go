// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"fmt"
	"net/netip"
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
	devices   map[string]position   // by name, where a TUN device was first named
}

// check adds the mistakes of f to m.
func check(f *file, m *mistakes) {
	c := &checker{
		m, f, make(map[string]int), make(map[string]position), make(map[string]position), make(map[netip.Addr]string),
		make(map[string]position),
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
	for i := range f.Links {
		c.tun(&f.Links[i])
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
