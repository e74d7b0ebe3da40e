// SPDX-License-Identifier: Apache-2.0

package tcp

import (
	"time"

	"dialtone/wire"
)

// tsTick is the unit of our timestamps (RFC 7323, 5.4), and so the granularity of round trips measured by them.
const tsTick = time.Millisecond

// timestamp returns the timestamp of now.
func timestamp(now time.Duration) uint32 { return uint32(now / tsTick) }

// seconds returns now in whole seconds, modulo 2^32.
func seconds(now time.Duration) uint32 { return uint32(now / time.Second) }

// measure takes a round-trip time from a segment that acknowledges something new: by the one timed segment, which is
// never one that was sent again (Karn's algorithm; RFC 6298, 3), or by the timestamp (RFC 7323, 4.1).
func (c *Conn) measure(now time.Duration, seg *wire.Segment) {
	if c.timedAt != 0 && !before(seg.Ack, c.timedSeq) {
		c.sample(now - c.timedAt)
		c.timedAt = 0
		return
	}
	if c.has(tsOK) && seg.Options.HasTimestamps {
		if ticks := timestamp(now) - seg.Options.TSEcr; ticks < 1<<31 {
			c.sample(time.Duration(ticks) * tsTick)
		}
	}
}

// micros is a time in microseconds.
type micros int32

func (m micros) duration() time.Duration { return time.Duration(m) * time.Microsecond }

// sample takes the measured round trip d into the estimate (RFC 6298, 2.2 and 2.3).
func (c *Conn) sample(d time.Duration) {
	// On a link without latency it is 0, but srtt 0 says "not measured"; and who echoes a wrong timestamp may claim any.
	r := micros(min(max(d, time.Microsecond), maxRTT) / time.Microsecond)
	if c.srtt == 0 {
		c.srtt, c.rttvar = r, r/2
		return
	}
	c.rttvar += (max(c.srtt-r, r-c.srtt) - c.rttvar) / 4
	c.srtt = max(c.srtt+(r-c.srtt)/8, 1)
}

// maxRTT is beyond what any timeout waits for.
const maxRTT = 10 * time.Minute

// baseRTO returns the retransmission timeout without backoff (RFC 6298, 2.2 to 2.5).
func (c *Conn) baseRTO() time.Duration {
	if c.srtt == 0 {
		return c.cfg.InitialRTO
	}
	beyond := max(tsTick, c.cfg.MinVariance, 4*c.rttvar.duration())
	return min(max(c.srtt.duration().Truncate(tsTick)+beyond, c.cfg.MinRTO), c.cfg.MaxRTO)
}
