// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"math/bits"
	"net/netip"
	"slices"

	"dialtone/sockaddr"
	"dialtone/socket"
)

// hold is one socket's hold on a local port.
type hold struct {
	sock   *socket.Socket
	addr   netip.Addr // may be unspecified
	port   uint16     // 0: holds none
	v6only bool
	uid    uint32
	// number is whether bind(2) named the port, address whether it named the address: these survive a dissolved
	// connection.
	number, address bool
	listening       bool
	// implicit holds came from connect: they share their port with each other, as long as the connections differ.
	implicit bool
}

// covers reports whether something sent to ip could be for the holder.
func (h *hold) covers(ip netip.Addr) bool {
	switch {
	case h.addr == ip:
		return true
	case !h.addr.IsUnspecified():
		return false
	case h.addr.Is4():
		return ip.Is4()
	}
	return ip.Is6() || !h.v6only
}

// onlyIPv6 reports whether the holder of an AF_INET6 socket has nothing to do with IPv4: by IPV6_V6ONLY, or because it is
// bound to an IPv6 address.
func (h *hold) onlyIPv6() bool {
	return h.v6only || h.address && h.addr.Is6() && !h.addr.IsUnspecified()
}

// overlaps reports whether something could be for both.
func (h *hold) overlaps(o *hold) bool { return h.covers(o.addr) || o.covers(h.addr) || h.bothAny(o) }

// bothAny reports whether two wildcards have an IP version in common.
func (h *hold) bothAny(o *hold) bool {
	if !h.addr.IsUnspecified() || !o.addr.IsUnspecified() {
		return false
	}
	return h.addr.Is4() == o.addr.Is4() || h.addr.Is6() && !h.v6only || o.addr.Is6() && !o.v6only
}

// shares reports whether what comes for the port of both is spread over them (SO_REUSEPORT, socket(7)).
func (h *hold) shares(o *hold) bool {
	return h.sock.Options().ReusePort && o.sock.Options().ReusePort && h.uid == o.uid &&
		h.addr == o.addr && h.v6only == o.v6only && !otherDevice(h, o)
}

// share chooses one of n sockets that share a port, by the two ends of what has come: so all of a conversation comes to
// one of them, as long as they are the same ones (reuseport_select_sock).
func (s *Stack) share(n int, local, remote netip.AddrPort) int {
	if n == 1 {
		return 0
	}
	ports := uint64(local.Port())<<16 | uint64(remote.Port())
	chosen, _ := bits.Mul64(s.draw(false, words(local.Addr()), words(remote.Addr()), ports), uint64(n))
	return int(chosen)
}

// ports says who holds which port, for one protocol. Its zero value is empty.
type ports struct {
	held     map[uint16][]*hold // by bind
	implicit map[uint16]int32   // by connect: how many
}

// unused reports whether nobody holds the port.
func (p *ports) unused(port uint16) bool { return p.held[port] == nil && p.implicit[port] == 0 }

// free reports whether h may hold its port beside those who do (inet_csk_bind_conflict, udp_lib_lport_inuse).
func (p *ports) free(h *hold, port uint16, datagrams bool) bool {
	if p.implicit[port] > 0 && !datagrams {
		return false
	}
	for _, o := range p.held[port] {
		if o == h || !h.overlaps(o) || otherDevice(h, o) {
			continue
		}
		mine, theirs := h.sock.Options(), o.sock.Options()
		reuse := mine.ReuseAddr && theirs.ReuseAddr && (datagrams || !o.listening)
		share := mine.ReusePort && theirs.ReusePort && h.uid == o.uid
		if !reuse && !share {
			return false
		}
	}
	return true
}

// otherDevice reports whether two sockets are bound to different devices, so that nothing can be for both.
func otherDevice(h, o *hold) bool {
	a, b := h.sock.Options().Device(), o.sock.Options().Device()
	return a != "" && b != "" && a != b
}

// take makes h hold a port.
func (p *ports) take(h *hold, port uint16) {
	if p.held == nil {
		p.held, p.implicit = map[uint16][]*hold{}, map[uint16]int32{}
	}
	h.port = port
	if h.implicit {
		p.implicit[port]++
	} else {
		p.held[port] = append(p.held[port], h)
	}
}

// drop lets h's port go.
func (p *ports) drop(h *hold) {
	switch holds := p.held[h.port]; {
	case h.port == 0:
		return
	case h.implicit && p.implicit[h.port] > 1:
		p.implicit[h.port]--
	case h.implicit:
		delete(p.implicit, h.port)
	case len(holds) > 1:
		p.held[h.port] = slices.DeleteFunc(holds, func(o *hold) bool { return o == h })
	default:
		delete(p.held, h.port)
	}
	h.port, h.implicit = 0, false
}

// bound reports whether any bind holds the port, so that connect must not choose it.
func (p *ports) bound(port uint16) bool {
	return p.held[port] != nil
}

// search goes through the range of implicit ports from a place that chance decides, every second port first, and
// returns the first that suits (RFC 6056, 3.3.3; Linux keeps one parity for bind and one for connect as long as it can).
func search(first, last uint16, start uint64, parity uint16, suits func(uint16) bool) (uint16, bool) {
	n := uint64(last) - uint64(first) + 1
	start %= n
	for _, odd := range [2]uint16{parity, parity ^ 1} {
		for k := range n {
			port := first + uint16((start+k)%n)
			if (port^first)&1 == odd && suits(port) {
				return port, true
			}
		}
	}
	return 0, false
}

// privileged reports whether a caller needs CAP_NET_BIND_SERVICE for the port and lacks it.
func (s *Stack) privileged(c *socket.Call, port uint16) bool {
	return port != 0 && port < s.Sysctl.IPUnprivilegedPort && c.Caller != nil && !c.Caller.May(socket.NetBindService)
}

// addr returns an address as sockets of a family show it: on AF_INET6 sockets IPv4 is mapped.
func addr(family sockaddr.Family, ap netip.AddrPort) sockaddr.Addr {
	ip := ap.Addr()
	if family == sockaddr.Inet6 && ip.Is4() {
		if ip.IsUnspecified() {
			ip = netip.IPv6Unspecified()
		} else {
			ip = netip.AddrFrom16(ip.As16())
		}
	}
	return sockaddr.Addr{Family: family, IP: ip, Port: ap.Port()}
}
