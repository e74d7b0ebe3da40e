// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"net/netip"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/wire"
)

// maxDatagram is the largest payload: 65535 less the IPv4 and UDP headers (RFC 768).
const maxDatagram = 65535 - 20 - 8

// Send implements [socket.Endpoint] (udp_sendmsg): to the address given, or to the peer.
func (d *datagram) Send(call *socket.Call, m *socket.Message) (int, errno.Errno) {
	s := d.stack
	if m.Flags&socket.MsgOOB != 0 {
		return 0, errno.EOPNOTSUPP
	}
	if len(m.Data) > maxDatagram {
		return 0, errno.EMSGSIZE
	}
	to, e := d.target(m.To)
	if e != errno.OK {
		return 0, e
	}
	if e := d.sock.TakeError(); e != errno.OK {
		return 0, e
	}
	if d.shut&shutSend != 0 {
		return 0, errno.EPIPE
	}
	w, source, e := d.way(to, nil)
	if e != errno.OK {
		return 0, e
	}
	if w.broadcast && !d.sock.Options().Broadcast {
		return 0, errno.EACCES
	}
	if d.hold.port == 0 {
		if e := d.bindPort(0, errno.EAGAIN); e != errno.OK {
			return 0, e
		}
	}
	p := wire.NewPacket()
	p.Proto, p.Src, p.Dst, p.TOS, p.TTL = wire.UDP, source, to.IP, d.opts.tos, d.opts.ttl
	p.UDP = wire.Datagram{SrcPort: d.local.Port(), DstPort: to.Port, Payload: append([]byte(nil), m.Data...)}
	if s.output(p, w, nil) == filtered {
		return 0, errno.EPERM // a filter that drops tells the sender (nf_hook_slow's NF_DROP)
	}
	return len(m.Data), errno.OK
}

// target is where a datagram goes: the address given, else the peer.
func (d *datagram) target(b []byte) (sockaddr.Addr, errno.Errno) {
	if b == nil {
		if !d.remote.IsValid() {
			return sockaddr.Addr{}, errno.EDESTADDRREQ
		}
		a := sockaddr.Of(d.remote)
		a.Scope = d.scope
		if a.Port == 0 {
			return a, errno.EINVAL
		}
		return a, errno.OK
	}
	a, mapped, e := parse(d.family, b)
	switch {
	case e == errno.EAFNOSUPPORT && d.family == sockaddr.Inet && a.Family == sockaddr.Unspec:
		e = errno.OK // udp_sendmsg takes AF_UNSPEC for AF_INET
	case e == errno.EAFNOSUPPORT && d.family == sockaddr.Inet6 && a.Family == sockaddr.Inet:
		a, mapped, e = sockaddr.ParseInet(b), true, errno.OK
	}
	if e != errno.OK {
		return a, e
	}
	if mapped && d.hold.v6only {
		return a, errno.ENETUNREACH
	}
	if a.Port == 0 {
		return a, errno.EINVAL
	}
	if a.IP.IsUnspecified() {
		if a.IP.Is4() {
			a.IP = netip.AddrFrom4([4]byte{127, 0, 0, 1})
		} else {
			a.IP = netip.IPv6Loopback()
		}
	}
	return a, errno.OK
}

// Recv implements [socket.Endpoint] (udp_recvmsg): the pending error first, then the next datagram, cut to the room.
func (d *datagram) Recv(_ *socket.Call, m *socket.Message) (int, errno.Errno) {
	if m.Flags&socket.MsgErrQueue != 0 {
		return d.errors.recv(m)
	}
	if e := d.sock.TakeError(); e != errno.OK {
		return 0, e
	}
	if len(d.queue) == 0 {
		if d.shut&shutRecv != 0 {
			return 0, errno.OK
		}
		return 0, errno.EAGAIN
	}
	r := d.queue[0]
	n := copy(m.Data, r.payload)
	m.Size = len(r.payload)
	m.From = addr(d.family, r.from)
	m.From.Scope = r.scope
	if n < len(r.payload) {
		m.Out |= socket.MsgTrunc
	}
	if m.Flags&socket.MsgPeek == 0 {
		d.queue[0] = received{}
		if d.queue = d.queue[1:]; len(d.queue) == 0 {
			d.queue = nil
		}
		d.bytes -= len(r.payload) + datagramOverhead
	}
	if m.Flags&socket.MsgTrunc != 0 {
		return len(r.payload), errno.OK
	}
	return n, errno.OK
}

// Ready implements [socket.Endpoint] (datagram_poll).
func (d *datagram) Ready() socket.Events {
	e := socket.Out
	if len(d.errors.entries) > 0 {
		e |= socket.Err
	}
	if len(d.queue) > 0 {
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

// Option implements [socket.Endpoint].
func (d *datagram) Option(_ *socket.Call, level, name int) ([]byte, errno.Errno) {
	if b, ok := d.hold.option(level, name); ok {
		return b, errno.OK
	}
	if level == solIP && name == ipBindAddressNoPort {
		return socket.Bool(d.opts.bindNoPort), errno.OK
	}
	if level == solTCP {
		return nil, errno.EOPNOTSUPP
	}
	return d.opts.ip(level, name)
}

// SetOption implements [socket.Endpoint].
func (d *datagram) SetOption(_ *socket.Call, level, name int, value []byte) errno.Errno {
	if level == socket.SolSocket && name == socket.SoBindToDevice {
		return d.stack.deviceExists(value)
	}
	if len(value) < 4 {
		return errno.EINVAL
	}
	n := socket.IntValue(value)
	switch {
	case level == solTCP:
		return errno.ENOPROTOOPT
	case level == solIPv6 && name == ipv6V6Only:
		if d.hold.port != 0 {
			return errno.EINVAL
		}
		d.hold.v6only = n != 0
		return errno.OK
	case level == solIP && name == ipBindAddressNoPort:
		d.opts.bindNoPort = n != 0
		return errno.OK
	}
	return d.opts.setIP(level, name, n)
}
