// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"net/netip"
	"slices"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/trail"
	"dialtone/wire"
)

// datagram is the endpoint of a UDP socket.
type datagram struct {
	stack  *Stack
	sock   *socket.Socket
	family sockaddr.Family
	hold   hold

	local    netip.AddrPort
	remote   netip.AddrPort // of an associated socket; invalid: none
	portless bool           // associated with port 0, which getpeername does not show
	scope    uint32
	chosen   bool // the local address was chosen by connect

	queue  []received
	bytes  int // in queue
	shut   shutdown
	errors errorQueue
	opts   streamOptions
}

// received is a datagram that waits to be read.
type received struct {
	from    netip.AddrPort
	scope   uint32
	payload []byte
}

func (s *Stack) newDatagram(sock *socket.Socket) *datagram {
	d := &datagram{stack: s, sock: sock, family: sock.Family}
	d.local = netip.AddrPortFrom(wildcard(d.family), 0)
	d.hold.sock = sock
	d.hold.v6only = s.Sysctl.IPv6BindV6Only
	return d
}

// Bind implements [socket.Endpoint].
func (d *datagram) Bind(call *socket.Call, b []byte) errno.Errno {
	a, _, e := parseBind(d.family, b, d.hold.v6only)
	if e != errno.OK {
		return e
	}
	if e := d.stack.mayBind(call, a, d.sock); e != errno.OK {
		return e
	}
	if d.hold.port != 0 {
		return errno.EINVAL
	}
	if call.Caller != nil {
		d.hold.uid = call.Caller.UID
	}
	d.scope = a.Scope
	before := d.local
	d.local = netip.AddrPortFrom(a.IP, 0)
	if e := d.bindPort(a.Port, errno.EADDRINUSE); e != errno.OK {
		d.local = before
		return e
	}
	d.hold.address = !a.IP.IsUnspecified()
	d.hold.number = a.Port != 0
	return errno.OK
}

// bindPort takes a port for the local address; 0 is any that is free, and none the error if there is none.
func (d *datagram) bindPort(port uint16, none errno.Errno) errno.Errno {
	s := d.stack
	d.hold.addr = d.local.Addr()
	if port == 0 {
		y := &s.Sysctl
		var ok bool
		port, ok = search(y.IPLocalPortFirst, y.IPLocalPortLast, s.draw(true), 0, func(p uint16) bool {
			return s.udpPorts.held[p] == nil
		})
		if !ok {
			return none
		}
	} else if !s.udpPorts.free(&d.hold, port, true) {
		return errno.EADDRINUSE
	}
	s.udpPorts.take(&d.hold, port)
	s.datagrams[port] = append(s.datagrams[port], d)
	d.local = netip.AddrPortFrom(d.local.Addr(), port)
	return errno.OK
}

// release lets the port go.
func (d *datagram) release() {
	s := d.stack
	port := d.hold.port
	if port == 0 {
		return
	}
	if all := slices.DeleteFunc(s.datagrams[port], func(o *datagram) bool { return o == d }); len(all) == 0 {
		delete(s.datagrams, port)
	} else {
		s.datagrams[port] = all
	}
	s.udpPorts.drop(&d.hold)
}

// Connect implements [socket.Endpoint]: it names the peer, or dissolves the association with AF_UNSPEC. The implicit
// port comes first, so that it is taken even if the rest fails (__ip4_datagram_connect and udp_pre_connect).
func (d *datagram) Connect(call *socket.Call, b []byte) errno.Errno {
	if len(b) < sockaddr.LenFamily {
		return errno.EINVAL
	}
	facts := &d.stack.core.Personality.UDP
	if sockaddr.FamilyOf(b) == sockaddr.Unspec {
		d.dissolve()
		return facts.DissolveReply
	}
	if d.hold.port == 0 {
		if e := d.bindPort(0, facts.NoPort); e != errno.OK {
			return e
		}
	}
	a, mapped, e := parse(d.family, b)
	if e == errno.EAFNOSUPPORT && d.family == sockaddr.Inet6 && a.Family == sockaddr.Inet {
		a, mapped, e = sockaddr.ParseInet(b), true, errno.OK // Linux takes a sockaddr_in there
	}
	if e != errno.OK {
		return e
	}
	if mapped && d.hold.v6only {
		return errno.ENETUNREACH
	}
	if a.Port == 0 && facts.PortZero != errno.OK {
		return facts.PortZero
	}
	return d.associate(call, a)
}

// associate makes a the peer, if there is a way to it.
func (d *datagram) associate(call *socket.Call, a sockaddr.Addr) errno.Errno {
	s, t := d.stack, call.Trail
	if a.IP.IsUnspecified() {
		if a.IP.Is4() {
			a.IP = netip.AddrFrom4([4]byte{127, 0, 0, 1})
		} else {
			a.IP = netip.IPv6Loopback()
		}
	}
	w, source, e := d.way(a, t)
	if e != errno.OK {
		return e
	}
	if w.broadcast && !d.sock.Options().Broadcast && s.core.Personality.UDP.Broadcast != errno.OK {
		return s.core.Personality.UDP.Broadcast
	}
	if !d.hold.address && (d.local.Addr().IsUnspecified() || d.chosen) {
		d.local = netip.AddrPortFrom(source, d.hold.port)
		d.hold.addr = source
		d.chosen = true
	}
	d.remote, d.scope = a.AddrPort(), a.Scope
	d.portless = a.Port == 0
	if t != nil {
		t.Decide(s.core.Now(), trail.State, "associated with %v; nothing was sent", d.remote)
	}
	return errno.OK
}

