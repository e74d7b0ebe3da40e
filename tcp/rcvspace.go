// SPDX-License-Identifier: Apache-2.0

package tcp

import "time"

// rcvSpace is how fast a connection's reader takes what comes: what the receive buffer must be like, so that it never is
// the window that limits the flow (Linux: tcp_rcv_space_adjust, after Fisk and Feng's dynamic right-sizing).
type rcvSpace struct {
	at   time.Duration // when the round trip that is measured began; 0: none has
	seq  uint32        // the sequence number of what was read last then
	read uint32        // the most that was read in a round trip, bytes
}

// shortTrip is the round trip below which the buffer stays as it is: there the 128 KiB that Linux begins with are a gigabit a
// second and more, and a larger window would only leave the processor's caches.
const shortTrip = 1000 // µs

// growRcvBuf makes the receive buffer as large as the reader's pace asks for, once in a round trip: twice what it read, for
// the sender's window may have doubled meanwhile, and more if it read more than ever before.
func (c *Conn) growRcvBuf(now time.Duration) {
	if c.srtt < shortTrip || c.rcvBuf >= c.cfg.RcvBufMost || c.has(ownRcvBuf) {
		return
	}
	const firstSegments = 10 // TCP_INIT_CWND
	s, seq := &c.rarely().space, c.rcvNxt-uint32(c.recv.size)
	switch {
	case s.at == 0:
		s.read = min(c.rcvBuf, firstSegments*uint32(c.rcvMSS))
	case now-s.at < c.srtt.duration():
		return
	case seq-s.seq > s.read:
		read := uint64(seq - s.seq)
		want := 2*read + 16*uint64(c.rcvMSS)
		want += 2 * want * (read - uint64(s.read)) / uint64(s.read)
		c.rcvBuf = max(c.rcvBuf, uint32(min(want, uint64(c.cfg.RcvBufMost))))
		s.read = uint32(read)
	}
	s.at, s.seq = now, seq
}
