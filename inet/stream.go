// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"net/netip"
	"time"

	"dialtone/clock"
	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/tcp"
	"dialtone/trail"
	"dialtone/wire"
)

// stream is the endpoint of a TCP socket: a connection, or a listener, or nothing yet. A connection outlives its socket
// until TCP is done with it, and precedes it while it waits to be accepted.
type stream struct {
	stack  *Stack
	sock   *socket.Socket // nil: orphaned by close, or not accepted yet
	family sockaddr.Family
	conn   tcp.Conn
	hold   hold

	// local and remote are the ends; IPv4 is never mapped here. The port of local stays for getsockname when the hold
	// on it is gone.
	local, remote netip.AddrPort
	scope         uint32
	way           path // to remote
	known         bool // in stack.connections

	shut   shutdown
	parent *stream   // the listener, while this waits to be accepted
	queue  *listener // of a listener
	timer  clock.Event
	soft   errno.Errno // an error that was noted, for the end of the retries
	inCall bool        // the call that sent the SYN has not let the lock go yet
	errors errorQueue
	opts   streamOptions
	syns   int           // SYNs sent, for the trail
	began  time.Duration // when connect was called
}

// shutdown is which halves of a connection are over, as poll and recv see it (sk_shutdown).
type shutdown uint8

const (
	shutRecv shutdown = 1 << iota
	shutSend
	shutBoth = shutRecv | shutSend
)

func (s *Stack) newStream(sock *socket.Socket) *stream {
	c := &stream{stack: s, sock: sock, family: sock.Family}
	c.local = netip.AddrPortFrom(wildcard(c.family), 0)
	c.hold.sock = sock
	c.hold.v6only = s.Sysctl.IPv6BindV6Only
	c.timer.Func = c.tick
	return c
}

// now returns the time as package tcp wants it: never 0.
func (c *stream) now() time.Duration { return c.stack.core.Now() + 1 }

// Name implements [socket.Endpoint].
func (c *stream) Name() sockaddr.Addr {
	a := addr(c.family, c.local)
	a.Scope = c.linkScope(a.IP)
	return a
}

func (c *stream) linkScope(ip netip.Addr) uint32 {
	if ip.Is6() && ip.IsLinkLocalUnicast() {
		return c.scope
	}
	return 0
}

// Peer implements [socket.Endpoint].
func (c *stream) Peer() (sockaddr.Addr, errno.Errno) {
	switch c.conn.State() {
	case tcp.Closed, tcp.SynSent:
		return sockaddr.Addr{}, errno.ENOTCONN
	}
	a := addr(c.family, c.remote)
	a.Scope = c.linkScope(a.IP)
	return a, errno.OK
}

// pump sends what the connection has to send, and sees to its next deadline. It is called after everything that may
// have given it something to do.
func (c *stream) pump() {
	now := c.now()
	for {
		p := wire.NewPacket()
		if !c.conn.Next(now, &p.TCP) {
			p.Free()
			break
		}
		p.Proto, p.Src, p.Dst = wire.TCP, c.local.Addr(), c.remote.Addr()
		p.TOS = c.opts.tos
		p.TTL = c.opts.ttl
		c.transmit(p)
	}
	c.arm()
}

// transmit sends one segment of the connection.
func (c *stream) transmit(p *wire.Packet) {
	t := c.trail()
	if p.TCP.Flags.Has(wire.SYN) && !p.TCP.Flags.Has(wire.ACK) {
		c.syns++
		if t != nil {
			t.Add(c.stack.core.Now(), trail.Sent, "SYN %d to %v", c.syns, c.remote)
		}
		if c.syns > 1 {
			c.reroute()
		}
	}
	if c.way.out == nil { // the route is gone: what is sent is lost
		p.Free()
		return
	}
	c.stack.output(p, c.way, t)
}

// reroute looks the way up again before a SYN is sent again. If there is none any more the SYN is lost, and the reason
// noted: it becomes the error when the retries have run out.
func (c *stream) reroute() {
	w, _, e := c.stack.lookUp(c.remote.Addr(), c.device())
	if e == errno.OK && c.stack.owner(c.local.Addr()) == nil {
		e = c.stack.core.Personality.IP.NoRoute // the source address is gone
	}
	if e != errno.OK {
		c.soft, w = e, path{}
	}
	c.way = w
}

func (c *stream) device() string {
	if c.sock == nil {
		return ""
	}
	return c.sock.Options().Device
}

// trail returns the trail of the connect under way, nil if nobody wants it.
func (c *stream) trail() *trail.Trail {
	if c.sock == nil {
		return nil
	}
	return c.sock.Trail()
}

// arm makes the timer due no later than the connection wants. One that is due too early does no harm, so it is moved
// only forward in time.
func (c *stream) arm() {
	at, ok := c.conn.Deadline()
	if !ok {
		return
	}
	at-- // see now
	if !c.timer.Set() || at < c.timer.At() {
		c.stack.core.After(&c.timer, at)
	}
}

func (c *stream) tick() {
	c.handle(c.conn.Tick(c.now()))
	c.pump()
}

