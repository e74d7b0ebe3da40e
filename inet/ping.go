// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"encoding/binary"
	"math"
	"net/netip"
	"slices"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/wire"
)

// ping is the endpoint of a ping socket (icmp(7)): it sends echo requests and reads the replies to them. The identifier
// of its echoes is its port.
type ping struct{ datagram }

func (s *Stack) newPing(call *socket.Call, sock *socket.Socket) (*ping, errno.Errno) {
	if call.Caller != nil && !s.Sysctl.mayPing(call.Caller) {
		return nil, s.core.Personality.IP.NoPing
	}
	d := &ping{*s.newDatagram(sock)}
	d.ports = &s.pings
	d.portless = true
	d.hold.v6only = sock.Family == sockaddr.Inet6
	sock.Options().ReuseAddr = true // INET_PROTOSW_REUSE
	return d, errno.OK
}

// mayPing reports whether one of the caller's groups may have ping sockets (ping_init_sock).
func (y *Sysctl) mayPing(c *socket.Caller) bool {
	in := func(gid uint32) bool { return y.PingGroupFirst <= gid && gid <= y.PingGroupLast }
	return in(c.GID) || slices.ContainsFunc(c.Groups, in)
}

// Bind implements [socket.Endpoint] (ping_bind): any identifier is anybody's.
func (d *ping) Bind(call *socket.Call, b []byte) errno.Errno {
	s := d.stack
	if len(b) < fullLen(d.family) {
		return errno.EINVAL
	}
	a, mapped, e := s.parseBind(d.family, b, false)
	if e != errno.OK {
		return e
	}
	switch multicast := a.IP.IsMulticast(); {
	case mapped, multicast && a.IP.Is6(), needsScope(a.IP) && a.Scope == 0:
		return errno.EINVAL
	case multicast, s.isBroadcast(a.IP):
		return errno.EADDRNOTAVAIL
	}
	if needsScope(a.IP) {
		i := s.interfaceIndexed(a.Scope)
		switch {
		case i == nil:
			return errno.ENODEV
		case !i.Answers(a.IP) && !d.opts.freeBind && !d.opts.transparent:
			return errno.EADDRNOTAVAIL
		}
		d.sock.Options().SetDevice(i.Name) // even if the socket can't be bound again
	}
	address := a
	address.Port = 0
	if e := s.mayBind(call, address, d.sock, &d.opts, false); e != errno.OK {
		return e
	}
	if d.hold.port != 0 {
		return errno.EINVAL
	}
	before := d.local
	d.local = netip.AddrPortFrom(a.IP, 0)
	if e := d.bindPort(a.Port, errno.EADDRINUSE); e != errno.OK {
		d.local = before
		return e
	}
	d.hold.address, d.hold.number = !a.IP.IsUnspecified(), a.Port != 0
	return errno.OK
}

// Send implements [socket.Endpoint] (ping_v4_sendmsg, ping_v6_sendmsg): an echo request, header and text. The kernel fills
// in its identifier and its checksum.
func (d *ping) Send(call *socket.Call, m *socket.Message) (int, errno.Errno) {
	if e := d.bindAny(); e != errno.OK {
		call.Final = true
		return 0, e
	}
	icmp := wire.Protocol(d.sock.Protocol)
	switch {
	case len(m.Data) > math.MaxUint16:
		return 0, errno.EMSGSIZE
	case len(m.Data) < echoHeader:
		return 0, errno.EINVAL
	case m.Flags&socket.MsgOOB != 0:
		return 0, errno.EOPNOTSUPP
	case m.Data[0] != echoRequest(icmp) || m.Data[1] != 0:
		return 0, errno.EINVAL
	case m.To != nil && len(m.To) < leastLen(d.family):
		return 0, errno.EINVAL
	case m.To != nil && sockaddr.FamilyOf(m.To) != d.family:
		return 0, errno.EAFNOSUPPORT
	}
	if m.To != nil && d.family == sockaddr.Inet6 {
		switch to := sockaddr.ParseInet6(m.To); {
		case to.IP.Is4In6(), needsScope(to.IP) && !d.stack.scopeFits(d.sock, to.Scope):
			return 0, errno.EINVAL
		case to.IP.IsUnspecified():
			return 0, d.stack.core.Personality.IP.NoRoute // only connect takes it for the host itself (ping_v6_sendmsg)
		}
	}
	to, e := d.target(m.To)
	if e != errno.OK {
		return 0, e
	}
	own, e := d.ownOptions(call, m, &to)
	if e != errno.OK {
		return 0, e
	}
	w, e := d.sendWay(&to, len(m.Data), own)
	if e == errno.OK {
		e = d.stopped()
	}
	if e != errno.OK {
		return 0, e
	}
	p := d.packet(w, to.IP, own)
	p.ICMP = wire.Message{
		Type: echoRequest(icmp), Info: uint32(d.local.Port())<<16 | uint32(binary.BigEndian.Uint16(m.Data[6:])),
		Payload: slices.Clone(m.Data[echoHeader:]),
	}
	return d.leave(call, m, p, w)
}

// echoHeader is the length of an echo's header: type, code, checksum, identifier, sequence number (RFC 792, RFC 4443).
const echoHeader = 8

// pinging returns the ping socket that an echo from local with an identifier, or the reply to it that came by in, belongs
// to: of several the one that took the identifier last (ping_lookup).
func (s *Stack) pinging(local netip.Addr, identifier uint16, in *Interface) *datagram {
	for _, d := range slices.Backward(s.pings.bound[identifier]) {
		dev := d.sock.Options().Device()
		if local.Is4() == (d.family == sockaddr.Inet) && d.hold.covers(local) && (dev == "" || dev == s.arrival(in, local)) {
			return d
		}
	}
	return nil
}

// inputEcho takes the reply to an echo in.
func (s *Stack) inputEcho(p *wire.Packet, in *Interface) {
	d := s.pinging(p.Dst, uint16(p.ICMP.Info>>16), in)
	if d == nil {
		return
	}
	if sender, message, admission := d.mayArrive(p, in); admission == socket.Admit {
		d.push(&received{from: netip.AddrPortFrom(p.Src, 0), sender: sender, message: message, payload: carried(p)}, p, in)
	}
}
