// SPDX-License-Identifier: Apache-2.0

package tcp

// Congestion control: Reno (RFC 5681), with recovery by selective acknowledgements (RFC 6675, scoreboard.go) or, from a
// peer that gives none, NewReno's (RFC 6582); counted in bytes.

// maxCwnd keeps the congestion window far from overflow; no peer offers a larger window (RFC 7323, 2.3).
const maxCwnd = 1 << 30

// grow takes note that acked bytes were acknowledged while flight bytes were on their way. arrived of them are news: of the
// others selective acknowledgements have told before.
func (c *Conn) grow(acked, arrived, flight uint32) {
	mss := uint32(c.mss)
	c.dupAcks = 0
	if c.has(recovering) {
		c.recovered(acked)
		return
	}
	if before(c.recover, c.sndUna) {
		c.recover = c.sndUna
	}
	if flight <= c.cwnd/2 {
		return // the window wasn't what limited us, so nothing was learnt about it (RFC 7661, 4.3)
	}
	if c.cwnd < c.ssthresh {
		// Slow start, by bytes (RFC 3465), since one segment may stand for many, and up to its end (tcp_slow_start).
		c.cwnd = min(c.cwnd+arrived, c.ssthresh)
	} else {
		c.cwnd += max(1, uint32(uint64(mss)*uint64(arrived)/uint64(c.cwnd))) // RFC 5681, 3.1, equation 3
	}
	c.cwnd = min(c.cwnd, maxCwnd)
}

// recovered goes on with fast recovery after acked bytes, or ends it (RFC 6582, 3.2, steps 3 to 5).
func (c *Conn) recovered(acked uint32) {
	mss := uint32(c.mss)
	if !before(c.sndUna, c.recover) {
		c.notes &^= recovering | owesFirst
		if c.cwnd = c.ssthresh; c.scoreboard() == nil { // else as much is under way (tcp_end_cwnd_reduction)
			c.cwnd = min(c.cwnd, max(c.inFlight(), mss)+mss)
		}
		c.forgetBelow(c.sndUna)
		return
	}
	if s := c.scoreboard(); s != nil {
		if len(s.spans) == 0 {
			c.notes |= owesFirst // nothing came after it, though what was sent later has been acknowledged
		}
		return // else the scoreboard knows what is missing
	}
	c.notes |= owesFirst // a partial acknowledgement: the next segment is missing too
	c.cwnd -= min(acked, c.cwnd-mss)
	if acked >= mss {
		c.cwnd += mss
	}
}

// duplicateACK counts an acknowledgement that says nothing but that a segment arrived out of order (RFC 5681, 3.2).
func (c *Conn) duplicateACK() {
	mss := uint32(c.mss)
	s := c.scoreboard()
	if c.has(recovering) {
		if s == nil {
			c.cwnd = min(c.cwnd+mss, maxCwnd)
		}
		return
	}
	if c.dupAcks < dupThresh {
		c.dupAcks++
	}
	if c.dupAcks >= dupThresh || s != nil && s.lost(0, uint32(c.mss)) {
		c.startRecovery()
	}
}

// startRecovery begins fast recovery after a loss (RFC 5681, 3.2; RFC 6675, 5), but not below recover, where duplicates may
// come from what a timeout sent twice (RFC 6582, 3.2, step 2).
func (c *Conn) startRecovery() {
	mss := uint32(c.mss)
	s := c.scoreboard()
	if before(c.sndUna, c.recover) || s != nil && c.reneged(s) {
		return
	}
	c.halve()
	if s != nil {
		c.cwnd = c.ssthresh
		s.resent = c.sndUna
	} else {
		c.cwnd = min(c.ssthresh+3*mss, maxCwnd)
	}
	c.dupAcks = 0
	c.recover = c.sndMax
	c.timedAt = 0
	c.notes |= recovering | owesFirst
}

// halve sets ssthresh after a loss (RFC 5681, equation 4).
func (c *Conn) halve() { c.ssthresh = max(c.inFlight()/2, 2*uint32(c.mss)) }

// collapse answers a retransmission timeout (RFC 5681, 3.1; RFC 6582, 4; tcp_enter_loss).
func (c *Conn) collapse() {
	if c.retries == 0 && !c.has(recovering) {
		c.halve() // a second sign of the same loss says nothing new
	}
	c.cwnd = uint32(c.mss)
	c.dupAcks = 0
	c.recover = c.sndMax
	c.notes &^= recovering
	if s := c.scoreboard(); s != nil {
		s.resent = c.sndUna
		if len(s.spans) == 0 || c.reneged(s) {
			c.rare.sacked = nil
		}
	}
}

// sendWindow returns how many bytes from sndUna on may be sent: what the peer takes and what the network takes. Beyond that
// goes one segment for each of the first two duplicate acknowledgements (limited transmit, RFC 3042), or what the peer has.
func (c *Conn) sendWindow() uint32 {
	s := c.scoreboard()
	switch {
	case s == nil:
		return min(c.sndWnd, c.cwnd+uint32(min(c.dupAcks, 2))*uint32(c.mss))
	case c.has(recovering):
		return min(c.sndWnd, c.inFlight()+c.recoveryRoom(s))
	}
	return min(c.sndWnd, c.cwnd+s.spans.below(c.sndNxt))
}
