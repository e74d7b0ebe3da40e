// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"net/netip"
	"slices"
	"strings"
)

// interfaceNameMax is the longest name of an interface, in bytes: IFNAMSIZ of netdevice(7), less its end.
const interfaceNameMax = 15

func (c *checker) networkInterface(host string, i *entry[interfacePart]) {
	if i.name.v == "lo" {
		c.add(i.name.at, "every host has its loopback, expected another name than \"lo\"")
	} else {
		c.newInterface(&i.name)
	}
	if link := &i.v.Link; link.given() {
		c.link(link)
	}
	c.newAddresses(host, i.v.Addresses)
}

// newInterface checks that name can be one of an interface.
func (c *checker) newInterface(name *value[string]) {
	if name.v == "" || len(name.v) > interfaceNameMax || strings.ContainsAny(name.v, "/: \t") {
		c.add(name.at, "%q is no name of an interface, expected 1 to %d letters such as eth0", name.v, interfaceNameMax)
	}
}

// newAddresses checks that addresses can be those of whose interface, and are nobody else's.
func (c *checker) newAddresses(whose string, addresses list[value[netip.Prefix]]) {
	for i := range addresses {
		a := &addresses[i]
		if !a.given() || !a.v.IsValid() || !c.unicastAddress(a.v.Addr(), a.at) {
			continue
		}
		if other, taken := c.addresses[a.v.Addr()]; taken {
			c.add(a.at, "%v is an address of %s already, expected one that is free", a.v.Addr(), other)
		}
		c.addresses[a.v.Addr()] = whose
	}
}

// tun checks what puts the running machine on a link.
func (c *checker) tun(l *entry[linkPart]) {
	tun := &l.v.TUN
	if !tun.Device.given() {
		return
	}
	c.stations[l.name.v]++
	c.newInterface(&tun.Device)
	if first, again := c.devices[tun.Device.v]; again {
		c.add(tun.Device.at, "the device %q is on a link already on line %d, expected another", tun.Device.v, first.line)
	}
	c.devices[tun.Device.v] = tun.Device.at
	if len(tun.Addresses) == 0 {
		c.add(tun.Device.at, "the machine has no address there, expected one at least")
	}
	c.newAddresses("the machine", tun.Addresses)
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
