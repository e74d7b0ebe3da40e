// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"encoding/binary"
	"net/netip"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/wire"
)

// ownOptions are what a message's control messages say in place of the socket's options. A nil one says nothing.
type ownOptions struct {
	source netip.Addr // to come from; invalid: as the socket does
	device *Interface // to leave by; nil: as the socket does
	ttl    int        // or hop limit; -1: the socket's
	tos    int        // or traffic class; -1: the socket's
	whole  bool       // IPV6_DONTFRAG
	// segment is UDP_SEGMENT, bytes; -1: the socket's
	segment int
}

// query puts what is said about the way in q.
func (own *ownOptions) query(q *query) {
	if own.source.IsValid() {
		q.from = own.source
	}
	if own.device != nil {
		q.device = own.device.Name
	}
}

// fields puts what is said about a packet's header in p.
func (own *ownOptions) fields(p *wire.Packet) {
	if own.ttl >= 0 {
		p.TTL = uint8(own.ttl)
	}
	if own.tos >= 0 {
		p.TOS = uint8(own.tos)
	}
}

// ownOptions reads the control messages of m, which goes to an address; nil if there are none.
func (d *datagram) ownOptions(call *socket.Call, m *socket.Message, to *sockaddr.Addr) (*ownOptions, errno.Errno) {
	if len(m.Control) == 0 {
		return nil, errno.OK
	}
	own := &ownOptions{ttl: -1, tos: -1, segment: -1}
	for _, c := range m.Control {
		e := errno.OK
		switch is4 := to.IP.Is4(); {
		case c.Level == socket.SolSocket:
			e = socket.CheckControl(call, c)
		case c.Level == solUDP && d.hold.knows(solUDP):
			e = own.udp(c)
		case c.Level == solIP && is4:
			e = own.ip(d, c)
		case c.Level == solIPv6 && is4 && d.family == sockaddr.Inet6 && c.Type == ipv6PktInfo:
			e = own.mappedPktInfo(d, c.Data)
		case c.Level == solIPv6 && !is4:
			e = own.ipv6(d, c, to)
		}
		if e != errno.OK {
			return nil, e
		}
	}
	return own, errno.OK
}

// cInt reads the C int that a control message is; ok is false if it is none, or outside of the limits.
func cInt(b []byte, least, most int) (n int, ok bool) {
	if len(b) != 4 {
		return 0, false
	}
	n = socket.IntValue(b)
	return n, least <= n && n <= most
}

// leaveBy makes the message leave by the interface with an index; 0 says nothing.
func (own *ownOptions) leaveBy(s *Stack, index uint32) errno.Errno {
	if index == 0 {
		return errno.OK
	}
	if own.device = s.interfaceIndexed(index); own.device == nil {
		return errno.ENODEV
	}
	return errno.OK
}

// comeFrom makes the message come from an IPv4 address; none at all says nothing. Whose it is the way asks.
func (own *ownOptions) comeFrom(s *Stack, ip netip.Addr) errno.Errno {
	switch {
	case ip.IsUnspecified():
		return errno.OK
	case ip.IsMulticast(), ip == limitedBroadcast:
		return errno.EINVAL // ip_route_output_key_hash_rcu
	case s.isBroadcast(ip):
		return s.core.Personality.IP.NoRoute // no address of a host
	}
	own.source = ip
	return errno.OK
}

// ip reads a control message of level IP (ip_cmsg_send).
func (own *ownOptions) ip(d *datagram, c socket.ControlMessage) errno.Errno {
	ok := false
	switch c.Type {
	case ipPktInfo: // struct in_pktinfo: the index, where to come from, and an address that is not read
		if len(c.Data) != 12 {
			return errno.EINVAL
		}
		if e := own.leaveBy(d.stack, binary.LittleEndian.Uint32(c.Data)); e != errno.OK {
			return e
		}
		return own.comeFrom(d.stack, netip.AddrFrom4([4]byte(c.Data[4:])))
	case ipTTL:
		own.ttl, ok = cInt(c.Data, 1, 255)
	case ipTOS:
		if len(c.Data) == 1 {
			own.tos, ok = int(c.Data[0]), true
		} else {
			own.tos, ok = cInt(c.Data, 0, 255)
		}
	case ipProtocol: // for raw sockets with their own header; it says nothing otherwise
		_, ok = cInt(c.Data, 1, int(d.stack.core.Personality.IP.Protocols)-1)
	case ipRetOpts:
		ok = len(c.Data) == 0 // there are no IP options
	}
	if !ok {
		return errno.EINVAL
	}
	return errno.OK
}

