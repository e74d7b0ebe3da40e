// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"slices"

	"dialtone/errno"
	"dialtone/inet"

	"golang.org/x/sys/unix"
)

// Routes as rtnetlink(7) has them: those of the virtual host are the table
// main, and what the addresses themselves do with packets is the table local.
// What the messages hold was seen of Linux 6.18.

// netlinkRoute is what RTM_NEWROUTE tells.
type netlinkRoute struct {
	to              netip.Prefix
	from            netip.Addr // whom the way was asked for; invalid: anyone
	gateway, prefer netip.Addr // next hop, source address; invalid: none
	table, protocol byte
	scope, typ      byte
	flags           uint32
	out             int // index of the interface; 0: none
	metric          int
	asked           bool   // an answer about one destination
	uid             uint32 // who asked
}

// Flags of a way that was asked for, which package unix lacks (RTCF_ of
// linux/in_route.h).
const (
	wayBroadcast = 0x10000000
	wayMulticast = 0x20000000
	wayLocal     = 0x80000000
)

// route appends RTM_NEWROUTE: struct rtmsg and attributes.
func (m *netlinkMessages) route(r netlinkRoute) {
	family, sourceBits := netlinkFamily(r.to.Addr()), 0
	if r.from.IsValid() {
		sourceBits = r.from.BitLen()
	}
	m.begin(unix.RTM_NEWROUTE)
	m.b = append(m.b, family, byte(r.to.Bits()), byte(sourceBits), 0, r.table, r.protocol, r.scope, r.typ)
	m.uint32(r.flags)
	m.number(unix.RTA_TABLE, uint32(r.table))
	if r.to.Bits() > 0 {
		m.ip(unix.RTA_DST, r.to.Addr())
	}
	if r.from.IsValid() {
		m.ip(unix.RTA_SRC, r.from)
	}
	if r.metric != 0 || family == unix.AF_INET6 {
		m.number(unix.RTA_PRIORITY, uint32(r.metric))
	}
	if r.prefer.IsValid() {
		m.ip(unix.RTA_PREFSRC, r.prefer)
	}
	if r.gateway.IsValid() {
		m.ip(unix.RTA_GATEWAY, r.gateway)
	}
	if r.out != 0 {
		m.number(unix.RTA_OIF, uint32(r.out))
	}
	if r.asked && family == unix.AF_INET {
		m.number(unix.RTA_UID, r.uid)
	}
	m.end()
}

// tellRoutes answers RTM_GETROUTE.
func (h *hosted) tellRoutes(q *netlinkQuestion) unix.Errno {
	if !q.dump() {
		return h.tellWay(q)
	}
	if len(q.payload) >= unix.SizeofRtMsg && binary.LittleEndian.Uint32(q.payload[8:])&unix.RTM_F_CLONED != 0 {
		return 0 // ways that were found and are kept: there are none
	}
	routes := append(h.mainTable(), h.localTable()...)
	slices.SortStableFunc(routes, func(a, b netlinkRoute) int {
		return cmp.Or(cmp.Compare(netlinkFamily(a.to.Addr()), netlinkFamily(b.to.Addr())), cmp.Compare(a.table, b.table))
	})
	for _, r := range routes {
		if q.asks(netlinkFamily(r.to.Addr())) {
			q.m.route(r)
		}
	}
	return 0
}

// mainTable returns the host's routes, but those of interfaces that are down:
// Linux takes them away.
func (h *hosted) mainTable() (routes []netlinkRoute) {
	table := h.stack.Routes()
	slices.SortStableFunc(table, func(a, b inet.Route) int { return a.Prefix.Addr().Compare(b.Prefix.Addr()) })
	for _, r := range table {
		if r.Type == inet.Unicast && (!r.Interface.Up() || r.Interface.Loopback() && r.Connected()) {
			continue // of lo's networks the table local tells
		}
		routes = append(routes, ofTable(&r))
	}
	return routes
}

// ofTable returns what RTM_NEWROUTE tells of a route.
func ofTable(r *inet.Route) netlinkRoute {
	is4 := r.Prefix.Addr().Is4()
	told := netlinkRoute{
		to: r.Prefix, gateway: r.Gateway, prefer: r.Source, metric: r.Metric, table: unix.RT_TABLE_MAIN,
		protocol: unix.RTPROT_BOOT, // as ip-route(8) adds them
		typ:      routeType(r.Type),
	}
	if r.Type == inet.Unicast {
		told.out = r.Interface.Index
		if is4 && !r.Gateway.IsValid() {
			told.scope = unix.RT_SCOPE_LINK
		}
	}
	if !r.Connected() {
		return told
	}
	told.protocol = unix.RTPROT_KERNEL
	for _, p := range r.Interface.Prefixes() {
		if is4 && p.Masked() == r.Prefix {
			told.prefer = p.Addr()
			break
		}
	}
	return told
}

func routeType(t inet.RouteType) byte {
	switch t {
	case inet.Unreachable:
		return unix.RTN_UNREACHABLE
	case inet.Blackhole:
		return unix.RTN_BLACKHOLE
	case inet.Prohibit:
		return unix.RTN_PROHIBIT
	case inet.Throw:
		return unix.RTN_THROW
	}
	return unix.RTN_UNICAST
}

