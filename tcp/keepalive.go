// SPDX-License-Identifier: Apache-2.0

package tcp

import (
	"math"
	"time"
)

// KeepAlive is how a connection finds out whether a silent peer is still there (RFC 9293, 3.8.4).
type KeepAlive struct {
	// Idle is how long nothing came before the first probe (TCP_KEEPIDLE). 0: there are no probes.
	Idle time.Duration
	// Interval is between probes (TCP_KEEPINTVL).
	Interval time.Duration
	// Probes is how many go unanswered before the peer counts as gone (TCP_KEEPCNT). TCP_USER_TIMEOUT, where it is
	// set, decides instead: at the first probe's time after it.
	Probes uint8
}

// keepAlive is the probing of one connection. Its deadline is endAt, which the states that probe don't need for
// themselves; it is moved lazily, so that segments that come by only note the time.
type keepAlive struct {
	KeepAlive
	heard time.Duration // when the peer's last segment came
	sent  uint8         // probes since
}

// keepAlive returns nil while SO_KEEPALIVE is off.
func (c *Conn) keepAlive() *keepAlive {
	if c.rare == nil {
		return nil
	}
	return c.rare.keep
}

// SetKeepAlive begins, changes or ends (Idle 0) the probing of a silent peer (SO_KEEPALIVE). It may be called before
// Open or Accept, and then counts from the connection's establishment on.
func (c *Conn) SetKeepAlive(now time.Duration, set KeepAlive) {
	if set.Idle == 0 {
		c.stopKeepAlive()
		return
	}
	k := c.keepAlive()
	if k == nil {
		k = &keepAlive{heard: now}
		c.rarely().keep = k
	}
	idle := k.Idle
	k.KeepAlive = set
	if set.Idle != idle && c.keepsAlive() { // the other two count from the next probe on
		c.endAt = max(now, k.heard+set.Idle)
	}
}

// stopKeepAlive forgets about probes.
func (c *Conn) stopKeepAlive() {
	if c.keepsAlive() {
		c.endAt = 0
	}
	if c.rare != nil {
		c.rare.keep = nil
	}
}

// keepsAlive reports whether endAt is the next probe's time.
func (c *Conn) keepsAlive() bool {
	return c.keepAlive() != nil && c.state.synchronized() && c.state != TimeWait
}

// keepAliveDue probes a peer that was silent for long, or gives it up (tcp_keepalive_timer). While bytes are under way,
// or wait for a window, other timers watch over the peer.
func (c *Conn) keepAliveDue(now time.Duration) Events {
	k := c.keepAlive()
	silent, limit := now-k.heard, c.userTimeout()
	switch {
	case c.inFlight() > 0 || c.send.size > 0:
		c.endAt = now + k.Idle
		return 0
	case silent < k.Idle:
		c.endAt = k.heard + k.Idle
		return 0
	case limit == 0 && k.sent >= k.Probes, limit != 0 && k.sent > 0 && silent >= limit:
		c.notes |= owesReset // so that a peer who comes back learns of it
		return c.end(TimedOut)
	}
	if k.sent < math.MaxUint8 { // which a user timeout lets it reach
		k.sent++
	}
	c.endAt = now + k.Interval
	c.notes |= owesProbe
	return 0
}
