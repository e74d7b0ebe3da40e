// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"dialtone/errno"
	"dialtone/wire"
)

// What a router says of a packet that it can't send on: type and code for IPv4 and IPv6 (RFC 792, RFC 1812, RFC 4443).
var (
	icmpNetUnreachable  = icmpKind{3, 0, 1, 0}
	icmpAdminProhibited = icmpKind{3, 13, 1, 1}
	icmpTimeExceeded    = icmpKind{11, 0, 3, 0}
	icmpBeyondScope     = icmpKind{3, 0, 1, 2}
)

// forwards reports whether the host is a router for p (net.ipv4.ip_forward, net.ipv6.conf.all.forwarding): for packets
// that mean something beyond their link.
func (s *Stack) forwards(p *wire.Packet) bool {
	on := s.Sysctl.IPForward
	if p.Dst.Is6() {
		on = s.Sysctl.IPv6Forwarding
	}
	return on && p.Dst.IsGlobalUnicast() && (p.Src.IsGlobalUnicast() || p.Src.Is6() && p.Src.IsLinkLocalUnicast())
}

// forward sends on a packet that came by in and is for another host, or tells its sender why not (RFC 1812, 5.2).
func (s *Stack) forward(p *wire.Packet, in *Interface) {
	w, r, e := s.lookUp(query{to: p.Dst})
	switch {
	case e == errno.OK && w.local:
		p.Free() // an address that the host lost while the packet was under way
	case e == errno.OK && p.TTL <= 1:
		s.undeliverable(p, in, icmpTimeExceeded)
	case e == errno.OK && p.Src.IsLinkLocalUnicast():
		s.undeliverable(p, in, icmpBeyondScope) // RFC 4443, 3.1
	case e == errno.OK:
		p.TTL--
		if to, _ := s.resolve(w.out, w.nextHop, p); to != nil {
			w.out.transmit(to, p)
		}
	case r != nil && r.Type == Blackhole:
		p.Free()
	case r != nil && r.Type == Unreachable:
		s.undeliverable(p, in, icmpHostUnreachable)
	case r != nil && r.Type == Prohibit:
		s.undeliverable(p, in, icmpAdminProhibited)
	default:
		s.undeliverable(p, in, icmpNetUnreachable)
	}
}

// undeliverable tells the sender of a forwarded packet what became of it.
func (s *Stack) undeliverable(p *wire.Packet, in *Interface, kind icmpKind) {
	typ, code := kind.of(p)
	s.sendICMPError(p, in, typ, code, 0)
	p.Free()
}
