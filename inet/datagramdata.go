// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"bytes"
	"math"
	"net/netip"

	"dialtone/errno"
	"dialtone/link"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/wire"
)

// udpHeader is the length of UDP's header, bytes (RFC 768).
const udpHeader = 8

// maxCarried returns how many bytes fit behind the IP header of a packet to an address: IPv4's length field counts the
// header (RFC 791, 3.1), that of IPv6 does not (RFC 8200, 3).
func maxCarried(to netip.Addr) int {
	if to.Is4() {
		return math.MaxUint16 - headerLen(to)
	}
	return math.MaxUint16
}

// Send implements [socket.Endpoint] (udp_sendmsg): to the address given, or to the peer. The order is Linux's: a pending
// error counts only once there is a way.
func (d *datagram) Send(call *socket.Call, m *socket.Message) (int, errno.Errno) {
	if e := d.bindAny(); e != errno.OK {
		call.Final = true
		return 0, e
	}
	switch {
	case len(m.Data) > math.MaxUint16:
		return 0, errno.EMSGSIZE
	case m.Flags&socket.MsgOOB != 0:
		return 0, errno.EOPNOTSUPP
	case d.pending != nil:
		return d.appendCorked(call, m)
	}
	to, e := d.target(m.To)
	if e != errno.OK {
		return 0, e
	}
	var own *ownOptions
	if len(m.Control) > 0 {
		if own, e = d.ownOptions(call, m, &to); e != errno.OK {
			return 0, e
		}
	}
	w, e := d.sendWay(&to, udpHeader+len(m.Data), own)
	if e == errno.OK {
		e = d.stopped()
	}
	if e != errno.OK {
		return 0, e
	}
	switch {
	case d.corks(m):
		d.pending = &corked{to: to, way: *w, own: own, data: bytes.Clone(m.Data)}
		return len(m.Data), errno.OK
	case own == nil && d.opts.segment == 0: // as most are
		return d.sendUDP(call, m, m.Data, &to, w, nil)
	}
	return d.dispatch(call, m, m.Data, &to, w, own)
}

// dispatch sends a complete datagram, which m has completed, or several (UDP_SEGMENT).
func (d *datagram) dispatch(call *socket.Call, m *socket.Message, data []byte, to *sockaddr.Addr, w *path, own *ownOptions) (int, errno.Errno) {
	if size := d.segmentSize(own); size != 0 {
		return d.sendSegments(call, m, data, to, w, own, size)
	}
	return d.sendUDP(call, m, data, to, w, own)
}

// sendUDP sends one datagram.
func (d *datagram) sendUDP(call *socket.Call, m *socket.Message, data []byte, to *sockaddr.Addr, w *path, own *ownOptions) (int, errno.Errno) {
	p := d.packet(w, to.IP, own)
	p.UDP = wire.Datagram{SrcPort: d.local.Port(), DstPort: to.Port}
	p.UDP.Payload, p.UDP.Buffer = wire.Copy(data, 0)
	return d.leave(call, m, p, w)
}

// stopped is what keeps a socket from sending: a pending error, or shutdown (sock_alloc_send_skb).
func (d *datagram) stopped() errno.Errno {
	if e := d.sock.TakeError(); e != errno.OK {
		return e
	}
	if d.shut&shutSend != 0 {
		return errno.EPIPE
	}
	return errno.OK
}

// packet returns a packet for the way to an address that carries nothing yet.
func (d *datagram) packet(w *path, to netip.Addr, own *ownOptions) *wire.Packet {
	p := d.stack.newPacket()
	p.Proto, p.Src, p.Dst = wire.Protocol(d.sock.Protocol), w.source, to
	if p.TOS, p.TTL = d.opts.fields(d.stack, to); to.IsMulticast() {
		p.TTL = d.opts.multicastHops(to.Is4())
	}
	if own != nil {
		own.fields(p)
	}
	return p
}

// leave sends p, which carries m.
func (d *datagram) leave(call *socket.Call, m *socket.Message, p *wire.Packet, w *path) (int, errno.Errno) {
	s := d.stack
	if a := s.core.Access; a != nil && !a.Leave(&d.sock.Label, p, w.out.Name, m, call.Trail) {
		p.Free()
		return 0, errno.ECONNREFUSED
	}
	var own *wire.Packet
	out := echo{w.out}
	if d.hearsItself(p, w) {
		own = p.Clone()
	}
	is4 := p.Is4()
	f := s.output(p, *w, nil)
	switch {
	case own == nil:
	case f == sent:
		s.core.Transmit(link.Loopback{}, out, out, own)
	default:
		own.Free()
	}
	if e := d.lost(f, is4); e != errno.OK {
		return 0, e
	}
	return len(m.Data), errno.OK
}

