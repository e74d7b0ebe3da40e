// SPDX-License-Identifier: Apache-2.0

package tcp

import (
	"math"
	"time"

	"dialtone/wire"
)

// SetNoDelay switches Nagle's algorithm off (TCP_NODELAY) or on. Off, what a cork has held back so far goes, too.
func (c *Conn) SetNoDelay(on bool) {
	c.set(noDelay, on)
	c.set(pushed, on && c.send.size > 0)
}

// SetCork holds back what is less than a segment (TCP_CORK), but no longer than a timeout takes, or lets it go.
func (c *Conn) SetCork(on bool) { c.set(corked, on) }

// ExpectMore is for after a Write with MSG_MORE: what is less than a segment waits for the next Write, for an acknowledgement,
// or as long as a timeout takes.
func (c *Conn) ExpectMore() { c.notes |= more | unfinished }

// SetQuickAck ends (TCP_QUICKACK) or begins the delaying of acknowledgements because bytes will be sent that take them along.
// One that waits goes at once if all was read; an even number counts for that one alone (__tcp_sock_set_quickack).
func (c *Conn) SetQuickAck(n int) {
	if n == 0 {
		c.notes |= answers
		return
	}
	c.notes &^= answers
	if c.ackAt == 0 || c.state != Established && c.state != CloseWait {
		return
	}
	if c.recv.size == 0 {
		c.notes |= owesACK
	}
	if n&1 == 0 {
		c.notes |= answers
	}
}

// QuickAck reports whether acknowledgements don't wait for bytes to take them along.
func (c *Conn) QuickAck() bool { return !c.has(answers) }

// SetLinger2 overrides Config.FinWait2 (TCP_LINGER2); 0 takes it back, less is no time at all.
func (c *Conn) SetLinger2(d time.Duration) { c.rarely().linger2 = d }

// finWait2 returns how long a closed connection waits in FIN-WAIT-2, and false if it doesn't: at least as long as two
// retransmissions of the peer's FIN take (tcp_fin_time).
func (c *Conn) finWait2() (time.Duration, bool) {
	d := c.cfg.FinWait2
	if c.rare != nil && c.rare.linger2 != 0 {
		d = c.rare.linger2
	}
	return max(d, c.rto*7/2), d >= 0
}

// SetWindowClamp bounds the window that is offered, in bytes (TCP_WINDOW_CLAMP); 0: it is not. A window that was offered is
// never taken back. Before Open it also decides the window scale.
func (c *Conn) SetWindowClamp(n uint32) { c.rarely().clamp = n }

// clamp returns the bound of the window, as large as no window is where there is none.
func (c *Conn) clamp() uint32 {
	if c.rare == nil || c.rare.clamp == 0 {
		return math.MaxUint32
	}
	return c.rare.clamp
}

// SetUnsentLow bounds how many bytes wait that were never sent (TCP_NOTSENT_LOWAT); 0: they aren't bounded. Large segments are
// begun only while fewer wait; [Conn.Writable] is true while fewer than half as many do.
func (c *Conn) SetUnsentLow(n uint32) { c.rarely().unsentLow = n }

// unsentLow returns 0 where there is no bound.
func (c *Conn) unsentLow() uint32 {
	if c.rare == nil {
		return 0
	}
	return c.rare.unsentLow
}

// unsent returns how many bytes were never sent.
func (c *Conn) unsent() int { return max(0, c.send.size-int(c.sndMax-c.sndUna)) }

// unsentRoom returns how many bytes may be written under a bound of those unsent: what can be sent at once, and as many large
// segments as it takes to reach the bound (tcp_stream_memory_free, tcp_xmit_size_goal).
func (c *Conn) unsentRoom(bound uint32) int {
	large := c.maxWnd
	if large > defaultMSS {
		large /= 2
	}
	mss := int(max(c.mss, 1))
	goal := max(min(int(large), wire.MaxText)/mss*mss, mss)
	room := 0
	if c.state.synchronized() {
		room = max(0, int(c.sendWindow())-int(c.sndNxt-c.sndUna))
	}
	return max(0, (int(bound)+goal-1)/goal*goal+room-c.unsent())
}
