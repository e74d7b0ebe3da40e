// SPDX-License-Identifier: Apache-2.0

package tcp

import "math"

// SetMSS sets the largest payload of a packet after the path's MTU has changed (RFC 1191, RFC 8201), to no more than it was
// when the connection began. mss is as for Open. In SYN-SENT it bounds what the SYN offers when it is sent again.
func (c *Conn) SetMSS(mss uint16) {
	if c.state == SynSent {
		c.offer = min(c.offer, max(mss, minMSS))
		c.mss = min(c.mss, c.offer)
		return
	}
	most := c.mss
	if c.rare != nil && c.rare.most != 0 {
		most = c.rare.most
	}
	mss = min(most, c.payload(mss))
	if mss == c.mss {
		return
	}
	c.rarely().most = most
	// The window is so many segments, as on Linux.
	c.cwnd = min(inSegments(c.cwnd, c.mss, mss), maxCwnd)
	if c.ssthresh != math.MaxUint32 {
		c.ssthresh = min(inSegments(c.ssthresh, c.mss, mss), maxCwnd)
	}
	c.mss = mss
}

// Fits reports whether no segment under way is too large for a path that takes mss, which is as for Open.
func (c *Conn) Fits(mss uint16) bool {
	if c.state == SynSent {
		return c.inFlight() == 1 || mss >= c.offer
	}
	return c.payload(mss) >= c.mss
}

// inSegments returns how many bytes so many bytes in segments of one size are in segments of another.
func inSegments(bytes uint32, old, size uint16) uint32 {
	return uint32(min(uint64(bytes)*uint64(size)/uint64(old), math.MaxUint32))
}

// Narrow is SetMSS after the network has told that a segment under way was too large: what is under way is lost, and sent
// again at once, cut anew. That says nothing of congestion (tcp_simple_retransmit). A SYN with bytes is sent again without.
func (c *Conn) Narrow(mss uint16) {
	old := c.mss
	c.SetMSS(mss)
	switch {
	case c.state == SynSent && c.inFlight() > 1:
		*c.rare.fast = fastOpen{}
		c.sndNxt, c.timedAt, c.rexmitAt = c.sndUna, 0, 0
		c.notes |= owesSYN
	case c.state.synchronized() && c.mss < old && c.inFlight() > uint32(c.mss):
		c.recover, c.dupAcks = c.sndMax, 0
		c.notes &^= recovering
		if s := c.scoreboard(); s != nil {
			s.resent = c.sndUna
		}
		c.sndNxt, c.timedAt, c.rexmitAt = c.sndUna, 0, 0
	}
}
