// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"dialtone/errno"
	"dialtone/personality"
	"dialtone/socket"
	"dialtone/tcp"
	"dialtone/trail"
	"dialtone/wire"
)

// receive takes a segment in; again says that it is for the listener now.
func (c *stream) receive(p *wire.Packet, in *Interface) (again bool) {
	seg := &p.TCP
	if !c.genuine(p) || !c.mayArrive(p, in) {
		return false
	}
	if c.parent != nil && !c.fast && c.conn.State() == tcp.SynReceived && !c.parent.admits(c, seg) {
		return false
	}
	if t := c.trail(); t != nil {
		c.recordReceived(t, seg)
	}
	ev := c.conn.Receive(c.now(), seg)
	if ev&tcp.Refuse != 0 {
		if rst, ok := tcp.ResetFor(seg); ok {
			c.stack.answer(p, in, func(a *wire.Packet) { a.Proto, a.TCP = wire.TCP, rst })
		}
	}
	c.handle(ev)
	c.pump()
	if c.full && c.sock != nil && c.conn.Writable() { // what waited to be sent has been
		c.full = false
		c.sock.Wake(socket.Out)
	}
	return ev&tcp.Reopen != 0
}

func (c *stream) recordReceived(t *trail.Trail, seg *wire.Segment) {
	now := c.stack.core.Now()
	switch {
	case seg.Flags.Has(wire.RST):
		t.Decide(now, trail.Received, "RST from %v: nobody listens there, or the connection was reset%s", c.remote, c.stack.crashOf(c.remote.Addr()))
	case seg.Flags.Has(wire.SYN | wire.ACK):
		t.Decide(now, trail.Received, "SYN-ACK from %v", c.remote)
	case seg.Flags.Has(wire.SYN):
		t.Add(now, trail.Received, "SYN from %v: both ends connect at once", c.remote)
	}
}

// handle tells the socket what happened in its connection.
func (c *stream) handle(ev tcp.Events) {
	if c.conn.State() == tcp.TimeWait && !c.waits {
		c.waits, c.began, c.shut = true, c.stack.core.NowLocked(), shutBoth
		if c.sock != nil {
			if c.stack.core.Personality.TCP.InTimeWait != errno.OK {
				c.sock.Fail(errno.OK, "both ends have closed")
			}
			c.wakeAll()
		}
	}
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
		if _, due := c.conn.Deadline(); !due {
			c.disarm() // an idle connection is to be small
		}
		switch {
		case c.parent != nil && !c.fast:
			c.parent.established(c)
		case c.sock != nil:
			c.rememberPeer()
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
	if ev&tcp.Writable != 0 && c.conn.Writable() {
		c.full = false
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
	if !c.multipath || c.sock == nil || c.sock.State() != personality.Connecting {
		c.shut = shutBoth // a failed attempt was a subflow's; the socket above is as it was
	}
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
		t.Decide(c.stack.core.Now(), trail.Timer, "no answer to %d SYNs within %v%s: %s", c.syns, c.stack.core.Now()-c.began, c.stack.crashOf(c.remote.Addr()), e.Name())
	}
	because := reason.String()
	if reason == tcp.Failed {
		because = e.Name() + " was reported for it"
	}
	c.sock.Fail(e, because)
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
		if c.sock != nil && c.sock.NotedError() != errno.OK {
			return c.sock.NotedError()
		}
		return errno.ETIMEDOUT
	case tcp.Failed:
		return c.final
	}
	return errno.OK
}

// forget takes the connection out of the demultiplexer.
func (c *stream) forget() {
	if c.known {
		c.stack.connections.remove(c)
		c.known = false
	}
	c.disarm()
}

// enter makes the connection known to the demultiplexer.
func (c *stream) enter() {
	if !c.known { // a deferred connect entered it already
		c.stack.connections.add(c)
		c.known = true
	}
}

// heard takes an ICMP error about one of the connection's segments. While it is being set up, a mapped error ends it;
// later errors are noted (RFC 1122, 4.2.3.9).
func (c *stream) heard(h *heard) {
	facts := &c.stack.core.Personality.TCP
	info := c.conn.Info()
	switch state := info.State; {
	case h.about.TCP.Seq-info.SndUna > info.InFlight:
		return // about nothing that is under way: an old error, or a guess (RFC 5927, 4.1)
	case h.meaning.Errno == errno.EMSGSIZE:
		c.tooLong(h)
		return
	case c.sock == nil:
		return
	case state != tcp.SynSent && state != tcp.SynReceived:
		if h.meaning.TCP {
			c.sock.NoteError(h.meaning.Errno)
		}
		return
	case !h.meaning.TCP:
		return
	}
	if c.opts.recvErr(h.is4) || h.is4 && facts.QueuesICMP4 {
		if c.errors == nil {
			c.errors = new(errorQueue)
		}
		c.errors.add(h, c.family, nil)
	}
	notes := c.inCall && facts.NoteOnly
	h.record(c.stack, c.trail(), !notes && !h.meaning.Soft)
	if notes {
		c.sock.NoteError(h.meaning.Errno)
		c.sock.Wake(socket.Err)
		return
	}
	if h.meaning.Soft && (info.Retransmits < uint8(facts.SoftRetries) || c.sock.NotedError() == errno.OK) {
		c.sock.NoteError(h.meaning.Errno)
		return
	}
	c.final = h.meaning.Errno
	c.conn.Fail()
	c.ended()
}

// Released implements [socket.Releaser].
func (c *stream) Released() { c.inCall = false }
