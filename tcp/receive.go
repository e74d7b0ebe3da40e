// SPDX-License-Identifier: Apache-2.0

package tcp

import (
	"time"

	"dialtone/wire"
)

// Receive takes a segment of this connection: ports and addresses are the caller's to compare. The segment itself may
// be reused afterwards, its payload not (see the package's "Bytes").
func (c *Conn) Receive(now time.Duration, seg *wire.Segment) Events {
	switch c.state {
	case Closed:
		return Refuse
	case SynSent:
		return c.receiveSynSent(now, seg)
	case TimeWait:
		return c.receiveTimeWait(now, seg)
	case SynReceived:
		// sndWL1 is the number of the peer's SYN as long as nothing else told of a window.
		if seg.Flags.Has(wire.SYN) && !seg.Flags.Has(wire.RST) && seg.Seq == c.sndWL1 {
			return c.receiveSYNAgain(now, seg)
		}
	}
	return c.receive(now, seg, seg.Seq)
}

// receiveSynSent is RFC 9293, 3.10.7.3.
func (c *Conn) receiveSynSent(now time.Duration, seg *wire.Segment) Events {
	acked := seg.Flags.Has(wire.ACK)
	if acked && (!c.acksSYN(seg.Ack) || c.echoesStrangely(now, seg)) {
		return Refuse
	}
	switch {
	case seg.Flags.Has(wire.RST):
		if acked {
			return c.end(Refused)
		}
		return 0
	case !seg.Flags.Has(wire.SYN):
		return 0
	}
	c.takeSYN(now, seg)
	if !acked { // simultaneous open (RFC 9293, 3.5)
		c.setState(SynReceived)
		c.sndNxt = c.sndUna
		c.notes |= owesSYN
		return 0
	}
	ev := c.establish(now, seg)
	if c.has(answers) { // bytes will take it along (tcp_rcv_synsent_state_process)
		c.ackAt = now + delayedAckMost
	} else {
		c.notes |= owesACK
	}
	return ev | c.receiveText(now, seg, seg.Seq+1)
}

// echoesStrangely reports whether a segment in SYN-SENT echoes a timestamp that is none of our SYNs': it answers another
// connection's (tcp_rcv_synsent_state_process).
func (c *Conn) echoesStrangely(now time.Duration, seg *wire.Segment) bool {
	o := &seg.Options
	return c.cfg.Timestamps && o.HasTimestamps && o.TSEcr != 0 &&
		(before(o.TSEcr, timestamp(c.since)) || after(o.TSEcr, timestamp(now)))
}

// acksSYN reports whether ack acknowledges our SYN.
func (c *Conn) acksSYN(ack uint32) bool { return after(ack, c.sndUna) && beforeEq(ack, c.sndMax) }

// receiveSYNAgain takes the peer's SYN once more in SYN-RECEIVED. Without ACK it asks for our SYN-ACK again. With ACK
// it's the other side of a simultaneous open: its SYN says nothing new, the rest counts (RFC 9293, figure 8).
func (c *Conn) receiveSYNAgain(now time.Duration, seg *wire.Segment) Events {
	switch {
	case !seg.Flags.Has(wire.ACK):
		if c.mayChallenge(now) {
			c.notes |= owesSYN
		}
		return 0
	case !c.acksSYN(seg.Ack):
		return Refuse
	case c.has(active):
		return c.receive(now, seg, c.rcvNxt)
	default:
		return c.receive(now, seg, seg.Seq)
	}
}

// receiveTimeWait answers whatever shows that the peer hasn't got our last ACK, which makes TIME-WAIT begin anew, and
// gives way to a new connection. In detail it is Linux's (tcp_timewait_state_process).
func (c *Conn) receiveTimeWait(now time.Duration, seg *wire.Segment) Events {
	reset := seg.Flags.Has(wire.RST)
	switch next := seg.Seq == c.rcvNxt && seg.Len() == 0 && !c.oldDuplicate(now, seg); {
	case reset && next:
		return c.end(Finished) // RFC 1337 warns of it; Linux does so by default (tcp_rfc1337)
	case reset:
		return 0
	case next:
		c.enterTimeWait(now)
		return 0
	case c.newIncarnation(now, seg):
		return c.end(Finished) | Reopen
	}
	if seg.Flags.Has(wire.ACK) {
		c.enterTimeWait(now)
	}
	c.challengeACK(now)
	return 0
}

