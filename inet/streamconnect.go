// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"net/netip"
	"time"

	"dialtone/errno"
	"dialtone/personality"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/tcp"
	"dialtone/trail"
)

// Connect implements [socket.Endpoint]: the address's meaning, the route, the source address, the port; then the SYN.
func (c *stream) Connect(call *socket.Call, b []byte) errno.Errno {
	facts := &c.stack.core.Personality.TCP
	to, e := c.destination(b)
	if e != errno.OK {
		return e
	}
	t := call.Trail
	w, e := c.chooseWay(to, t)
	if e != errno.OK {
		return e
	}
	c.label().Associate(call.Wanted)
	local, e := c.choosePort(w.source, to, t)
	if e != errno.OK {
		return e
	}
	call.ToItself = local == to
	if call.ToItself && facts.SelfConnect != errno.OK {
		return facts.SelfConnect
	}
	if e := c.mayOpen(w, local, to, t); e != errno.OK {
		return e
	}
	c.local, c.remote, c.way = local, to, w.hop()
	if c.opts.fastConnect && call.Text == nil && c.mayDefer() {
		c.deferred = true
		c.enter()
		c.sock.Defer()
		return errno.OK
	}
	c.open(call)
	if c.filtered && facts.Filtered != errno.OK {
		c.Disconnect(call)
		c.sock.TakeError() // nothing was reset
		return facts.Filtered
	}
	return errno.EINPROGRESS
}

// destination reads the address to connect to: its length, the control group's hook, then what it means. The unspecified
// address stands for this host itself.
func (c *stream) destination(b []byte) (netip.AddrPort, errno.Errno) {
	none := netip.AddrPort{}
	if len(b) < leastLen(c.family) {
		return none, errno.EINVAL
	}
	if e := c.stack.mayConnect(c.family); e != errno.OK {
		return none, e
	}
	facts, ip := &c.stack.core.Personality.TCP, &c.stack.core.Personality.IP
	if ip.UnspecIsInet && c.family == sockaddr.Inet && len(b) == sockaddr.LenInet && sockaddr.FamilyOf(b) == sockaddr.Unspec {
		b = withFamily(sockaddr.Inet, b)
	}
	a, mapped, e := c.stack.parse(c.family, b)
	if e != errno.OK {
		return none, e
	}
	switch {
	case a.IP.IsMulticast():
		return none, facts.Multicast
	case a.IP == limitedBroadcast:
		return none, facts.Broadcast
	case c.sock.State() == personality.Dead && c.conn.State() == tcp.TimeWait:
		return none, facts.InTimeWait
	case c.sock.State() == personality.Dead && facts.WhenDead != errno.OK:
		return none, facts.WhenDead
	case facts.BindsFirst && c.hold.port == 0 && c.bindPort(0) != errno.OK:
		return none, facts.NoPort
	case a.Port == 0 && facts.PortZero != errno.OK:
		return none, facts.PortZero
	}
	a.IP = c.stack.meant(a.IP, c.local.Addr(), c.device())
	switch {
	case c.broadcast(a.IP):
		return none, facts.SubnetBroadcast
	case mapped && c.hold.onlyIPv6():
		return none, facts.MappedRefused
	case a.IP.IsLinkLocalUnicast() && a.IP.Is6():
		if e := c.stack.connectScope(c.sock, a.Scope); e != errno.OK {
			return none, e
		}
	}
	c.lost = c.mapped && a.IP.Is6() && facts.MappedSticks
	c.mapped = c.mapped || mapped
	return a.AddrPort(), errno.OK
}

// meant returns what a destination means to a socket at the address local: the unspecified IPv4 address is the one that
// the socket is bound to, else the first of the device that it is bound to, else loopback (ip_route_output_key_hash_rcu);
// that of IPv6 is always loopback. On other systems both it and the limited broadcast are those of the host's first
// interface (in_pcbladdr).
func (s *Stack) meant(to, local netip.Addr, device string) netip.Addr {
	if s.core.Personality.IP.AnyIsFirst && to.Is4() {
		return s.first(to)
	}
	switch {
	case !to.IsUnspecified():
		return to
	case to.Is4() && !local.IsUnspecified() && local.Is4() && !local.IsMulticast() && !s.isBroadcast(local):
		return local
	case to.Is4():
		if i := s.interfaceNamed(device); i != nil {
			return i.first4()
		}
		return loopback4
	case local.Is4(): // an AF_INET6 socket with an IPv4 address
		return loopback4
	}
	return netip.IPv6Loopback()
}

// broadcast reports whether ip is the broadcast address of a network that the socket may send to.
func (c *stream) broadcast(ip netip.Addr) bool {
	q := c.query(ip, netip.Addr{})
	return c.stack.broadcastOn(&q) != nil
}

