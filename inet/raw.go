// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"math"
	"net/netip"
	"slices"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/wire"
)

// raw is the endpoint of a raw socket (raw(7)): what IP carries of one protocol, read with its header on AF_INET. Beside
// it everything goes on as without it.
//
// A packet is not kept as bytes here: TCP, UDP or ICMP that makes no sense as that, or has a wrong checksum, is opaque, and
// only other raw sockets hear it.
type raw struct {
	datagram
	// proto is the protocol of what is sent. Of a socket's protocol beyond 255 those are the low bits, and such a socket hears
	// nothing.
	proto  wire.Protocol
	header bool // IP_HDRINCL, IPV6_HDRINCL: what is sent begins with its IP header
	// filter has a bit for each type of ICMP that is not let in: ICMP_FILTER is its first word, ICMP6_FILTER all of it.
	filter [8]uint32
}

// protoRaw is IPPROTO_RAW: such a socket sends packets of any protocol, with their header.
const protoRaw = 255

func (s *Stack) newRaw(call *socket.Call, sock *socket.Socket) (*raw, errno.Errno) {
	switch {
	case sock.Protocol == 0:
		return nil, errno.EPROTONOSUPPORT // a protocol must be named
	case call.Caller != nil && !call.Caller.May(socket.NetRaw):
		return nil, errno.EPERM
	}
	r := &raw{proto: wire.Protocol(sock.Protocol), header: sock.Protocol == protoRaw}
	r.datagram = *s.newDatagram(sock)
	r.ports = &datagrams{} // the protocol is its port, and nobody else's business
	r.portless = true
	r.hold.port, r.hold.number = uint16(sock.Protocol), true
	r.choose(r.local.Addr())
	sock.Options().ReuseAddr = true // INET_PROTOSW_REUSE
	s.raws = append(s.raws, r)
	return r, errno.OK
}

// leaveTable makes r hear nothing any more.
func (r *raw) leaveTable() {
	s := r.stack
	s.raws = slices.DeleteFunc(s.raws, func(o *raw) bool { return o == r })
}

// Bind implements [socket.Endpoint] (raw_bind, rawv6_bind): to another address as often as it pleases, but not when
// connected. The family of an AF_INET address is not looked at.
func (r *raw) Bind(call *socket.Call, b []byte) errno.Errno {
	s := r.stack
	if r.family == sockaddr.Inet && len(b) >= sockaddr.LenInet {
		b = withFamily(sockaddr.Inet, b)
	}
	a, mapped, e := s.parse(r.family, b)
	switch {
	case e == errno.EAFNOSUPPORT:
		return errno.EINVAL
	case e != errno.OK:
		return e
	case mapped:
		return errno.EADDRNOTAVAIL
	case r.remote.IsValid():
		return errno.EINVAL
	}
	a.Port = 0
	if e := s.mayBind(call, a, r.sock, &r.opts, false); e != errno.OK {
		return e
	}
	r.choose(a.IP)
	if r.source4 = (netip.Addr{}); r.family == sockaddr.Inet6 && !a.IP.IsUnspecified() {
		r.source4 = loopback4IPv6
	}
	r.chosen = !a.IP.IsUnspecified() // AF_UNSPEC takes it off
	if !s.core.Personality.IP.RawProtocol {
		r.hold.address, r.chosen = r.chosen, false
	}
	return errno.OK
}

// loopback4IPv6 is the IPv4 address of a socket that is bound to an IPv6 one (LOOPBACK4_IPV6): it leads nowhere but to the
// host itself.
var loopback4IPv6 = netip.AddrFrom4([4]byte{127, 0, 0, 6})

// Connect implements [socket.Endpoint].
func (r *raw) Connect(call *socket.Call, b []byte) errno.Errno {
	e := r.datagram.Connect(call, b)
	if e == errno.OK && sockaddr.FamilyOf(b) == sockaddr.Unspec && r.stack.core.Personality.IP.RawProtocol {
		r.leaveTable() // __udp_disconnect takes it off the table, and nothing puts it back
		r.hold.port, r.hold.number = uint16(r.sock.Protocol), false
	}
	return e
}

// Name implements [socket.Endpoint].
func (r *raw) Name() sockaddr.Addr {
	a := r.datagram.Name()
	if !r.stack.core.Personality.IP.RawProtocol || !r.hold.number {
		a.Port = 0
	}
	return a
}

// Close implements [socket.Endpoint].
func (r *raw) Close(*socket.Call) {
	r.leaveTable()
	r.leaveGroups()
	r.empty()
}

