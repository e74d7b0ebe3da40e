// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
)

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