// udp reads a control message of level UDP (__udp_cmsg_send).
func (own *ownOptions) udp(c socket.ControlMessage) errno.Errno {
	if c.Type != udpSegment || len(c.Data) != 2 {
		return errno.EINVAL
	}
	own.segment = int(binary.LittleEndian.Uint16(c.Data))
	return errno.OK
}

// mappedPktInfo reads IPV6_PKTINFO of what goes to an IPv4 address: it must come from one.
func (own *ownOptions) mappedPktInfo(d *datagram, b []byte) errno.Errno {
	ip, index, ok := pktInfo6(b)
	if !ok || !ip.Is4In6() {
		return errno.EINVAL
	}
	if e := own.leaveBy(d.stack, index); e != errno.OK {
		return e
	}
	return own.comeFrom(d.stack, ip.Unmap())
}

// pktInfo6 reads struct in6_pktinfo; what follows it is not looked at.
func pktInfo6(b []byte) (ip netip.Addr, index uint32, ok bool) {
	if len(b) < 20 {
		return ip, 0, false
	}
	return netip.AddrFrom16([16]byte(b)), binary.LittleEndian.Uint32(b[16:]), true
}

// ipv6 reads a control message of level IPv6 (ip6_datagram_send_ctl).
func (own *ownOptions) ipv6(d *datagram, c socket.ControlMessage, to *sockaddr.Addr) errno.Errno {
	ok := false
	switch c.Type {
	case ipv6PktInfo, ipv6OldPktInfo:
		return own.pktInfo(d, c.Data, to)
	case ipv6HopLimit, ipv6OldHopLimit:
		own.ttl, ok = cInt(c.Data, -1, 255)
	case ipv6TClass:
		own.tos, ok = cInt(c.Data, -1, 255)
		own.tos &= 0xff // -1 is 255 here, by experiment on Linux 6.18
	case ipv6DontFrag:
		var n int
		n, ok = cInt(c.Data, 0, 1)
		own.whole = n == 1
	case ipv6FlowInfo:
		ok = len(c.Data) >= 4 // there are no flow labels
	}
	if !ok {
		return errno.EINVAL
	}
	return errno.OK
}

// pktInfo reads IPV6_PKTINFO of what goes to an IPv6 address.
func (own *ownOptions) pktInfo(d *datagram, b []byte, to *sockaddr.Addr) errno.Errno {
	s := d.stack
	ip, index, ok := pktInfo6(b)
	if !ok {
		return errno.EINVAL
	}
	by := s.interfaceNamed(d.sock.Options().Device())
	if needsScope(to.IP) && to.Scope != 0 {
		by = s.interfaceIndexed(to.Scope)
	}
	if by != nil && index != 0 && index != uint32(by.Index) {
		return errno.EINVAL // it is to leave by another one already
	}
	if e := own.leaveBy(s, index); e != errno.OK {
		return e
	}
	if own.device != nil {
		by = own.device
		to.Scope = index
	}
	switch owner := s.owner(ip); {
	case ip.IsUnspecified():
		return errno.OK
	case ip.IsLinkLocalUnicast() && by == nil:
		return errno.EINVAL
	case d.opts.freeBind, d.opts.transparent:
	case owner == nil, ip.IsLinkLocalUnicast() && !by.Answers(ip):
		return errno.EINVAL
	}
	own.source = ip
	return errno.OK
}
