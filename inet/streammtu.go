// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"math"

	"dialtone/errno"
	"dialtone/tcp"
)

// A connection knows of the MTU of its way what it has been told itself, or what was known when it began: others to the same
// address may have been told more.

// mtu returns the MTU of the way to the peer, bytes; 0 if there is none.
func (c *stream) mtu() int {
	switch s := c.conn.State(); {
	case s == tcp.Closed, s == tcp.TimeWait, c.way.out == nil:
		return 0
	case c.narrow:
		return c.stack.mtuTo(c.remote.Addr(), c.way.out.MTU())
	}
	return c.way.out.MTU()
}

// findMSS returns what the MTU of the way to the peer, as the host knows it, and TCP_MAXSEG leave for the payload of a segment
// (RFC 9293, 3.7.1). The connection knows of it then, too.
func (c *stream) findMSS() uint16 {
	link := c.way.out.MTU()
	mtu := c.stack.mtuTo(c.remote.Addr(), link)
	c.narrow = mtu < link
	return c.segment(mtu)
}

// segment returns what a packet of so many bytes, and TCP_MAXSEG, leave for the payload.
func (c *stream) segment(mtu int) uint16 {
	headers := headerLen(c.remote.Addr()) + 20
	mss := uint16(min(max(mtu-headers, 256), 65535-headers))
	if c.opts.maxSeg != 0 {
		mss = min(mss, c.opts.maxSeg)
	}
	return mss
}

// synMSS returns what TCP_MAXSEG reads in SYN_SENT: what every peer takes, or what was set, if the way takes as much, less the
// timestamps (tcp_connect_init).
func (c *stream) synMSS() int {
	most := 536 // TCP_MSS_DEFAULT
	switch {
	case c.opts.maxSeg != 0:
		most = int(c.opts.maxSeg)
	case c.remote.Addr().Is6():
		most = minMTU6 - 60
	}
	if most = min(most, int(c.segment(c.mtu()))); c.config(c.remote.Addr()).Timestamps {
		most -= 12
	}
	return most
}

// tooLong takes ICMP's "fragmentation needed", or "packet too big", about a segment that is under way (tcp_v4_mtu_reduced,
// tcp_v6_mtu_reduced). Who lets its packets be fragmented, or looks at the first link alone, hears of it with the next bytes
// it sends; with IPv6 not at all. A handshake that waits for its listener has sent nothing that long.
func (c *stream) tooLong(h *heard) {
	state, discovery := c.conn.State(), c.opts.discovery(h.is4)
	looksAway := discovery == pmtuInterface || discovery == pmtuOmit
	switch {
	case c.way.out == nil, state == tcp.TimeWait, state == tcp.SynReceived && c.parent != nil && !c.fast:
		return
	case !h.is4 && (looksAway || c.conn.Fits(c.segment(int(min(h.info, math.MaxUint16))))):
		return
	}
	c.stack.learnMTU(c.remote.Addr(), h.info)
	mss := c.findMSS()
	if h.is4 && int(uint16(h.info)) < minMTU4 && discovery == pmtuDo && c.sock != nil {
		c.sock.NoteError(errno.EMSGSIZE) // it will hardly get through
	}
	if h.is4 && (looksAway || discovery == pmtuDont) {
		return
	}
	c.conn.Narrow(mss)
	c.pump()
}
