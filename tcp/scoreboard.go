// SPDX-License-Identifier: Apache-2.0

package tcp

import (
	"math"
	"time"

	"dialtone/wire"
)

// Selective acknowledgement as the sender sees it (RFC 2018, 5; RFC 6675). Words: a hole is what lies between the spans
// that the peer has; pipe is how much is thought to be on its way.

// scoreboard is what the peer says it has beyond what it acknowledges. A connection has one from the first such word on,
// until there are no spans any more, or the peer turns out to have taken its word back. A timeout alone says nothing of that:
// like Linux's (tcp_enter_loss), and unlike RFC 2018, 8 it leaves the spans as they are.
type scoreboard struct {
	spans  spans
	resent uint32 // the holes below were sent again (RFC 6675, 2: HighRxt)
	after  uint32 // what was sent from here on was sent after all of that
	due    uint32 // the holes below are lost when the hole timer ends: see hole.go
	late   uint32 // the holes below are lost
}

// maxSpans bounds what a hostile peer can make us remember.
const maxSpans = 512

// dupThresh is how much disorder counts as a loss (RFC 6675, 2), in segments.
const dupThresh = 3

// scoreboard returns nil where the peer has said nothing.
func (c *Conn) scoreboard() *scoreboard {
	if c.rare == nil {
		return nil
	}
	return c.rare.sacked
}

// sacked returns how many bytes the peer has beyond what it acknowledges.
func (c *Conn) sacked() uint32 {
	if s := c.scoreboard(); s != nil {
		return s.spans.size()
	}
	return 0
}

// reneged reports whether the peer, which acknowledges up to the beginning of a span, does not have that any more (RFC 2018,
// 8; tcp_timeout_mark_lost).
func (c *Conn) reneged(s *scoreboard) bool { return len(s.spans) > 0 && s.spans[0].from == c.sndUna }

// takeSACK notes the blocks of an acknowledgement that isn't old, and reports whether they tell of anything new. Blocks
// that can't be, and those about what is acknowledged anyway (RFC 2883), are passed over.
func (c *Conn) takeSACK(seg *wire.Segment) (news bool) {
	for _, b := range seg.Options.SACK[:seg.Options.SACKBlocks] {
		if before(b.Left, seg.Ack) || !before(b.Left, b.Right) || after(b.Right, c.sndMax) {
			continue
		}
		if c.scoreboard() == nil {
			c.rarely().sacked = &scoreboard{resent: c.sndUna, late: c.sndUna}
		}
		news = c.rare.sacked.spans.add(span{b.Left, b.Right}, maxSpans) || news
	}
	return news
}

// forgetBelow drops what was acknowledged since, and a scoreboard without spans.
func (c *Conn) forgetBelow(una uint32) {
	s := c.scoreboard()
	if s == nil {
		return
	}
	s.spans.cut(una)
	if before(s.resent, una) {
		s.resent = una
	}
	if before(s.late, una) {
		s.late = una
	}
	if len(s.spans) == 0 && !c.has(recovering) {
		c.rare.sacked = nil
	}
}

// lost reports whether the hole before spans[i] is lost: enough has come after it (RFC 6675, 4, IsLost), or long enough ago.
func (s *scoreboard) lost(i int, mss uint32) bool {
	if len(s.spans)-i >= dupThresh || i < len(s.spans) && beforeEq(s.spans[i].from, s.late) {
		return true
	}
	above := uint32(0)
	for _, have := range s.spans[i:] {
		above += have.size()
	}
	return above > (dupThresh-1)*mss
}

// pipe returns how many of the bytes from una up to end are on their way (RFC 6675, 4, SetPipe).
func (s *scoreboard) pipe(una, end, mss uint32) (n uint32) {
	above, tail := uint32(0), una
	for i := len(s.spans) - 1; i >= 0; i-- { // from the last hole to the first
		hole := span{una, s.spans[i].from}
		if i > 0 {
			hole.from = s.spans[i-1].to
		}
		if above += s.spans[i].size(); len(s.spans)-i < dupThresh && above <= (dupThresh-1)*mss && after(s.spans[i].from, s.late) {
			n += hole.size() // not lost, see there
		}
		if after(s.resent, hole.from) {
			n += min(s.resent-hole.from, hole.size())
		}
	}
	if len(s.spans) > 0 {
		tail = s.spans[len(s.spans)-1].to
	}
	return n + end - tail
}

// next returns what is to be sent again: the first bytes of a hole that were not yet, of a lost one or of any (RFC 6675,
// 4, NextSeg, rules 1 and 3).
func (s *scoreboard) next(una, mss uint32, lostOnly bool) (hole span, ok bool) {
	from := una
	for i, have := range s.spans {
		hole = span{from, have.from}
		if before(hole.from, s.resent) {
			hole.from = s.resent
		}
		if before(hole.from, hole.to) {
			return hole, !lostOnly || s.lost(i, mss)
		}
		from = have.to
	}
	return span{}, false
}

// passSACKed moves sndNxt over what the peer has, where a timeout has put it back, and returns how many bytes from there on it
// lacks.
func (c *Conn) passSACKed() int {
	s := c.scoreboard()
	if s == nil {
		return math.MaxInt
	}
	if have, ok := s.spans.of(c.sndNxt); ok {
		c.sndNxt = have.to
	}
	if i := s.spans.reaching(c.sndNxt); i < len(s.spans) {
		return int(s.spans[i].from - c.sndNxt)
	}
	return math.MaxInt
}

// nextHole gives bytes again that the peer lacks while it has later ones, in recovery: those that are lost, or all of
// them when there is nothing else to send.
func (c *Conn) nextHole(now time.Duration, out *wire.Segment, lostOnly bool) bool {
	s := c.scoreboard()
	if s == nil {
		return false
	}
	hole, ok := s.next(c.sndUna, uint32(c.mss), lostOnly)
	room := c.recoveryRoom(s)
	if !ok || room == 0 {
		return false
	}
	offset := int(hole.from - c.sndUna)
	n := min(int(hole.size()), c.largest(), int(room-room%uint32(c.mss)), c.send.size-offset)
	if n <= 0 {
		return false
	}
	c.fillData(now, out, hole.from, offset, n, c.finSent())
	s.resent, s.after = hole.from+uint32(len(out.Payload)), c.sndMax
	return true
}

// lostAgain begins anew with what was sent again in recovery, and is lost, too: something has come that was sent after it
// (RFC 8985, 6.2, step 4: in recovery a segment is not waited for).
func (c *Conn) lostAgain(s *scoreboard) {
	if c.has(recovering) && after(s.resent, c.sndUna) && len(s.spans) > 0 && after(s.spans[len(s.spans)-1].to, s.after) {
		s.resent = c.sndUna
	}
}

// recoveryRoom returns how many bytes may be sent in recovery with a scoreboard: none, or a segment at least.
func (c *Conn) recoveryRoom(s *scoreboard) uint32 {
	mss := uint32(c.mss)
	if p := s.pipe(c.sndUna, c.sndMax, mss); p+mss <= c.cwnd {
		return c.cwnd - p
	}
	return 0
}
