// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"net/netip"
	"slices"
	"time"

	"dialtone/errno"
	"dialtone/socket"
	"dialtone/tcp"
	"dialtone/wire"
)

// listener is a listening socket's queues.
type listener struct {
	backlog int
	admits  int // how many may be in ready
	// ready are established, or have even ended, and wait for accept, in order.
	ready      fifo[*stream]
	handshakes int // connections that have sent their SYN-ACK
	requests   int // of handshakes, those without a cookie
}

// maxCookies bounds the handshakes that a listener remembers, with a cookie or without.
const maxCookies = 4096

// cookieLife is how long a cookie is valid (MAX_SYNCOOKIE_AGE, in minutes).
const cookieLife = 2 * time.Minute

// full reports whether the accept queue has no room.
func (q *listener) full() bool { return q.ready.len() >= q.admits }

// Listen implements [socket.Endpoint].
func (c *stream) Listen(call *socket.Call, backlog int) errno.Errno {
	if c.queue != nil {
		c.queue.backlog, c.queue.admits = backlog, c.stack.core.Personality.Stream.Admits(backlog)
		return errno.OK
	}
	if c.conn.State() != tcp.Closed || c.sock.Busy() {
		return errno.EINVAL
	}
	s := c.stack
	if c.hold.port == 0 {
		c.hold.addr = c.local.Addr()
		if e := c.bindPort(0); e != errno.OK {
			return e
		}
	} else {
		c.hold.listening = true
		if !s.tcpPorts.free(&c.hold, c.hold.port, false) {
			c.hold.listening = false
			return errno.EADDRINUSE
		}
	}
	c.hold.listening = true
	c.shut = 0
	c.queue = &listener{backlog: backlog, admits: s.core.Personality.Stream.Admits(backlog)}
	if all := fastServer | fastServerAll; s.Sysctl.TCPFastOpen&all == all && c.opts.fastQueue == 0 {
		c.change().fastQueue = int32(backlog)
	}
	s.listeners[c.hold.port] = append(s.listeners[c.hold.port], c)
	return errno.OK
}

// input takes a segment for the listener; false means it is to be answered with a reset.
func (c *stream) input(p *wire.Packet, local, remote netip.AddrPort, in *Interface) bool {
	seg := &p.TCP
	switch {
	case !c.genuine(p), seg.Flags.Has(wire.RST):
		return true
	case seg.Flags.Has(wire.ACK):
		return false
	case !seg.Flags.Has(wire.SYN):
		return true
	}
	label, admission := c.mayOffer(p, in)
	if admission != socket.Admit {
		return admission == socket.Lose
	}
	q, s := c.queue, c.stack
	crowded := q.requests > q.backlog // inet_csk_reqsk_queue_is_full
	cookie := s.Sysctl.TCPSynCookies == 2 || s.Sysctl.TCPSynCookies == 1 && crowded
	if q.full() || crowded && !cookie || q.handshakes >= maxCookies {
		return true // dropped: the client will send its SYN again
	}
	ask := c.query(remote.Addr(), local.Addr())
	if remote.Addr().IsLinkLocalUnicast() && ask.device == "" {
		ask.device = s.arrival(in, local.Addr())
	}
	if s.lookUpAgain(&s.back, &ask) != errno.OK {
		return true
	}
	w := &s.back.way
	child := &stream{stack: s, family: c.family, local: local, remote: remote, way: w.hop(), parent: c, opts: c.opts}
	child.noDelay, child.scope, child.cookie = c.noDelay, uint32(in.Index), cookie
	child.own = kept(label)
	child.hold.addr, child.hold.v6only = local.Addr(), c.hold.v6only
	child.began = s.core.NowLocked()
	child.apply(c.sock)
	child.offered = true
	q.handshakes++
	if !cookie {
		q.requests++
	}
	child.enter()
	child.conn.Accept(child.now(), child.config(remote.Addr()), seg, s.sequence(local, remote), child.findMSS())
	c.acceptFast(child, seg)
	child.pump()
	return true
}

// admits reports whether a segment may reach a child in SYN-RECEIVED. The acknowledgement that would establish it is
// lost while the accept queue is full, so that the SYN-ACK is sent again later; or it is answered with a reset
// (tcp_abort_on_overflow).
func (c *stream) admits(child *stream, seg *wire.Segment) bool {
	bare := len(seg.Payload) == 0 && seg.Flags&(wire.SYN|wire.FIN|wire.RST) == 0
	if bare && child.conn.Info().Retransmits < c.opts.deferAccept {
		return false // TCP_DEFER_ACCEPT: the client's data, or time, will tell
	}
	if c.queue.full() && child.cookie && seg.Flags&(wire.SYN|wire.RST) == 0 {
		return false // nothing remembers the handshake, so nobody is told (cookie_v4_check)
	}
	if !c.queue.full() || !seg.Flags.Has(wire.ACK) || seg.Flags&(wire.SYN|wire.RST) != 0 {
		return true
	}
	if c.stack.Sysctl.TCPAbortOnOverflow {
		child.conn.Abort()
		child.pump()
		child.ended()
	}
	return false
}

// established moves a child to the accept queue.
func (c *stream) established(child *stream) {
	c.queue.forget(child)
	c.queue.ready.push(child)
	c.sock.Wake(socket.In)
}

// childEnded takes note that a connection is over before it was accepted. One that had been established stays in the
// queue: accept returns it, dead.
func (c *stream) childEnded(child *stream) {
	c.queue.forget(child)
}

// forget takes a child from those that shake hands, if it is one.
func (q *listener) forget(child *stream) {
	if !child.offered {
		return
	}
	child.offered = false
	q.handshakes--
	if !child.cookie {
		q.requests--
	}
}

// Accept implements [socket.Endpoint].
func (c *stream) Accept(_ *socket.Call, s *socket.Socket) (socket.Endpoint, errno.Errno) {
	if c.queue == nil {
		return nil, errno.EINVAL
	}
	q := c.queue
	if q.ready.len() == 0 {
		return nil, errno.EAGAIN
	}
	child := *q.ready.first()
	q.ready.pop()
	if child.own != nil {
		s.Label = *child.own
	}
	child.parent, child.sock, child.hold.sock = nil, s, s
	*s.Options() = *c.sock.Options() // inherited (inet_csk_clone_lock)
	if s.Options().KeepAlive {
		child.KeepAlive(true)
	}
	if child.conn.State() == tcp.Closed {
		if e := child.errnoOf(child.conn.Reason()); e != errno.OK {
			s.SetError(e)
		}
	}
	return child, errno.OK
}

// stopListening ends the listener: who waits in its queue is reset, who is still shaking hands is forgotten.
func (c *stream) stopListening() {
	s := c.stack
	q := c.queue
	c.queue = nil
	c.hold.listening = false
	all := s.listeners[c.hold.port]
	if all = slices.DeleteFunc(all, func(l *stream) bool { return l == c }); len(all) == 0 {
		delete(s.listeners, c.hold.port)
	} else {
		s.listeners[c.hold.port] = all
	}
	for _, child := range q.ready.all() {
		child.parent = nil
		if child.conn.State() != tcp.Closed {
			child.conn.Abort()
			child.pump()
			child.ended()
		}
	}
	if q.handshakes == 0 {
		return
	}
	for _, child := range s.connections.sorted() {
		if child.parent == c && child.offered {
			child.parent = nil
			child.conn.Fail()
			child.ended()
		}
	}
}
