// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"net/netip"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/tcp"
	"dialtone/trail"
)

// Connect implements [socket.Endpoint]: the address's meaning, the route, the source address, the port; then the SYN.
func (c *stream) Connect(call *socket.Call, b []byte) errno.Errno {
	to, e := c.destination(b)
	if e != errno.OK {
		return e
	}
	t := call.Trail
	w, source, e := c.chooseWay(to, t)
	if e != errno.OK {
		return e
	}
	local, e := c.choosePort(source, to, t)
	if e != errno.OK {
		return e
	}
	c.local, c.remote, c.way = local, to, w
	c.open(call)
	return errno.EINPROGRESS
}

// destination reads the address to connect to. The unspecified address stands for this host itself.
func (c *stream) destination(b []byte) (netip.AddrPort, errno.Errno) {
	none := netip.AddrPort{}
	a, mapped, e := parse(c.family, b)
	if e != errno.OK {
		return none, e
	}
	facts := &c.stack.core.Personality.TCP
	if a.Port == 0 && facts.PortZero != errno.OK {
		return none, facts.PortZero
	}
	if mapped && c.hold.v6only {
		return none, errno.ENETUNREACH
	}
	if c.family == sockaddr.Inet6 && !mapped && !a.IP.IsUnspecified() && c.hold.address && c.local.Addr().Is4() {
		return none, errno.ENETUNREACH // bound to an IPv4 address
	}
	if mapped && c.hold.address && c.local.Addr().Is6() && !c.local.Addr().IsUnspecified() {
		return none, errno.ENETUNREACH // bound to an IPv6 address
	}
	switch {
	case a.IP.IsUnspecified():
		a.IP = c.ownAddress(a.IP)
	case a.IP.IsMulticast():
		return none, facts.Multicast
	case c.stack.isBroadcast(a.IP):
		return none, facts.Broadcast
	}
	c.scope = 0
	if a.IP.Is6() && a.IP.IsLinkLocalUnicast() {
		if a.Scope == 0 && c.device() == "" {
			return none, errno.EINVAL // RFC 4007: a link-local address needs its link
		}
		c.scope = a.Scope
	}
	return a.AddrPort(), errno.OK
}