// receive takes a segment in; again says that it is for the listener now.
func (c *stream) receive(p *wire.Packet) (again bool) {
	seg := &p.TCP
	if c.parent != nil && c.conn.State() == tcp.SynReceived && !c.parent.admits(c, seg) {
		return false
	}
	if t := c.trail(); t != nil {
		c.recordReceived(t, seg)
	}
	ev := c.conn.Receive(c.now(), seg)
	if ev&tcp.Refuse != 0 {
		if rst, ok := tcp.ResetFor(seg); ok {
			c.stack.answer(p, func(a *wire.Packet) { a.Proto, a.TCP = wire.TCP, rst })
		}
	}
	c.handle(ev)
	c.pump()
	return ev&tcp.Reopen != 0
}

func (c *stream) recordReceived(t *trail.Trail, seg *wire.Segment) {
	now := c.stack.core.Now()
	switch {
	case seg.Flags.Has(wire.RST):
		t.Decide(now, trail.Received, "RST from %v: nobody listens there, or the connection was reset", c.remote)
	case seg.Flags.Has(wire.SYN | wire.ACK):
		t.Decide(now, trail.Received, "SYN-ACK from %v", c.remote)
	case seg.Flags.Has(wire.SYN):
		t.Add(now, trail.Received, "SYN from %v: both ends connect at once", c.remote)
	}
}

// handle tells the socket what happened in its connection.
func (c *stream) handle(ev tcp.Events) {
	if ev == 0 {
		return
	}
	if ev&tcp.PeerClosed != 0 {
		c.shut |= shutRecv
	}
	if ev&tcp.Ended != 0 {
		c.ended()
		return
	}
	if ev&tcp.Connected != 0 {
		if c.parent != nil {
			c.parent.established(c)
		} else if c.sock != nil {
			c.sock.Established()
		}
	}
	if c.sock == nil {
		return
	}
	var e socket.Events
	if ev&(tcp.Readable|tcp.PeerClosed) != 0 {
		e |= socket.In
	}
	if ev&tcp.PeerClosed != 0 {
		e |= socket.RdHup
	}
	if ev&tcp.Writable != 0 {
		e |= socket.Out
	}
	if e != 0 {
		c.sock.Wake(e)
	}
}

// ended lets go of everything the connection held, and tells the socket why it ended.
func (c *stream) ended() {
	c.forget()
	reason := c.conn.Reason()
	c.shut = shutBoth
	e := c.errnoOf(reason)
	if c.parent != nil {
		c.parent.childEnded(c)
	}
	if c.sock == nil {
		c.stack.tcpPorts.drop(&c.hold)
		return
	}
	if !c.hold.number {
		c.stack.tcpPorts.drop(&c.hold)
	}
	if t := c.trail(); t != nil && reason == tcp.TimedOut {
		t.Decide(c.stack.core.Now(), trail.Timer, "no answer to %d SYNs within %v: %s", c.syns, c.stack.core.Now()-c.began, e.Name())
	}
	if e == errno.OK {
		c.sock.Wake(socket.In | socket.Out | socket.Hup | socket.RdHup)
		return
	}
	c.sock.Fail(e, reason.String())
}

// errnoOf is what a socket says about the end of its connection.
func (c *stream) errnoOf(r tcp.Reason) errno.Errno {
	switch r {
	case tcp.Refused:
		return errno.ECONNREFUSED
	case tcp.Reset, tcp.ResetHandshake:
		return errno.ECONNRESET
	case tcp.ResetAfterFIN:
		return errno.EPIPE
	case tcp.TimedOut:
		if c.soft != errno.OK {
			return c.soft
		}
		return errno.ETIMEDOUT
	case tcp.Failed:
		return c.soft
	}
	return errno.OK
}

// forget takes the connection out of the demultiplexer.
func (c *stream) forget() {
	if c.known {
		delete(c.stack.connections, newTuple(c.local, c.remote))
		c.known = false
	}
	c.stack.core.Cancel(&c.timer)
}

// enter makes the connection known to the demultiplexer.
func (c *stream) enter() {
	c.stack.connections[newTuple(c.local, c.remote)] = c
	c.known = true
}

// heard takes an ICMP error about one of the connection's segments. While it is being set up, a mapped error ends it;
// later errors are noted (RFC 1122, 4.2.3.9).
func (c *stream) heard(h *heard) {
	if c.sock == nil {
		return
	}
	if h.is4 {
		c.errors.add(h) // IPv4 queues it even without IP_RECVERR, seen on Linux 6.18
	}
	if c.conn.State() != tcp.SynSent || !h.meaning.TCP {
		if c.conn.State() != tcp.SynSent {
			c.soft = h.meaning.Errno
		}
		c.sock.Wake(socket.Err)
		return
	}
	if c.inCall && c.stack.core.Personality.TCP.NoteOnly {
		h.record(c.stack, c.trail(), false)
		c.soft = h.meaning.Errno
		c.sock.Wake(socket.Err)
		return
	}
	h.record(c.stack, c.trail(), true)
	c.soft = h.meaning.Errno
	c.conn.Fail()
	c.ended()
	c.soft = errno.OK
}

// Released implements [socket.Releaser].
func (c *stream) Released() { c.inCall = false }
