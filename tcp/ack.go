// SPDX-License-Identifier: Apache-2.0

package tcp

import (
	"time"

	"dialtone/wire"
)

// establish completes the handshake with a segment that acknowledges our SYN.
func (c *Conn) establish(now time.Duration, seg *wire.Segment) Events {
	lost := c.retries > 0
	if n := int(seg.Ack - c.sndUna - 1); n > 0 { // what the SYN carried, and the peer took
		c.send.drop(n)
		c.notes |= synText
	}
	c.sndUna = seg.Ack
	if !c.has(early) {
		c.sndNxt = seg.Ack // a SYN's bytes that were not taken are lost (tcp_rcv_fastopen_synack)
	}
	c.recover, c.sndSmall = seg.Ack, seg.Ack
	c.measure(now, seg)
	c.progress(now)
	if lost {
		// A lost SYN is a sign of congestion (RFC 5681, 3.1), and the first guess of the round trip was too short
		// (RFC 6298, 5.7).
		c.cwnd = uint32(c.mss)
		if c.srtt == 0 {
			c.rto = max(c.rto, 3*time.Second)
		}
	}
	c.growSndBuf()
	c.endAt = 0
	if k := c.keepAlive(); k != nil {
		k.heard = now
		c.endAt = now + k.Idle
	}
	c.notes &^= owesSYN
	if !seg.Flags.Has(wire.SYN) { // a SYN's window was taken with it
		c.takeWindow(seg)
	}
	if c.has(finDue) {
		c.setState(FinWait1)
	} else {
		c.setState(Established)
	}
	return Connected | Writable
}

// receiveACK is the fifth check of RFC 9293, 3.10.7.4, for an acknowledgement that isn't beyond what we sent.
func (c *Conn) receiveACK(now time.Duration, seg *wire.Segment) (ev Events) {
	news := false
	if seg.Options.SACKBlocks > 0 && c.has(sackOK) && !before(seg.Ack, c.sndUna) {
		news = c.takeSACK(seg)
	}
	switch {
	case after(seg.Ack, c.sndUna):
		ev = c.acknowledge(now, seg)
	case seg.Ack == c.sndUna:
		if c.inFlight() == 0 {
			c.retries = 0 // a window probe was answered: the peer is alive
		} else if news || seg.Len() == 0 && uint32(seg.Window)<<c.sndScale == c.sndWnd {
			c.duplicateACK() // RFC 5681, 2; RFC 6675, 2
		}
	default:
		return 0 // old; what it says of the window is old too
	}
	if c.state != Closed {
		c.takeWindow(seg)
	}
	if s := c.scoreboard(); s != nil {
		c.lostAgain(s)
		c.watchHoles(now, s)
	}
	return ev
}

// takeWindow notes the window the peer offers, unless a later segment has told a later one.
func (c *Conn) takeWindow(seg *wire.Segment) {
	if before(seg.Seq, c.sndWL1) || seg.Seq == c.sndWL1 && before(seg.Ack, c.sndWL2) {
		return
	}
	wnd := uint32(seg.Window) << c.sndScale
	if wnd > c.sndWnd && c.inFlight() == 0 {
		// Probing is over, if there was any.
		c.rexmitAt = 0
		c.rto = c.baseRTO()
	}
	c.sndWnd, c.sndWL1, c.sndWL2 = wnd, seg.Seq, seg.Ack
	c.maxWnd = max(c.maxWnd, wnd)
}

// acknowledge removes what the peer has got from the send queue.
func (c *Conn) acknowledge(now time.Duration, seg *wire.Segment) (ev Events) {
	acked := seg.Ack - c.sndUna
	arrived := acked // but for what selective acknowledgements have told of before
	if s := c.scoreboard(); s != nil {
		arrived -= s.spans.below(seg.Ack)
	}
	flight := c.inFlight()
	wasRoomy := c.roomy()
	finAcked := int(acked) > c.send.size // only a FIN is counted beyond the bytes
	c.send.drop(min(int(acked), c.send.size))
	c.notes &^= more // tcp_data_snd_check
	c.sndUna = seg.Ack
	if before(c.sndNxt, c.sndUna) {
		c.sndNxt = c.sndUna
	}
	if before(c.sndSmall, c.sndUna) {
		c.sndSmall = c.sndUna
	}
	c.measure(now, seg)
	c.forgetBelow(c.sndUna)
	c.grow(acked, arrived, flight)
	if s := c.scoreboard(); s != nil && !c.has(recovering) && s.lost(0, uint32(c.mss)) {
		c.startRecovery() // of what was sent later
	}
	c.progress(now)
	if !wasRoomy && c.roomy() {
		ev = Writable
	}
	if finAcked {
		ev |= c.finAcknowledged(now)
	}
	return ev
}

// progress restarts the retransmission timer after new bytes were acknowledged (RFC 6298, 5.2 and 5.3).
func (c *Conn) progress(now time.Duration) {
	c.retries = 0
	c.rto = c.baseRTO()
	c.rexmitAt = 0
	if c.inFlight() > 0 {
		c.armRetransmission(now)
		if s := c.scoreboard(); s != nil && c.reneged(s) { // a timeout is to come soon (tcp_check_sack_reneging)
			c.rexmitAt = now + max(c.srtt.duration()/2, 10*time.Millisecond)
		}
	}
}

// finAcknowledged moves on after the peer got our FIN.
func (c *Conn) finAcknowledged(now time.Duration) Events {
	c.notes &^= finDue
	switch c.state {
	case FinWait1:
		c.setState(FinWait2)
		if c.has(orphan) {
			wait, waits := c.finWait2()
			if !waits {
				return c.end(Finished) | Refuse
			}
			c.endAt = now + wait
		}
	case Closing:
		c.enterTimeWait(now)
	case LastAck:
		return c.end(Finished)
	}
	return 0
}