// ownAddress is what the unspecified address means as a destination: the address the socket is bound to, else the
// loopback one.
func (c *stream) ownAddress(any netip.Addr) netip.Addr {
	if c.hold.address && !c.local.Addr().IsUnspecified() {
		return c.local.Addr()
	}
	if any.Is4() || c.local.Addr().Is4() {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return netip.IPv6Loopback()
}

// chooseWay finds the route to a destination, and the address to come from.
func (c *stream) chooseWay(to netip.AddrPort, t *trail.Trail) (path, netip.Addr, errno.Errno) {
	s := c.stack
	device := c.device()
	if i := s.interfaceIndexed(c.scope); i != nil {
		device = i.Name
	}
	w, r, e := s.lookUp(to.Addr(), device)
	if t != nil {
		s.recordRoute(t, to.Addr(), w, r, e)
	}
	if e != errno.OK {
		return path{}, netip.Addr{}, e
	}
	bound := c.local.Addr()
	if !c.hold.address || bound.IsUnspecified() {
		source, e := s.source(w, to.Addr())
		if e == errno.OK && t != nil {
			t.Add(s.core.Now(), trail.Source, "%v, chosen for %s", source, w.out.Name)
		}
		return w, source, e
	}
	switch {
	case bound.Is4() && bound.IsLoopback() && !w.out.loopback:
		e = errno.EINVAL // a loopback address must not appear outside (RFC 1122, 3.2.1.3)
	case s.owner(bound) == nil:
		e = s.core.Personality.IP.NoRoute // bound to an address that is gone
	}
	if t != nil {
		t.Add(s.core.Now(), trail.Source, "%v, bound", bound)
	}
	return w, bound, e
}

func (s *Stack) recordRoute(t *trail.Trail, to netip.Addr, w path, r *Route, e errno.Errno) {
	now := s.core.Now()
	switch {
	case e != errno.OK && r == nil:
		t.Decide(now, trail.Route, "no route to %v: %s", to, e.Name())
	case e != errno.OK:
		t.Decide(now, trail.Route, "%v by the route %v: %s", to, r, e.Name())
	case r == nil:
		t.Add(now, trail.Route, "%v is an address of this host, dev %s", to, w.out.Name)
	default:
		t.Add(now, trail.Route, "%v by the route %v", to, r)
	}
}

// choosePort returns the local end of a connection to a destination: the port held already, or one that no connection
// to this destination uses.
func (c *stream) choosePort(source netip.Addr, to netip.AddrPort, t *trail.Trail) (netip.AddrPort, errno.Errno) {
	s := c.stack
	facts := &s.core.Personality.TCP
	if c.hold.port != 0 {
		local := netip.AddrPortFrom(source, c.hold.port)
		if !s.unused(local, to, true) {
			if t != nil {
				t.Decide(s.core.Now(), trail.Port, "%v to %v exists already: %s", local, to, facts.TupleInUse.Name())
			}
			return netip.AddrPort{}, facts.TupleInUse
		}
		if t != nil {
			t.Add(s.core.Now(), trail.Port, "%d, bound", c.hold.port)
		}
		return local, errno.OK
	}
	y := &s.Sysctl
	start := s.draw(true, words(source), words(to.Addr()), uint64(to.Port()))
	port, ok := search(y.IPLocalPortFirst, y.IPLocalPortLast, start, 0, func(port uint16) bool {
		return !s.tcpPorts.bound(port) && s.unused(netip.AddrPortFrom(source, port), to, false)
	})
	if !ok {
		if t != nil {
			t.Decide(s.core.Now(), trail.Port, "none of %d-%d is free for %v: %s", y.IPLocalPortFirst, y.IPLocalPortLast, to, facts.NoPort.Name())
		}
		return netip.AddrPort{}, facts.NoPort
	}
	c.hold.implicit = true
	c.hold.addr = source
	s.tcpPorts.take(&c.hold, port)
	if t != nil {
		t.Add(s.core.Now(), trail.Port, "%d, chosen", port)
	}
	return netip.AddrPortFrom(source, port), errno.OK
}

// unused reports whether a new connection may have these ends. One in TIME-WAIT may be followed, where timestamps keep
// the two apart (RFC 6191): at once by a bound socket, else as tcp_tw_reuse says.
func (s *Stack) unused(local, remote netip.AddrPort, bound bool) bool {
	old := s.connections[newTuple(local, remote)]
	if old == nil {
		return true
	}
	if old.conn.State() != tcp.TimeWait || old.sock != nil || !s.Sysctl.TCPTimestamps {
		return false
	}
	reuse := s.Sysctl.TCPTwReuse == 1 || s.Sysctl.TCPTwReuse == 2 && s.owner(remote.Addr()) != nil
	if !bound && !reuse {
		return false
	}
	old.conn.Fail()
	old.ended()
	return true
}

// open sends the SYN.
func (c *stream) open(call *socket.Call) {
	s := c.stack
	c.soft, c.syns, c.began = errno.OK, 0, s.core.Now()
	c.enter()
	c.apply()
	iss := s.sequence(c.local, c.remote)
	c.conn.Open(c.now(), s.config(), c.local.Port(), c.remote.Port(), iss, mssFor(c.way.out, c.remote.Addr()))
	c.inCall = true
	s.core.Release(c)
	c.pump()
}

// sequence returns an initial sequence number: it grows with the time, from a place that only this host knows (RFC 6528).
func (s *Stack) sequence(local, remote netip.AddrPort) uint32 {
	ports := uint64(local.Port())<<16 | uint64(remote.Port())
	return uint32(s.draw(false, words(local.Addr()), words(remote.Addr()), ports)) + uint32(s.core.Now().Microseconds()/4)
}

// mssFor returns what an interface's MTU leaves for the payload of a segment (RFC 9293, 3.7.1).
func mssFor(out *Interface, to netip.Addr) uint16 {
	headers := 20 + 20
	if to.Is6() {
		headers = 40 + 20
	}
	return uint16(min(max(out.MTU()-headers, 536), 65535-headers))
}

// Disconnect implements [socket.Endpoint] (tcp_disconnect): the connection ends, with a reset where the peer knows of
// it, and the socket's next error is ECONNRESET where there was anything to end. What bind fixed stays.
func (c *stream) Disconnect(*socket.Call) errno.Errno {
	if c.queue != nil {
		c.stopListening()
	} else {
		switch c.conn.State() {
		case tcp.Closed, tcp.TimeWait, tcp.LastAck, tcp.Closing:
		default:
			c.sock.SetError(errno.ECONNRESET)
		}
	}
	c.conn.Abort()
	c.pump()
	c.forget()
	c.conn = tcp.Conn{}
	c.shut, c.soft = 0, errno.OK
	c.remote, c.way = netip.AddrPort{}, path{}
	if !c.hold.number {
		c.stack.tcpPorts.drop(&c.hold)
	}
	if !c.hold.address {
		c.local = netip.AddrPortFrom(wildcard(c.family), c.local.Port())
	}
	return errno.OK
}