// localTable returns what the addresses of the interfaces that are up do: they
// are the host's own, and a network's last IPv4 address is for all. lo's
// networks are the host's entirely. IPv6 sends to groups by any interface
// that has an address.
func (h *hosted) localTable() (routes []netlinkRoute) {
	for _, i := range h.stack.Interfaces() {
		if !i.Up() {
			continue
		}
		r := netlinkRoute{table: unix.RT_TABLE_LOCAL, protocol: unix.RTPROT_KERNEL, out: i.Index}
		hasIPv6 := false
		for _, p := range i.Prefixes() {
			r.typ, r.to, r.prefer = unix.RTN_LOCAL, netip.PrefixFrom(p.Addr(), p.Addr().BitLen()), netip.Addr{}
			if p.Addr().Is6() {
				hasIPv6 = true
				r.scope = unix.RT_SCOPE_UNIVERSE
				routes = append(routes, r)
				continue
			}
			r.scope, r.prefer = unix.RT_SCOPE_HOST, p.Addr()
			routes = append(routes, r)
			if i.Loopback() && p.Bits() < 32 {
				r.to = p.Masked()
				routes = append(routes, r)
			}
			if p.Bits() < 31 { // RFC 3021: networks of two have none
				r.typ, r.scope, r.to = unix.RTN_BROADCAST, unix.RT_SCOPE_LINK, netip.PrefixFrom(inet.BroadcastOf(p), 32)
				routes = append(routes, r)
			}
		}
		if hasIPv6 && !i.Loopback() {
			r.typ, r.scope, r.to, r.prefer = unix.RTN_MULTICAST, unix.RT_SCOPE_UNIVERSE, allGroups6, netip.Addr{}
			routes = append(routes, r)
		}
	}
	return routes
}

var allGroups6 = netip.MustParsePrefix("ff00::/8")

// tellWay answers RTM_GETROUTE for one destination, as `ip route get` asks:
// how would a packet there leave, perhaps from an address or by an interface.
func (h *hosted) tellWay(q *netlinkQuestion) unix.Errno {
	given := q.attributes(unix.SizeofRtMsg)
	if given == nil {
		return unix.EINVAL
	}
	to, ok := netip.AddrFromSlice(given[unix.RTA_DST])
	if !ok || netlinkFamily(to) != q.family() {
		return unix.EINVAL
	}
	from, _ := netip.AddrFromSlice(given[unix.RTA_SRC])
	if from.IsValid() && from.Is4() != to.Is4() {
		return unix.EINVAL
	}
	device := ""
	if b := given[unix.RTA_OIF]; len(b) == 4 {
		for _, i := range h.stack.Interfaces() {
			if binary.LittleEndian.Uint32(b) == uint32(i.Index) {
				device = i.Name
			}
		}
		if device == "" {
			return unix.ENODEV
		}
	}
	w, e := h.stack.WayTo(to, from, device)
	if e != errno.OK {
		return unix.Errno(e)
	}
	r := ofWay(&w, to, from)
	if h.target != nil {
		r.uid = h.target.caller.UID
	}
	if to.Is4() && binary.LittleEndian.Uint32(q.payload[8:])&unix.RTM_F_LOOKUP_TABLE == 0 {
		r.table = unix.RT_TABLE_MAIN // whichever it was: so Linux, for IPv4
	}
	q.m.route(r)
	return 0
}

// ofWay returns what RTM_NEWROUTE tells of a way that was asked for. IPv6
// tells of the route that was taken, IPv4 of a copy made for the answer.
func ofWay(w *inet.Way, to, from netip.Addr) netlinkRoute {
	r := netlinkRoute{
		to: netip.PrefixFrom(to, to.BitLen()), from: from, out: w.Out.Index, asked: true,
		table: unix.RT_TABLE_MAIN, typ: unix.RTN_UNICAST,
	}
	if w.NextHop != to {
		r.gateway = w.NextHop
	}
	if w.Source != from {
		r.prefer = w.Source
	}
	switch {
	case w.Local:
		r.typ, r.flags, r.table = unix.RTN_LOCAL, wayLocal, unix.RT_TABLE_LOCAL
	case w.Broadcast:
		r.typ, r.flags, r.table = unix.RTN_BROADCAST, wayBroadcast|wayLocal, unix.RT_TABLE_LOCAL
	case to.IsMulticast():
		r.typ, r.flags = unix.RTN_MULTICAST, wayMulticast
	}
	if to.Is4() {
		r.flags |= unix.RTM_F_CLONED
		return r
	}
	r.flags, r.metric, r.protocol = 0, w.Route.Metric, unix.RTPROT_KERNEL
	if !from.IsValid() {
		r.from = netip.IPv6Unspecified()
	}
	switch {
	case r.typ == unix.RTN_MULTICAST:
		r.table = unix.RT_TABLE_LOCAL
	case r.typ == unix.RTN_UNICAST && !w.Route.Connected():
		r.protocol = unix.RTPROT_BOOT
	}
	return r
}