// Send implements [socket.Endpoint] (raw_sendmsg, rawv6_sendmsg).
func (r *raw) Send(call *socket.Call, m *socket.Message) (int, errno.Errno) {
	to, e := r.destination(m)
	if e != errno.OK {
		return 0, e
	}
	own, e := r.ownOptions(call, m, &to)
	if e != errno.OK {
		return 0, e
	}
	w, e := r.rawWay(&to, m.Data, own)
	if e != errno.OK {
		return 0, e
	}
	p := r.packet(w, to.IP, own)
	body := slices.Clone(m.Data) // the packet keeps it
	if r.header {
		if body = fillHeader(p, body); body == nil {
			p.Free()
			return len(m.Data), errno.OK // nobody understands it, so it gets lost
		}
	}
	if p.Proto == wire.ICMPv6 && !r.header {
		p.SealICMP(body) // RFC 3542, 3.1: the kernel's task
	}
	if p.ParseBody(body) != nil {
		p.TCP, p.UDP, p.ICMP = wire.Segment{}, wire.Datagram{}, wire.Message{}
		p.Opaque, p.Body = true, body
	}
	return r.leave(call, m, p, w)
}

// destination is where m goes, and what is asked before the way there.
func (r *raw) destination(m *socket.Message) (to sockaddr.Addr, e errno.Errno) {
	switch {
	case len(m.Data) > math.MaxUint16:
		return to, errno.EMSGSIZE
	case m.Flags&socket.MsgOOB != 0:
		return to, errno.EOPNOTSUPP
	}
	b := m.To
	switch {
	case b == nil:
	case len(b) < leastLen(r.family):
		return to, errno.EINVAL
	case sockaddr.FamilyOf(b) == sockaddr.Unspec:
		b = withFamily(r.family, b) // AF_UNSPEC is taken for the socket's family
	}
	to, e = r.target(b)
	switch {
	case e != errno.OK:
		return to, e
	case r.family == sockaddr.Inet:
	case b != nil && sockaddr.ParseInet6(b).IP.IsUnspecified():
		to.IP = netip.IPv6Loopback() // even from an IPv4 address
	case b != nil && to.Port != 0 && to.Port != uint16(r.sock.Protocol) && r.proto != protoRaw, r.sock.Protocol > 255:
		return to, errno.EINVAL // RFC 3542, 3: where others have a port there is the protocol
	}
	switch {
	case len(m.Data) < 2 && !r.header && r.icmp():
		return to, errno.EFAULT // raw_probe_proto_opt, rawv6_probe_proto_opt read type and code
	case r.family == sockaddr.Inet6 && to.IP.Is4():
		return to, r.stack.core.Personality.IP.NoRoute // it may connect there, and IPv6 has no way
	}
	return to, errno.OK
}

// icmp reports whether the protocol is the family's ICMP.
func (r *raw) icmp() bool {
	if r.family == sockaddr.Inet {
		return r.proto == wire.ICMP
	}
	return r.proto == wire.ICMPv6
}

// rawWay finds the way to an address for what is sent. With the header among them they must fit the link (raw_send_hdrinc,
// rawv6_send_hdrinc), and it counts what has stopped the socket, which without it nobody asks (__ip_append_data calls
// sock_wmalloc for raw sockets).
func (r *raw) rawWay(to *sockaddr.Addr, data []byte, own *ownOptions) (*path, errno.Errno) {
	length := len(data)
	if !r.header {
		return r.sendWay(to, length, own)
	}
	w, e := r.sendWay(to, 0, own)
	switch {
	case e != errno.OK:
		return w, e
	case length > w.out.MTU():
		return w, r.tooLong(*to, w.out, own)
	case length < headerLen(to.IP), to.IP.Is4() && length < int(data[0]&0xf)*4:
		return w, errno.EINVAL
	}
	return w, r.stopped()
}

// fillHeader makes p's header the one that b begins with, and returns what follows it, nil if that is no header. Length and
// checksum of IPv4 are the kernel's to fill in, and the source address if it is zero (raw(7)).
func fillHeader(p *wire.Packet, b []byte) (body []byte) {
	source := p.Src
	h, rest, err := wire.ParseHeader(b)
	if err != nil || h.Is4() != p.Is4() {
		return nil
	}
	p.Src, p.Dst, p.Proto, p.TTL, p.TOS, p.FlowLabel = h.Src, h.Dst, h.Proto, h.TTL, h.TOS, h.FlowLabel
	if p.Src.IsUnspecified() && p.Is4() {
		p.Src = source
	}
	return rest
}
