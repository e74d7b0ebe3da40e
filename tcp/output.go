// SPDX-License-Identifier: Apache-2.0

package tcp

import (
	"math"
	"time"

	"dialtone/wire"
)

// Quiet reports whether [Conn.Next] has nothing to give, whatever the time: nothing is written that was not acknowledged,
// and nothing is owed.
func (c *Conn) Quiet() bool {
	return c.send.size == 0 && !c.has(owesSYN|owesACK|owesProbe|owesReset|owesFirst|finDue)
}

// Next writes the next segment that is due into out and reports true, or false if none is. The payload lies in the
// send queue and stays as it is as long as its buffer is held; out has a hold of its own. Next allocates nothing, except
// where small writes are put together.
func (c *Conn) Next(now time.Duration, out *wire.Segment) bool {
	switch c.state {
	case Closed:
		return c.nextReset(now, out)
	case SynSent, SynReceived:
		return c.nextSYN(now, out) || c.has(early) && c.nextData(now, out) || c.state == SynReceived && c.nextACK(now, out)
	}
	repairs := c.has(recovering)
	if c.nextFirst(now, out) || repairs && c.nextHole(now, out, true) || c.nextData(now, out) ||
		repairs && c.nextHole(now, out, false) || c.nextProbe(now, out) || c.nextACK(now, out) {
		return true
	}
	if c.rexmitAt == 0 && c.inFlight() == 0 && (c.send.size > 0 || c.has(finDue)) {
		c.armRetransmission(now) // nothing in flight, something to send: the window is closed, so probe it
	}
	return false
}

// nextReset gives the last segment of a connection that was aborted.
func (c *Conn) nextReset(now time.Duration, out *wire.Segment) bool {
	if !c.has(owesReset) {
		return false
	}
	c.notes &^= owesReset
	c.fill(now, out, c.bareSeq(), wire.RST|wire.ACK, chunk{})
	return true
}

// nextSYN gives the SYN, or in SYN-RECEIVED the SYN-ACK.
func (c *Conn) nextSYN(now time.Duration, out *wire.Segment) bool {
	if !c.has(owesSYN) {
		return false
	}
	c.notes &^= owesSYN
	flags := wire.SYN
	if c.state == SynReceived {
		flags |= wire.ACK
	}
	adv := c.rcvAdv
	c.fill(now, out, c.sndUna, flags, chunk{})
	c.rcvAdv, out.Window = adv, uint16(c.synWindow()) // RFC 7323, 2.2: not scaled
	c.offerOptions(now, &out.Options)
	text := c.addFastOpen(out)
	if c.sndMax == c.sndUna {
		c.timedAt, c.timedSeq = now, c.sndUna+1
	} else {
		c.timedAt = 0
	}
	c.sndNxt = c.sndUna + 1 + text
	if after(c.sndNxt, c.sndMax) {
		c.sndMax = c.sndNxt
	} else if c.has(early) {
		c.sndNxt = c.sndMax // what follows it waits for its acknowledgement (tcp_retransmit_timer)
	}
	if c.rexmitAt == 0 { // a repeated SYN of the peer's must not put it off
		c.armRetransmission(now)
	}
	return true
}

// offerOptions writes the options of a SYN: what we can, or in a SYN-ACK what both can.
func (c *Conn) offerOptions(now time.Duration, o *wire.Options) {
	o.MSS = c.offer
	answer := c.state == SynReceived
	if c.cfg.WindowScale && (!answer || c.has(scaleOK)) {
		o.HasWindowScale, o.WindowScale = true, c.rcvScale
	}
	o.SACKPermitted = c.cfg.SACK && (!answer || c.has(sackOK))
	if c.cfg.Timestamps && (!answer || c.has(tsOK)) {
		o.HasTimestamps, o.TSVal, o.TSEcr = true, timestamp(now), c.tsRecent
	}
}

