// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"net/netip"
	"time"

	"dialtone/firewall"
	"dialtone/tcp"
	"dialtone/wire"
)

// Input implements [socket.Input]: a packet came in by i.
func (i *Interface) Input(p *wire.Packet) {
	if len(i.stack.taps) > 0 && i.up {
		i.tell(firewall.Input, p)
	}
	if !i.loopback && p.Src != i.harmless && i.martian(p) {
		p.Free()
		return
	}
	i.take(p)
}

// echo is an interface at which the host hears what it sent by it to everybody. Where that comes from is not asked
// (dev_loopback_xmit), and no tap is told of it (packet_rcv: PACKET_LOOPBACK).
type echo struct{ *Interface }

// Deliver implements [link.Station].
func (e echo) Deliver(at time.Duration, p *wire.Packet) { e.stack.core.Arrive(at, e, p) }

// Input implements [socket.Input].
func (e echo) Input(p *wire.Packet) { e.take(p) }

// take takes in a packet that may have come by i.
func (i *Interface) take(p *wire.Packet) {
	s := i.stack
	if !i.up {
		p.Free()
		return
	}
	to := s.audience(p.Src, p.Dst, i)
	if to == others {
		if s.forwards(p) {
			s.forward(p, i)
		} else {
			p.Free()
		}
		return
	}
	switch verdict, _ := s.Firewall.Decide(firewall.Input, p, i.Name); verdict.Action {
	case firewall.Accept:
		heard := len(s.raws) > 0 && s.inputRaw(p, i)
		switch {
		case p.Opaque: // who reads it finds nothing in it
		case p.Proto == wire.TCP:
			if to == us { // RFC 9293, 3.9.2.3 (MUST-57)
				s.inputTCP(p, i)
			}
		case p.Proto == wire.UDP, p.Proto == wire.UDPLite:
			s.inputUDP(p, i, to)
		case p.Proto == wire.ICMP, p.Proto == wire.ICMPv6:
			s.inputICMP(p, i)
		default:
			if typ, code := icmpNoProtocol.of(p); !heard && p.Proto != noNextHeader {
				s.sendICMPError(p, i, typ, code, nextHeader(p))
			}
		}
	case firewall.Reject:
		s.reject(p, verdict, i)
	}
	s.free(p)
}

// martian reports whether a packet that came from outside has a source that nobody there can have (RFC 1812, 5.3.7). As on
// Linux (ip_route_input_slow, fib_validate_source, ip6_rcv_core) these are the loopback's and multicast ones, and of IPv4
// the limited broadcast, the host's own, and no address at all, unless it is for everybody. An IPv6 address of its own passes.
func (i *Interface) martian(p *wire.Packet) bool {
	switch src := p.Src; {
	case src.IsLoopback(), src.IsMulticast(), src == limitedBroadcast:
		return true
	case src.IsUnspecified() && src.Is4():
		return p.Dst != limitedBroadcast
	case src.Is4():
		if o := i.stack.meaning(src); o != nil && o.owner != nil {
			return true
		}
	}
	i.harmless = p.Src
	return false
}

// audience is who a packet is for.
type audience uint8

const (
	others    audience = iota // not this host
	us                        // this host
	everybody                 // a group, or everybody on a network
)

// audience returns who a packet from src to dst that came in by i is for. A host answers for all its addresses on all interfaces
// (RFC 1122, 3.3.4.2, the weak model, as Linux does), but for the loopback ones, which must not come from elsewhere.
func (s *Stack) audience(src, dst netip.Addr, i *Interface) audience {
	switch {
	case i.standsIn:
		return us
	case dst.IsLoopback():
		if !i.loopback {
			return others
		}
		if s.isBroadcast(dst) {
			return everybody
		}
		return us
	case dst == limitedBroadcast, inGroup(dst), dst.IsMulticast() && i.hasMembers(dst, src):
		return everybody
	case dst.IsMulticast():
		return others
	}
	switch o := s.meaning(dst); {
	case o != nil && o.broadcast:
		return everybody
	case o != nil && o.owner != nil, s.inLoopback(dst) != nil:
		return us
	}
	return others
}

// inGroup reports whether hosts are in a group without having joined it: in that of all of them on a link (RFC 1112, 7.2;
// RFC 4291, 2.8).
func inGroup(ip netip.Addr) bool { return ip == allHosts4 || ip == allHosts6 }

var (
	allHosts4 = netip.AddrFrom4([4]byte{224, 0, 0, 1})
	allHosts6 = netip.IPv6LinkLocalAllNodes()
)

// arrival names the interface by which a packet has come in for a socket that is bound to a device. What a host sends to
// itself comes by lo, and counts as come by the interface that has the destination's address (Linux: the local route's
// device, in rt_iif and IP6CB's iif), unless the way it was sent says otherwise.
func (s *Stack) arrival(in *Interface, to netip.Addr) string {
	if in.loopback && !in.standsIn {
		if i := s.owner(to); i != nil {
			return i.Name
		}
	}
	return in.Name
}

// inputTCP finds the connection or listener a segment is for.
func (s *Stack) inputTCP(p *wire.Packet, in *Interface) {
	local := netip.AddrPortFrom(p.Dst, p.TCP.DstPort)
	remote := netip.AddrPortFrom(p.Src, p.TCP.SrcPort)
	if c := s.connections.find(local, remote); c != nil && c.hears(in, p.Dst) {
		if c.opts.refuses(p) {
			return
		}
		if again := c.receive(p, in); !again {
			return
		}
	}
	if l := s.listenerFor(local, remote, in); l != nil && (l.opts.refuses(p) || l.input(p, local, remote, in)) {
		return
	}
	if rst, ok := tcp.ResetFor(&p.TCP); ok {
		s.answer(p, in, func(a *wire.Packet) { a.Proto, a.TCP = wire.TCP, rst })
	}
}

// listenerFor returns the listener for a connection from remote that comes by in: one bound to the address itself before
// one bound to any, and of those that share the port the one that share chooses.
func (s *Stack) listenerFor(local, remote netip.AddrPort, in *Interface) *stream {
	all := s.listeners[local.Port()]
	if len(all) == 1 { // as a rule
		if l := all[0]; l.hears(in, local.Addr()) && l.hold.covers(local.Addr()) {
			return l
		}
		return nil
	}
	var room [8]*stream
	group := room[:0]
	exact := false
	for _, l := range all {
		if !l.hears(in, local.Addr()) || !l.hold.covers(local.Addr()) {
			continue
		}
		switch itself := l.hold.addr == local.Addr(); {
		case len(group) == 0, itself && !exact:
			group, exact = append(group[:0], l), itself
		case itself == exact && l.hold.shares(&group[0].hold):
			group = append(group, l)
		}
	}
	if len(group) == 0 {
		return nil
	}
	return group[s.share(len(group), local, remote)]
}
