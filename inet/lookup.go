// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"net/netip"

	"dialtone/errno"
)

// query asks for the way to an address.
type query struct {
	to      netip.Addr
	from    netip.Addr // what the sender is bound to; invalid or unspecified: nothing
	device  string     // the only interface allowed (SO_BINDTODEVICE); empty: any
	onLink  bool       // only routes to what is on the link count (SO_DONTROUTE)
	foreign bool       // from need not be an address of the host (IP_TRANSPARENT)
	itself  bool       // the host asked for itself by 0.0.0.0: the device does not matter
}

// path is the way to a destination, and the address to come from.
type path struct {
	route     *Route // nil for the host's own addresses
	out       *Interface
	nextHop   netip.Addr
	source    netip.Addr
	broadcast bool
	local     bool       // to the host itself
	by        *Interface // that it counts as come by at the host itself, where the address does not say so; see cameBy
}

// hop is what a connection keeps of a path: its own ends say the rest.
type hop struct {
	out     *Interface
	gateway *netip.Addr // nil: the destination is on the link
}

func (w *path) hop() hop {
	if w.route == nil || !w.route.Gateway.IsValid() {
		return hop{out: w.out}
	}
	gateway := w.nextHop
	return hop{w.out, &gateway}
}

// path returns the way to the destination that h was found for.
func (h hop) path(to netip.Addr) path {
	if h.gateway != nil {
		to = *h.gateway
	}
	return path{out: h.out, nextHop: to}
}

// bound reports whether the sender is bound to an address.
func (q *query) bound() bool { return q.from.IsValid() && !q.from.IsUnspecified() }

// allows reports whether the way may lead by i.
func (q *query) allows(i *Interface) bool { return q.device == "" || q.device == i.Name }

// lookUp finds the way to an address, by the host's own addresses, then the rules, then the routes. The errors are the
// personality's; the route that decided is returned with them.
func (s *Stack) lookUp(q query) (path, *Route, errno.Errno) {
	facts := &s.core.Personality.IP
	device := s.interfaceNamed(q.device)
	if q.from.IsMulticast() || q.to.Is4() && s.hearsOnly(q.from) {
		// Nothing comes from a group or a broadcast address: the socket is bound to it to hear. And what an AF_INET6 socket
		// sends to an IPv4 address never comes from its IPv6 one.
		q.from = netip.Addr{}
	}
	switch {
	case q.device != "" && (device == nil || !device.up):
		return path{}, nil, facts.NoRoute
	case q.bound() && q.to.Is4() && !q.foreign && s.owner(q.from) == nil:
		return path{}, nil, facts.NoRoute // bound to an address that is gone (ip_route_output_key)
	case !q.bound() && q.to.Is6() && !s.hasIPv6():
		return path{}, nil, errno.EADDRNOTAVAIL // no address to come from (ip6_dst_lookup_tail asks for it first)
	}
	w, r, e := s.wayTo(&q, device)
	if e != errno.OK {
		return path{}, r, e
	}
	switch {
	case q.bound() && q.from.Is4() != q.to.Is4():
		e = errno.EAFNOSUPPORT // a socket of AF_INET6 that is bound to an IPv4-mapped address, or has come to use one
	case !q.bound():
		w.source, e = s.source(&w, q.to)
	case q.from.Is4() && q.from.IsLoopback() && !w.out.loopback:
		e = errno.EINVAL // a loopback address must not appear outside (RFC 1122, 3.2.1.3)
	default:
		w.source = q.from
	}
	if w.by != nil {
		w.out = s.cameBy(w.by)
	}
	return w, r, e
}

// wayTo finds the way without its source address.
func (s *Stack) wayTo(q *query, device *Interface) (path, *Route, errno.Errno) {
	if i := s.broadcastOn(q); i != nil {
		return path{out: i, nextHop: q.to, broadcast: true}, nil, errno.OK
	}
	if q.itself { // ip_route_output_key_hash_rcu
		if device == nil {
			device = s.interfaces[0]
		}
		return path{out: s.interfaces[0], nextHop: q.to, local: true, by: device}, nil, errno.OK
	}
	if i := s.owner(q.to); i != nil && q.allows(i) {
		return path{out: s.interfaces[0], nextHop: q.to, local: true}, nil, errno.OK
	}
	limited := q.to == limitedBroadcast
	switch {
	case q.to.Is6() && q.to.IsMulticast():
		return s.multicastWay(q)
	case !limited && !q.to.IsMulticast():
	case device != nil:
		return path{out: device, nextHop: q.to, broadcast: limited}, nil, errno.OK
	case q.bound() && s.owner(q.from) != nil:
		return path{out: s.owner(q.from), nextHop: q.to, broadcast: limited}, nil, errno.OK
	}
	w, r, e := s.routed(q)
	if e != errno.OK && device != nil && q.to.Is4() {
		// Linux takes an IPv4 destination without a route to be on the link of the device that was asked for. By lo that is
		// the host itself, whoever the address belongs to.
		w = path{out: device, nextHop: q.to}
		if device.loopback {
			w.by = device
		}
		return w, nil, errno.OK
	}
	w.broadcast = limited
	return w, r, e
}