// nextFirst gives the first segment in flight again, whatever the windows say: after a timeout, or in fast recovery.
func (c *Conn) nextFirst(now time.Duration, out *wire.Segment) bool {
	if !c.has(owesFirst) {
		return false
	}
	c.notes &^= owesFirst
	if c.inFlight() == 0 {
		return false
	}
	n := min(c.send.size, int(c.inFlight()))
	s := c.scoreboard()
	if s != nil && len(s.spans) > 0 {
		n = min(n, c.largest(), int(s.spans[0].from-c.sndUna))
	} else {
		n = min(n, int(c.mss)) // nothing says that more was lost
	}
	c.rexmitAt = 0 // the timer runs anew for it (tcp_xmit_retransmit_queue)
	c.fillData(now, out, c.sndUna, 0, n, c.finSent())
	if s != nil {
		if end := c.sndUna + uint32(len(out.Payload)); before(s.resent, end) {
			s.resent = end
		}
		s.after = c.sndMax
	}
	return true
}

// nextData gives bytes and FIN that are due, as windows, Nagle's algorithm and silly window avoidance allow
// (RFC 9293, 3.7.4 and 3.8.6.2.1).
func (c *Conn) nextData(now time.Duration, out *wire.Segment) bool {
	most := c.largest()
	if c.sndNxt != c.sndMax {
		most = min(most, c.passSACKed())
	}
	offset := int(c.sndNxt - c.sndUna)
	if c.state == SynReceived {
		offset-- // the SYN
	}
	unsent := c.send.size - offset
	if unsent < 0 || unsent == 0 && !c.has(finDue) {
		return false // less than 0: the FIN was sent
	}
	n := min(unsent, most, int(c.sendWindow())-offset)
	if n < 0 {
		return false
	}
	// A FIN takes a place in the peer's window, and waits for the handshake's end.
	fin := c.has(finDue) && n == unsent && int(c.sndWnd) > offset+n && c.state != SynReceived
	if mss := int(c.mss); n > mss {
		if rest := n % mss; rest > 0 && (n < unsent || !c.worthSending(rest, rest, fin)) {
			n -= rest // tcp_mss_split_point
		}
	}
	if n == 0 && !fin || !c.worthSending(n, unsent, fin) {
		return false
	}
	c.notes &^= owesProbe
	c.fillData(now, out, c.sndNxt, offset, n, fin)
	return true
}

// worthSending reports whether n bytes of unsent ones make a segment that shouldn't wait for more.
func (c *Conn) worthSending(n, unsent int, fin bool) bool {
	switch {
	case n >= int(c.mss), uint32(n) >= c.maxWnd/2 && n > 0:
		return true
	case fin, before(c.sndNxt, c.sndMax), c.has(owesProbe):
		return true
	case n < unsent:
		return false // silly window: the peer's will open further
	case c.has(corked | more):
		return c.has(finDue | pushed)
	}
	// Nagle, as Linux has it (Minshall): one small segment may be in flight.
	return c.has(noDelay|finDue) || !after(c.sndSmall, c.sndUna)
}

// largest returns how many bytes a segment may carry.
func (c *Conn) largest() int { return max(int(c.mss), int(c.cfg.MaxSegment)) }

// finSent reports whether our FIN is in flight.
func (c *Conn) finSent() bool {
	return c.has(finDue) && c.sndMax == c.sndUna+uint32(c.send.size)+1
}

// fillData makes a segment of n bytes (or fewer, where a chunk ends) from the offset in the send queue on, and a FIN if
// they reach its end and fin is set.
func (c *Conn) fillData(now time.Duration, out *wire.Segment, seq uint32, offset, n int, fin bool) {
	var text chunk
	if n > 0 {
		text = c.send.slice(offset, n, min(int(c.mss), mostCopied))
	}
	payload := text.bytes
	flags := wire.ACK
	length := uint32(len(payload))
	end := offset+len(payload) == c.send.size
	if end && len(payload) > 0 && !c.has(unfinished) || len(payload) > int(c.mss) { // a large segment's last part bears it (tcp_transmit_skb)
		flags |= wire.PSH
	}
	if end && fin {
		flags |= wire.FIN
		length++
	}
	c.fill(now, out, seq, flags, text)
	if len(payload) > int(c.mss) {
		out.Part = c.mss
	}
	next := seq + length
	if after(next, c.sndNxt) {
		c.sndNxt = next
	}
	if after(next, c.sndMax) {
		if c.has(heard) {
			c.notes |= answers
		}
		if c.timedAt == 0 && seq == c.sndMax {
			c.timedAt, c.timedSeq = now, next
		}
		if n := len(payload); n < int(c.mss) || end && n%int(c.mss) != 0 {
			c.sndSmall = next
		}
		if c.inFlight() == 0 {
			if c.retries != 0 { // by probes of the window, or for want of a whole segment
				c.retries = 0
				c.rto = c.baseRTO()
			}
			c.rexmitAt = 0
		}
		c.sndMax = next
	}
	if c.rexmitAt == 0 {
		c.armRetransmission(now)
	}
}

