// SPDX-License-Identifier: Apache-2.0

package tcp

import "time"

// The time tells of a loss, too: a hole that stays for a quarter of the round trip after something behind it has arrived is
// lost, however little has, and in recovery at once. That is RACK's reordering window (RFC 8985, 7.2), but without a clock for
// each segment: all that are under way when something arrives out of order count as sent at one time.

// watchHoles gives the holes there are after an acknowledgement their time: none in recovery (tcp_rack_reo_wnd). A timeout tells
// of all of them.
func (c *Conn) watchHoles(now time.Duration, s *scoreboard) {
	if len(s.spans) == 0 || c.srtt == 0 || c.reneged(s) {
		return
	}
	highest := s.spans[len(s.spans)-1].from
	switch {
	case c.has(recovering):
		if after(highest, s.late) {
			s.late = highest
		}
	case c.has(holeTimer), before(c.sndUna, c.recover):
	default:
		// With two ticks for the grain of the clock (TCP_TIMEOUT_MIN_US).
		if at := now + c.srtt.duration()/4 + 2*tsTick; c.rexmitAt == 0 || at < c.rexmitAt {
			c.rexmitAt, s.due = at, highest
			c.notes |= holeTimer
		}
	}
}

// holesAreLate ends the hole timer (tcp_rack_reo_timeout).
func (c *Conn) holesAreLate(now time.Duration) {
	c.armRetransmission(now)
	s := c.scoreboard()
	if s == nil || len(s.spans) == 0 {
		return
	}
	if after(s.due, s.late) {
		s.late = s.due
	}
	if !c.has(recovering) && s.lost(0, uint32(c.mss)) {
		c.startRecovery()
	}
}