// routed finds the way by rules and routes alone.
func (s *Stack) routed(q *query) (path, *Route, errno.Errno) {
	facts := &s.core.Personality.IP
	for k := range s.rules {
		if r := &s.rules[k]; r.Prefix.Contains(q.to) {
			if r.Type == Unreachable {
				return path{}, r, facts.RuleUnreachable
			}
			return path{}, r, r.Type.errno(facts)
		}
	}
	for k := range s.routes {
		r := &s.routes[k]
		if !r.Prefix.Contains(q.to) || q.onLink && (r.Type != Unicast || r.Gateway.IsValid()) {
			continue
		}
		if r.Type != Unicast {
			return path{}, r, r.Type.errno(facts)
		}
		hop := q.to
		if r.Gateway.IsValid() {
			hop = r.Gateway
		}
		if r.Interface.up && q.allows(r.Interface) {
			return path{route: r, out: r.Interface, nextHop: hop}, r, errno.OK
		}
		if facts.InterfaceDown != errno.OK && q.allows(r.Interface) {
			return path{}, r, facts.InterfaceDown
		}
	}
	return path{}, nil, facts.NoRoute
}

// broadcastOn returns the interface that the broadcast of a network goes out by; nil if q.to is none, or there is no such
// interface.
func (s *Stack) broadcastOn(q *query) *Interface {
	if q.to == limitedBroadcast || !s.isBroadcast(q.to) {
		return nil
	}
	for _, i := range s.interfaces {
		if !i.up || !q.allows(i) {
			continue
		}
		for _, p := range i.prefixes {
			if p.Contains(q.to) {
				return i
			}
		}
	}
	return nil
}

// multicastWay is the way of IPv6 multicast: by the device asked for, or by the first interface that has an address.
func (s *Stack) multicastWay(q *query) (path, *Route, errno.Errno) {
	for _, i := range s.interfaces {
		if i.loopback || !i.up || !q.allows(i) {
			continue
		}
		for _, p := range i.prefixes {
			if p.Addr().Is6() {
				return path{out: i, nextHop: q.to}, nil, errno.OK
			}
		}
	}
	return path{}, nil, s.core.Personality.IP.NoRoute
}

func (s *Stack) hasIPv6() bool {
	for _, i := range s.interfaces {
		for _, p := range i.prefixes {
			if p.Addr().Is6() {
				return true
			}
		}
	}
	return false
}

// source chooses the address that packets on the way w to an address come from: the route's own choice, else an address
// of the interface, first one whose network the next hop is in.
func (s *Stack) source(w *path, to netip.Addr) (netip.Addr, errno.Errno) {
	if w.route != nil && w.route.Source.IsValid() {
		return w.route.Source, errno.OK
	}
	if w.local {
		return s.ownAddressFor(to), errno.OK
	}
	linkLocal := to.IsLinkLocalUnicast() || to.IsLinkLocalMulticast()
	var first netip.Addr
	for _, p := range w.out.prefixes {
		ip := p.Addr()
		if ip.Is4() != to.Is4() || ip.IsLoopback() && !to.IsLoopback() || ip.Is6() && ip.IsLinkLocalUnicast() != linkLocal {
			continue // RFC 6724, 5, rule 2: an address of the same scope; loopback addresses have the least
		}
		if p.Contains(w.nextHop) {
			return ip, errno.OK
		}
		if !first.IsValid() {
			first = ip
		}
	}
	if first.IsValid() {
		return first, errno.OK
	}
	// No address of the kind here: any other interface's will do, as long as it means anything elsewhere.
	for _, i := range s.interfaces {
		for _, p := range i.prefixes {
			if ip := p.Addr(); ip.Is4() == to.Is4() && !ip.IsLoopback() && !ip.IsLinkLocalUnicast() {
				return ip, errno.OK
			}
		}
	}
	switch {
	case to.Is4():
		return netip.IPv4Unspecified(), errno.OK
	case s.owner(netip.IPv6Loopback()) != nil:
		return netip.IPv6Loopback(), errno.OK
	}
	return netip.Addr{}, errno.EADDRNOTAVAIL
}

// ownAddressFor returns the address to come from when the host speaks to itself: the same one, but for the other
// addresses of 127/8, which come from lo's own (the "src" of Linux's local routes).
func (s *Stack) ownAddressFor(to netip.Addr) netip.Addr {
	if i := s.owner(to); i.loopback {
		for _, p := range i.prefixes {
			if p.Contains(to) {
				return p.Addr()
			}
		}
	}
	return to
}