// newIncarnation reports whether a segment in TIME-WAIT begins a new connection with the same addresses: a SYN beyond
// all that the old one sent: by its timestamp, if both have them, else, or if that is the same, by its number (RFC 9293,
// 3.6.1; RFC 6191, 2).
func (c *Conn) newIncarnation(now time.Duration, seg *wire.Segment) bool {
	if seg.Flags&(wire.SYN|wire.ACK|wire.RST) != wire.SYN {
		return false
	}
	if !c.has(tsOK) || !seg.Options.HasTimestamps {
		return after(seg.Seq, c.rcvNxt)
	}
	return !c.oldDuplicate(now, seg) && (after(seg.Options.TSVal, c.tsRecent) || after(seg.Seq, c.rcvNxt))
}

// receive is RFC 9293, 3.10.7.4: the states after SYN-SENT, without TIME-WAIT. seq is where the segment's text begins,
// which differs from its sequence number only if it carries a SYN that was seen before.
func (c *Conn) receive(now time.Duration, seg *wire.Segment, seq uint32) Events {
	reset := seg.Flags.Has(wire.RST)
	if reset && c.has(peerFIN) && seq+1 == c.rcvNxt {
		seq++ // some systems don't count their own FIN; like Linux (tcp_reset_check) we know what they mean
	}
	if !c.acceptable(now, seg, seq) {
		if !reset {
			c.answerStray(now, seg)
		}
		return 0
	}
	if reset {
		return c.receiveReset(now, seq)
	}
	if seq == seg.Seq && seg.Flags.Has(wire.SYN) {
		c.challengeACK(now) // RFC 5961, 4
		return 0
	}
	if !seg.Flags.Has(wire.ACK) {
		return 0
	}
	if c.has(tsOK) && seg.Options.HasTimestamps && beforeEq(seg.Seq, c.acked) { // RFC 7323, 4.3
		c.tsRecent, c.tsRecentAt = seg.Options.TSVal, seconds(now)
	}
	var ev Events
	switch {
	case c.state == SynReceived:
		if !c.acksSYN(seg.Ack) {
			return Refuse
		}
		ev = c.establish(now, seg)
	case after(seg.Ack, c.sndMax), before(seg.Ack, c.sndUna-c.maxWnd): // RFC 5961, 5
		c.challengeACK(now)
		return 0
	default:
		ev = c.receiveACK(now, seg)
	}
	if c.state == Closed {
		return ev
	}
	if k := c.keepAlive(); k != nil {
		k.heard, k.sent = now, 0
	}
	return ev | c.receiveText(now, seg, seq)
}

// acceptable is the first check of RFC 9293, 3.10.7.4. Like Linux (tcp_sequence) it lets pass what only touches the
// window: an ACK may come with bytes that the window doesn't take, and must still count.
func (c *Conn) acceptable(now time.Duration, seg *wire.Segment, seq uint32) bool {
	if c.oldDuplicate(now, seg) {
		return false
	}
	end := seq + seg.Len()
	return !before(end, c.rcvNxt) && !after(seq, c.rcvAdv)
}

// oldDuplicate reports whether the timestamp shows that a segment is an old one, or none of this connection's (PAWS;
// RFC 7323, 5.3). It says nothing of a reset.
func (c *Conn) oldDuplicate(now time.Duration, seg *wire.Segment) bool {
	if !c.has(tsOK) || seg.Flags.Has(wire.RST) {
		return false
	}
	o := &seg.Options
	if !o.HasTimestamps {
		return false // RFC 7323, 3.2 would have it dropped; Linux does not look further (tcp_validate_incoming)
	}
	// An idle time of 24 days makes the remembered timestamp worthless (RFC 7323, 5.5).
	return before(o.TSVal, c.tsRecent) && seconds(now)-c.tsRecentAt < 24*24*3600
}

// answerStray answers a segment outside of the window, so that a peer who lost track learns where we are. Segments
// without text are answered seldom: two ends which think the other one strayed would never stop.
func (c *Conn) answerStray(now time.Duration, seg *wire.Segment) {
	if len(seg.Payload) > 0 && !seg.Flags.Has(wire.SYN) {
		c.notes |= owesACK
		return
	}
	c.challengeACK(now)
}