// first returns the host's first IPv4 address for the unspecified one, and the first broadcast address for the limited
// one; any other address is itself.
func (s *Stack) first(to netip.Addr) netip.Addr {
	if !to.IsUnspecified() && to != limitedBroadcast {
		return to
	}
	for _, i := range s.interfaces {
		for _, p := range i.prefixes {
			switch {
			case !p.Addr().Is4():
			case to.IsUnspecified():
				return p.Addr()
			case !i.loopback:
				return BroadcastOf(p)
			}
		}
	}
	return to
}

// first4 returns the interface's first IPv4 address, the loopback address if it has none (inet_select_addr).
func (i *Interface) first4() netip.Addr {
	for _, p := range i.prefixes {
		if p.Addr().Is4() {
			return p.Addr()
		}
	}
	return loopback4
}

var loopback4 = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// chooseWay finds the route to a destination, and the address to come from.
func (c *stream) chooseWay(to netip.AddrPort, t *trail.Trail) (path, errno.Errno) {
	s := c.stack
	bound := netip.Addr{}
	if c.hold.address {
		bound = c.local.Addr()
	}
	q := c.query(to.Addr(), bound)
	if t == nil {
		e := s.lookUpAgain(&s.there, &q)
		return s.there.way, e
	}
	w, r, e := s.lookUp(q)
	s.recordRoute(t, to.Addr(), w, r, e)
	switch {
	case e != errno.OK:
	case bound.IsValid() && !bound.IsUnspecified():
		t.Add(s.core.Now(), trail.Source, "%v, bound", bound)
	default:
		t.Add(s.core.Now(), trail.Source, "%v, chosen for %s", w.source, w.out.Name)
	}
	return w, e
}

func (s *Stack) recordRoute(t *trail.Trail, to netip.Addr, w path, r *Route, e errno.Errno) {
	now := s.core.Now()
	switch {
	case e != errno.OK && r == nil:
		t.Decide(now, trail.Route, "no route to %v%s: %s", to, s.ownCrash(), e.Name())
	case e != errno.OK:
		t.Decide(now, trail.Route, "%v by the route %v: %s", to, r, e.Name())
	case w.local:
		t.Add(now, trail.Route, "%v is an address of this host, dev %s", to, w.out.Name)
	case r == nil:
		t.Add(now, trail.Route, "%v counts as on the link of %s", to, w.out.Name)
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
	first, last := c.opts.portRange(&s.Sysctl)
	// RFC 6056, 3.3.3: from a place that the destination decides, and on from there with each connection, so that the
	// next port is nearly always free, however many are not.
	start := s.draw(false, words(source), words(to.Addr()), uint64(to.Port())) + 2*s.portsGiven
	s.portsGiven++
	port, ok := search(first, last, start, 0, func(port uint16) bool {
		return !s.tcpPorts.bound(port) && !s.Sysctl.reserves(port) && s.unused(netip.AddrPortFrom(source, port), to, false)
	})
	if !ok {
		if t != nil {
			t.Decide(s.core.Now(), trail.Port, "none of %d-%d is free for %v: %s", first, last, to, facts.NoPort.Name())
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
	old := s.connections.find(local, remote)
	if old == nil {
		return true
	}
	if old.conn.State() != tcp.TimeWait || old.sock != nil || !s.Sysctl.TCPTimestamps {
		return false
	}
	reuse := s.Sysctl.TCPTwReuse == 1 || s.Sysctl.TCPTwReuse == 2 && s.owner(remote.Addr()) != nil
	if !bound && (!reuse || s.core.NowLocked()-old.began <= twReuseDelay) {
		return false
	}
	old.conn.Fail()
	old.ended()
	return true
}

// twReuseDelay is how long TIME-WAIT lasts at least for an implicit port (net.ipv4.tcp_tw_reuse_delay).
const twReuseDelay = time.Second

// open sends the SYN. An error that pended is forgotten (tcp_connect_init).
func (c *stream) open(call *socket.Call) {
	s := c.stack
	c.sock.TakeError()
	c.deferred = false
	c.syns, c.began, c.waits = 0, s.core.NowLocked(), false
	c.enter()
	c.apply(c.sock)
	iss := s.sequence(c.local, c.remote)
	c.conn.Open(c.now(), c.config(c.remote.Addr()), c.local.Port(), c.remote.Port(), iss, c.findMSS())
	c.openFast(call)
	c.inCall = true
	s.core.Release(c)
	c.pump()
}

// sequence returns an initial sequence number: it grows with the time, from a place that only this host knows (RFC 6528).
func (s *Stack) sequence(local, remote netip.AddrPort) uint32 {
	ports := uint64(local.Port())<<16 | uint64(remote.Port())
	return uint32(s.draw(false, words(local.Addr()), words(remote.Addr()), ports)) + uint32(s.core.NowLocked().Microseconds()/4)
}