// lost is what the sender of a datagram is told of its fate. When too many neighbours have not answered, Linux tells some
// (6.18: ip6_finish_output2 has an error of its own; udp_send_skb and raw_sendmsg tell of ENOBUFS only with IP_RECVERR).
func (d *datagram) lost(f fate, is4 bool) errno.Errno {
	ping := d.ports == &d.stack.pings
	switch {
	case f == sent:
		return errno.OK
	case f != crowded:
		return d.stack.core.Personality.UDP.Filtered // a filter that drops or rejects tells the sender
	case is4 && (ping || d.opts.recvErr4):
		return errno.ENOBUFS
	case is4 || ping:
		return errno.OK
	default:
		return errno.EINVAL
	}
}

// hearsItself reports whether the host is among those that p is for, which goes to all of them by another interface than lo
// (ip_mc_output, ip6_finish_output2).
func (d *datagram) hearsItself(p *wire.Packet, w *path) bool {
	switch {
	case w.out.loopback:
		return false
	case w.broadcast:
		return true
	}
	loop := storedKey{solIP, ipMulticastLoop}
	if p.Dst.Is6() {
		loop = storedKey{solIPv6, ipv6McastLoop}
	}
	return (inGroup(p.Dst) || p.Dst.IsMulticast() && w.out.hasMembers(p.Dst, p.Src)) && d.opts.kept(loop) != 0
}

// target is where a datagram goes: the address given, else the peer.
func (d *datagram) target(b []byte) (sockaddr.Addr, errno.Errno) {
	if b == nil {
		if !d.remote.IsValid() {
			return sockaddr.Addr{}, errno.EDESTADDRREQ
		}
		return sockaddr.Of(d.remote), errno.OK
	}
	if d.family == sockaddr.Inet && len(b) >= sockaddr.LenInet && sockaddr.FamilyOf(b) == sockaddr.Unspec {
		b = withFamily(sockaddr.Inet, b) // udp_sendmsg takes AF_UNSPEC for AF_INET
	}
	if len(b) < sockaddr.LenFamily {
		return sockaddr.Addr{}, errno.EINVAL
	}
	if d.family == sockaddr.Inet6 && sockaddr.FamilyOf(b) == sockaddr.Unspec {
		return d.target(nil) // udpv6_sendmsg takes AF_UNSPEC for no address at all
	}
	a, e := d.address(b, d.stack.core.Personality.UDP.MappedRefused)
	if e == errno.OK && a.Port == 0 && !d.portless {
		e = errno.EINVAL
	}
	return a, e
}

// Recv implements [socket.Endpoint] (udp_recvmsg): the pending error first, then the next datagram, cut to the room.
func (d *datagram) Recv(call *socket.Call, m *socket.Message) (int, errno.Errno) {
	if m.Flags&socket.MsgErrQueue != 0 {
		return d.errors.recv(d.sock, m)
	}
	if e := d.sock.TakeError(); e != errno.OK {
		return 0, e
	}
	if d.queue.len() == 0 {
		if d.shut&shutRecv != 0 && d.sock.Blocks(call) && m.Flags&socket.MsgDontWait == 0 {
			return 0, errno.OK // only who would wait is told (__skb_wait_for_more_packets)
		}
		return 0, errno.EAGAIN
	}
	r := d.queue.first()
	n := copy(m.Data, r.payload)
	m.Size = len(r.payload)
	m.From = addr(d.family, r.from)
	m.From.Scope = r.scope
	m.Sender, m.SID = r.sender, r.message
	if m.Control = nil; d.annotates() {
		m.Control = d.annotate(r)
	}
	if n < m.Size {
		m.Out |= socket.MsgTrunc
	}
	if m.Flags&socket.MsgPeek == 0 {
		d.bytes -= m.Size + datagramOverhead
		r.buffer.Release()
		d.queue.pop()
	}
	if m.Flags&socket.MsgTrunc != 0 {
		return m.Size, errno.OK
	}
	return n, errno.OK
}

// Ready implements [socket.Endpoint] (datagram_poll).
func (d *datagram) Ready() socket.Events {
	e := socket.Out
	if !d.errors.empty() {
		if e |= socket.Err; d.sock.Options().SelectErrQueue() {
			e |= socket.Pri
		}
	}
	if d.queue.len() > 0 {
		e |= socket.In
	}
	if d.shut&shutRecv != 0 {
		e |= socket.In | socket.RdHup
	}
	if d.shut == shutBoth {
		e |= socket.Hup
	}
	return e
}

// Shutdown implements [socket.Endpoint]: without a peer it is ENOTCONN, and still counts (inet_shutdown).
func (d *datagram) Shutdown(_ *socket.Call, how socket.How) errno.Errno {
	if how.Reads() {
		d.shut |= shutRecv
	}
	if how.Writes() {
		d.shut |= shutSend
	}
	d.sock.Wake(socket.In | socket.Out | socket.RdHup | socket.Hup)
	if !d.remote.IsValid() {
		return errno.ENOTCONN
	}
	return errno.OK
}