// receiveReset takes a reset inside the window: only one with the very next number counts, any other makes us ask
// (RFC 5961, 3).
func (c *Conn) receiveReset(now time.Duration, seq uint32) Events {
	if seq != c.rcvNxt {
		c.challengeACK(now)
		return 0
	}
	switch c.state {
	case SynReceived:
		return c.end(ResetHandshake)
	case CloseWait:
		return c.end(ResetAfterFIN)
	default:
		return c.end(Reset)
	}
}

// receiveText takes the segment's bytes, the first being number seq, and its FIN.
func (c *Conn) receiveText(now time.Duration, seg *wire.Segment, seq uint32) Events {
	text, fin := seg.Payload, seg.Flags.Has(wire.FIN)
	if len(text) == 0 && !fin {
		return 0
	}
	if c.has(peerFIN) {
		if before(seq, c.rcvNxt) {
			c.notes |= owesACK // the old end once more: our ACK was lost
		}
		return 0 // nothing can follow a FIN
	}
	if before(seq, c.rcvNxt) {
		old := min(int(c.rcvNxt-seq), len(text))
		text = text[old:]
		seq += uint32(old)
		c.notes |= owesACK
	}
	if room := max(0, int(int32(c.rcvAdv-seq))); len(text) > room {
		text, fin = text[:room], false
		c.notes |= owesACK
	}
	if len(text) > 0 && c.has(readShut) && c.has(writeShut) {
		// RFC 9293, 3.6.1: bytes that nobody will read must not seem received.
		c.notes |= owesReset
		return c.end(Reset)
	}
	if seq != c.rcvNxt {
		c.keepForLater(seq, chunk{text, seg.Buffer}, fin)
		return 0
	}
	return c.advance(now, chunk{text, seg.Buffer}, fin)
}

// keepForLater keeps what came before its turn, and tells the peer at once which byte is missing (RFC 5681, 4.2).
func (c *Conn) keepForLater(seq uint32, text chunk, fin bool) {
	c.notes |= owesACK
	if before(seq, c.rcvNxt) {
		return // a FIN within what was received: it's nobody's
	}
	if c.later == nil {
		c.later = new(reassembly)
	}
	c.later.insert(seq, text)
	c.later.note(seq)
	if fin {
		c.later.fin, c.later.hasFIN = seq+uint32(len(text.bytes)), true
	}
}

// advance takes the bytes whose turn has come, and what waited behind them.
func (c *Conn) advance(now time.Duration, text chunk, fin bool) (ev Events) {
	if n := len(text.bytes); n > 0 {
		c.recv.adopt(text.bytes, text.buffer)
		c.rcvNxt += uint32(n)
		c.rcvMSS = max(c.rcvMSS, uint16(min(n, int(c.offer))))
		if n >= int(c.rcvMSS) {
			c.growRcvBuf(now)
		}
		c.notes |= heard
		ev = Readable
	}
	if c.later != nil {
		c.rcvNxt = c.later.take(&c.recv, c.rcvNxt)
		fin = fin || c.later.hasFIN && c.later.fin == c.rcvNxt
		if c.later.empty() {
			c.later = nil
		}
		c.notes |= owesACK // the gap, or a part of it, is closed (RFC 5681, 4.2)
	}
	if fin {
		return ev | c.receiveFIN(now)
	}
	if ev != 0 {
		c.oweACK(now)
	}
	return ev
}

// receiveFIN is the eighth check of RFC 9293, 3.10.7.4.
func (c *Conn) receiveFIN(now time.Duration) Events {
	c.rcvNxt++
	if after(c.rcvNxt, c.rcvAdv) {
		c.rcvAdv = c.rcvNxt
	}
	c.notes |= peerFIN
	c.later = nil
	if c.state == Established && c.has(heard) && c.cfg.QuickAcks > 0 {
		c.notes |= answers // our FIN may take it along (tcp_fin: inet_csk_enter_pingpong_mode)
		c.oweACK(now)
	} else {
		c.notes |= owesACK
	}
	switch c.state {
	case Established:
		c.setState(CloseWait)
	case FinWait1:
		c.setState(Closing)
	case FinWait2:
		c.enterTimeWait(now)
	}
	return Readable | PeerClosed
}

// enterTimeWait begins TIME-WAIT, or begins it anew.
func (c *Conn) enterTimeWait(now time.Duration) {
	c.setState(TimeWait)
	c.rexmitAt = 0
	c.endAt = now + c.cfg.TimeWait
}