// nextProbe gives a window probe: like Linux's an ACK with an old sequence number, which the peer must answer.
func (c *Conn) nextProbe(now time.Duration, out *wire.Segment) bool {
	if !c.has(owesProbe) {
		return false
	}
	c.notes &^= owesProbe
	c.fill(now, out, c.sndUna-1, wire.ACK, chunk{})
	return true
}

// nextACK gives an acknowledgement by itself.
func (c *Conn) nextACK(now time.Duration, out *wire.Segment) bool {
	if !c.has(owesACK) {
		return false
	}
	c.fill(now, out, c.bareSeq(), wire.ACK, chunk{})
	return true
}

// bareSeq returns the number of a segment without text. It must lie in the peer's window, or the peer would not look at
// the acknowledgement: so not sndNxt, which a timeout puts back, but the end of all that was sent, or of the window
// (Linux: tcp_acceptable_seq).
func (c *Conn) bareSeq() uint32 {
	if end := c.sndUna + c.sndWnd; c.state != SynReceived && before(end, c.sndMax) {
		return end
	}
	return c.sndMax
}

// fill makes a segment. If it acknowledges, no other acknowledgement is due.
func (c *Conn) fill(now time.Duration, out *wire.Segment, seq uint32, flags wire.Flags, text chunk) {
	*out = wire.Segment{SrcPort: c.local, DstPort: c.remote, Seq: seq, Flags: flags, Payload: text.bytes, Buffer: text.buffer}
	if c.has(tsOK) {
		out.Options.HasTimestamps, out.Options.TSVal, out.Options.TSEcr = true, timestamp(now), c.tsRecent
	}
	if flags.Has(wire.ACK) {
		out.Ack = c.rcvNxt
		out.Window = c.offerWindow()
		c.acked = c.rcvNxt
		c.ackAt = 0
		if c.later != nil && c.has(sackOK) {
			c.tellGaps(out)
		} else {
			c.notes &^= owesACK
		}
	}
}

// synWindow is the window that a SYN offers, bytes.
func (c *Conn) synWindow() uint32 { return min(c.rcvBuf, c.clamp(), math.MaxUint16) }

// room returns how far the window could reach beyond rcvNxt: as the buffer has room, and as a window can be told.
func (c *Conn) room() uint32 {
	return min(uint32(max(0, int(c.rcvBuf)-c.recv.size)), math.MaxUint16<<c.rcvScale, c.clamp())
}

// offerWindow returns the window for a segment, scaled, and notes what it offers. What was offered is never taken back;
// more is offered when it is worth a segment (silly window avoidance, RFC 9293, 3.8.6.2.2).
func (c *Conn) offerWindow() uint16 {
	wnd := c.rcvAdv - c.rcvNxt
	if room := c.room(); room >= wnd+min(c.rcvBuf/2, uint32(c.mss)) {
		wnd = room
	} else {
		wnd += 1<<c.rcvScale - 1 // round up, or scaling would take bytes back
	}
	scaled := min(wnd>>c.rcvScale, math.MaxUint16)
	c.rcvAdv = c.rcvNxt + scaled<<c.rcvScale
	return uint16(scaled)
}

// windowOpened reports whether reading has made so much room that the peer should hear of it without being asked: the
// window is twice what the peer knows of, and by two segments or half the buffer more.
func (c *Conn) windowOpened() bool {
	if !c.state.synchronized() || c.has(peerFIN) {
		return false
	}
	wnd, room := c.rcvAdv-c.rcvNxt, c.room()
	return room >= 2*wnd && room >= wnd+min(c.rcvBuf/2, 2*uint32(c.mss))
}