// way finds the route to an address and the source address.
func (d *datagram) way(a sockaddr.Addr, t *trail.Trail) (path, netip.Addr, errno.Errno) {
	s := d.stack
	device := d.sock.Options().Device
	if a.IP.Is6() && a.IP.IsLinkLocalUnicast() {
		if i := s.interfaceIndexed(a.Scope); i != nil {
			device = i.Name
		} else if device == "" {
			return path{}, netip.Addr{}, errno.EINVAL
		}
	}
	w, r, e := s.lookUp(a.IP, device)
	if t != nil {
		s.recordRoute(t, a.IP, w, r, e)
	}
	if e != errno.OK {
		return path{}, netip.Addr{}, e
	}
	bound := d.local.Addr()
	if bound.IsUnspecified() || d.chosen && !d.hold.address {
		source, e := s.source(w, a.IP)
		return w, source, e
	}
	if bound.Is4() && bound.IsLoopback() && !w.out.loopback {
		return path{}, netip.Addr{}, errno.EINVAL
	}
	return w, bound, errno.OK
}

// dissolve ends the association. What bind fixed stays; an implicit port is let go (__udp_disconnect).
func (d *datagram) dissolve() {
	d.remote, d.portless = netip.AddrPort{}, false
	if d.chosen {
		d.local = netip.AddrPortFrom(wildcard(d.family), d.hold.port)
		d.hold.addr = d.local.Addr()
		d.chosen = false
	}
	if !d.hold.number {
		d.release()
		d.local = netip.AddrPortFrom(d.local.Addr(), 0)
	}
}

// Disconnect implements [socket.Endpoint].
func (d *datagram) Disconnect(*socket.Call) errno.Errno {
	d.dissolve()
	return errno.OK
}

// Name implements [socket.Endpoint].
func (d *datagram) Name() sockaddr.Addr { return addr(d.family, d.local) }

// Peer implements [socket.Endpoint].
func (d *datagram) Peer() (sockaddr.Addr, errno.Errno) {
	if !d.remote.IsValid() || d.portless {
		return sockaddr.Addr{}, errno.ENOTCONN
	}
	a := addr(d.family, d.remote)
	if a.IP.Is6() && a.IP.IsLinkLocalUnicast() {
		a.Scope = d.scope
	}
	return a, errno.OK
}

// Listen implements [socket.Endpoint]; the socket layer refuses it before.
func (d *datagram) Listen(*socket.Call, int) errno.Errno { return errno.EOPNOTSUPP }

// Accept implements [socket.Endpoint]; the socket layer refuses it before.
func (d *datagram) Accept(*socket.Call, *socket.Socket) (socket.Endpoint, errno.Errno) {
	return nil, errno.EOPNOTSUPP
}

// Close implements [socket.Endpoint].
func (d *datagram) Close(*socket.Call) {
	d.release()
	d.queue = nil
}

// datagramFor returns the socket that a datagram from remote to local is for: the one with the most that fits.
func (s *Stack) datagramFor(local, remote netip.AddrPort) *datagram {
	var best *datagram
	most := -1
	for _, d := range s.datagrams[local.Port()] {
		if !d.hold.covers(local.Addr()) || d.remote.IsValid() && d.remote != remote {
			continue
		}
		score := 0
		if d.hold.addr == local.Addr() {
			score++
		}
		if d.remote.IsValid() {
			score += 2
		}
		if score > most {
			best, most = d, score
		}
	}
	return best
}

// inputUDP takes a datagram in.
func (s *Stack) inputUDP(p *wire.Packet, in *Interface) {
	local := netip.AddrPortFrom(p.Dst, p.UDP.DstPort)
	remote := netip.AddrPortFrom(p.Src, p.UDP.SrcPort)
	if p.Dst.IsMulticast() || s.isBroadcast(p.Dst) {
		for _, d := range s.datagrams[local.Port()] {
			if d.hold.covers(local.Addr()) && (!d.remote.IsValid() || d.remote == remote) {
				d.input(p, in)
			}
		}
		return
	}
	d := s.datagramFor(local, remote)
	if d == nil {
		typ, code := icmpPortUnreachable.of(p)
		s.sendICMPError(p, typ, code, 0)
		return
	}
	d.input(p, in)
}

// input queues a datagram; one that finds no room is lost.
func (d *datagram) input(p *wire.Packet, in *Interface) {
	if dev := d.sock.Options().Device; dev != "" && dev != in.Name {
		return
	}
	size := len(p.UDP.Payload)
	if d.bytes > 0 && d.bytes+size > d.sock.ReceiveBuffer() {
		return
	}
	r := received{from: netip.AddrPortFrom(p.Src, p.UDP.SrcPort), payload: p.UDP.Payload}
	if p.Src.Is6() && p.Src.IsLinkLocalUnicast() {
		r.scope = uint32(in.Index)
	}
	d.queue = append(d.queue, r)
	d.bytes += size + datagramOverhead
	d.sock.Wake(socket.In)
}

// datagramOverhead is what the bookkeeping of one datagram counts in SO_RCVBUF, in bytes; it bounds how many empty ones
// can wait. Linux counts the size of its buffer descriptor, which is larger.
const datagramOverhead = 256

// heard takes an ICMP error about one of the socket's datagrams (udp_err).
func (d *datagram) heard(h *heard) {
	if d.opts.recvErr {
		d.errors.add(h)
	} else if !d.remote.IsValid() || !h.meaning.UDP {
		return
	}
	d.sock.SetError(h.meaning.Errno)
}
