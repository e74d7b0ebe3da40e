// SPDX-License-Identifier: Apache-2.0

package tcp

import "time"

// The three timers, by state:
//
//	            SYN-SENT, SYN-RECEIVED   data or FIN in flight   window closed   FIN-WAIT-2      TIME-WAIT
//	rexmitAt    SYN (SYN-ACK) again      first segment again     probe           -               -
//	ackAt       -                        delayed ACK             delayed ACK     delayed ACK     -
//	endAt       the handshake's time     keep-alive              keep-alive      the peer's FIN  the end
//
// With nothing in flight only keep-alive may be due; so it is in FIN-WAIT-2, as long as nobody has closed.

// Deadline returns when Tick wants to be called next, and false if it doesn't.
func (c *Conn) Deadline() (time.Duration, bool) {
	at := c.rexmitAt
	if c.ackAt != 0 && (at == 0 || c.ackAt < at) {
		at = c.ackAt
	}
	if c.endAt != 0 && (at == 0 || c.endAt < at) {
		at = c.endAt
	}
	return at, at != 0
}

// Tick does what is due at now. Too early it does nothing.
func (c *Conn) Tick(now time.Duration) Events {
	if c.endAt != 0 && now >= c.endAt {
		if c.state == SynSent || c.state == SynReceived {
			return c.end(TimedOut)
		}
		if !c.keepsAlive() {
			return c.end(Finished)
		}
		if ev := c.keepAliveDue(now); ev != 0 {
			return ev
		}
	}
	if c.ackAt != 0 && now >= c.ackAt {
		c.ackAt = 0
		c.notes = c.notes&^answers | owesACK // no bytes came to take it along (tcp_delack_timer_handler)
	}
	if c.rexmitAt == 0 || now < c.rexmitAt {
		return 0
	}
	c.rexmitAt = 0
	switch {
	case !c.state.synchronized():
		return c.synTimeout(now)
	case c.has(holeTimer):
		c.holesAreLate(now)
		return 0
	case c.inFlight() > 0:
		return c.retransmissionTimeout(now)
	default:
		return c.probeTimeout(now)
	}
}

// synTimeout: the SYN, or SYN-ACK, was not answered.
func (c *Conn) synTimeout(now time.Duration) Events {
	if c.synOver(now) || c.userTimeoutOver(now) {
		return c.end(TimedOut)
	}
	c.retries++
	if c.state == SynSent {
		c.rto = c.cfg.synWait(c.retries)
	} else {
		c.rto = c.cfg.doubled(c.rto, 1)
	}
	c.sndNxt = c.sndUna
	c.timedAt = 0
	c.notes |= owesSYN
	return 0
}

// retransmissionTimeout: nothing of what is in flight was acknowledged for an RTO (RFC 6298, 5.4 to 5.7). All of it is
// sent again as the window opens.
func (c *Conn) retransmissionTimeout(now time.Duration) Events {
	over := c.retries > 0 && now-c.since >= c.cfg.patience(c.cfg.MinRTO, c.maxRetries())
	if over || c.userTimeoutOver(now) {
		return c.end(TimedOut)
	}
	c.collapse()
	c.retries = min(c.retries+1, 254)
	c.rto = c.cfg.doubled(c.rto, 1)
	c.sndNxt = c.sndUna
	c.timedAt = 0
	c.notes |= owesFirst
	return 0
}

// probeTimeout: bytes wait, none is in flight, and the peer's window is closed (RFC 9293, 3.8.6.1). As long as it
// answers, it may keep it closed; after Close, until the probes are as seldom as they get (tcp_probe_timer).
func (c *Conn) probeTimeout(now time.Duration) Events {
	forsaken := c.has(orphan) && c.rto >= c.cfg.MaxRTO
	if forsaken || c.retries >= c.maxRetries() || c.userTimeoutOver(now) {
		return c.end(TimedOut)
	}
	c.retries++
	c.rto = c.cfg.doubled(c.rto, 1)
	c.notes = c.notes&^unfinished | owesProbe
	return 0
}

// maxRetries returns how often bytes are sent again, or the window probed in vain.
func (c *Conn) maxRetries() uint8 {
	if c.has(orphan) {
		return c.cfg.OrphanRetries
	}
	return c.cfg.Retries2
}

// userTimeoutOver reports whether TCP_USER_TIMEOUT has passed without progress.
func (c *Conn) userTimeoutOver(now time.Duration) bool {
	limit := c.userTimeout()
	return limit != 0 && now-c.since >= limit
}

// armRetransmission sets the retransmission timer, or that of window probes.
func (c *Conn) armRetransmission(now time.Duration) {
	if c.retries == 0 && c.rto <= c.baseRTO() { // a backoff without retries: probes are answered, but the window is closed
		c.since = now
	}
	c.notes &^= holeTimer
	c.rexmitAt = now + c.rto
	if limit := c.userTimeout(); limit != 0 {
		c.rexmitAt = min(c.rexmitAt, c.since+limit)
	}
}

// delayedAckMost is how long the third segment of a handshake waits for bytes (TCP_DELACK_MAX).
const delayedAckMost = 200 * time.Millisecond

// oweACK lets the acknowledgement of new bytes wait a little, but not of more than two segments (RFC 9293, 3.8.6.3), and not
// when the connection is young: the peer's window is small then.
func (c *Conn) oweACK(now time.Duration) {
	switch {
	case c.cfg.DelayedAck == 0, c.rcvNxt-c.acked >= 2*uint32(c.rcvMSS):
		c.notes |= owesACK
	case c.has(quicks) && !c.has(answers):
		c.notes -= oneQuick
		c.notes |= owesACK
	case c.ackAt == 0:
		c.ackAt = now + c.cfg.DelayedAck
	}
}

// challengeACK sends an ACK to a peer whose segment can't be right (RFC 5961), unless there were many.
func (c *Conn) challengeACK(now time.Duration) {
	if c.mayChallenge(now) {
		c.notes |= owesACK
	}
}

// mayChallenge counts an answer to a segment that can't be right, and says whether there are few enough in this second.
func (c *Conn) mayChallenge(now time.Duration) bool {
	r := c.rarely()
	if at := seconds(now); at != r.challengeAt {
		r.challengeAt, r.challenges = at, 0
	}
	if r.challenges >= c.cfg.ChallengeAcks {
		return false
	}
	r.challenges++
	return true
}
