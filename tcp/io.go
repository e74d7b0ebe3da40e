// SPDX-License-Identifier: Apache-2.0

package tcp

import (
	"math/bits"

	"dialtone/wire"
)

// Write copies from p what there is room for into the send buffer and returns how many bytes; 0 when it is full, or
// when nothing can be written any more (see WriteClosed). Bytes may be written before the connection is established;
// they wait.
func (c *Conn) Write(p []byte) int {
	if c.WriteClosed() {
		return 0
	}
	if c.send.size+len(p) > int(c.sndBuf) {
		c.growSndBuf()
	}
	n := min(len(p), max(0, int(c.sndBuf)-c.send.size))
	if bound := c.unsentLow(); bound != 0 {
		n = min(n, c.unsentRoom(bound))
	}
	c.notes &^= more | unfinished | pushed
	c.send.copyIn(p[:n], c.fullChunk())
	return n
}

// growSndBuf makes the send buffer as large as the congestion window asks for: twice the window, each segment with what
// it costs Linux (tcp_sndbuf_expand), so that it never is the buffer that limits the flow.
func (c *Conn) growSndBuf() {
	if c.has(ownSndBuf) {
		return
	}
	const (
		leastSegments = 10        // TCP_INIT_CWND
		headers       = 256 + 320 // MAX_TCP_HEADER, and struct skb_shared_info
		bookkeeping   = 256       // struct sk_buff
	)
	segments := max(leastSegments, uint64(c.cwnd/uint32(c.mss)))
	cost := uint64(1)<<bits.Len32(uint32(c.mss)+headers-1) + bookkeeping
	c.sndBuf = max(c.sndBuf, uint32(min(2*segments*cost, uint64(c.cfg.SndBufMost))))
}

// fullChunk returns how many bytes a full chunk of the send queue has, so that one large segment carries all of it.
func (c *Conn) fullChunk() int {
	if mss := int(c.mss); 0 < mss && mss < wire.MaxText {
		return wire.MaxText - wire.MaxText%mss
	}
	return wire.MaxText
}

// WriteClosed reports whether writing is over: before Open, after CloseWrite, or since the connection ended. A
// socket's send says EPIPE, after it reported the error that Reason stands for.
func (c *Conn) WriteClosed() bool { return c.state == Closed || c.has(writeShut) }

// Writable reports whether poll(2) should say POLLOUT: a third of the send buffer is free, and little waits to be sent (Linux,
// sk_stream_is_writeable), or writing would fail at once. While the handshake runs it is false. When that changes by
// what the peer sends, Receive says so by the event of the same name.
func (c *Conn) Writable() bool {
	switch {
	case c.WriteClosed():
		return true
	case c.state == SynSent, c.state == SynReceived:
		return false
	}
	low := c.unsentLow()
	return c.roomy() && (low == 0 || 2*uint64(c.unsent()) < uint64(low))
}

// roomy reports whether a third of the send buffer is free.
func (c *Conn) roomy() bool { return uint64(c.send.size)*3 <= uint64(c.sndBuf)*2 }

// Unsent returns how many written bytes are not acknowledged (SIOCOUTQ).
func (c *Conn) Unsent() int { return c.send.size }

// Read moves received bytes into p and returns how many; 0 when there are none (see EOF). The window it opens may make
// Next send an update.
func (c *Conn) Read(p []byte) int {
	return c.Discard(c.recv.copyOut(p, 0))
}

// Discard takes up to n received bytes without giving them to anyone (MSG_TRUNC) and returns how many.
func (c *Conn) Discard(n int) int {
	n = min(n, c.recv.size)
	c.recv.drop(n)
	if n > 0 && c.windowOpened() {
		c.notes |= owesACK
	}
	return n
}

// Peek copies received bytes into p, from the offset on, without taking them (MSG_PEEK, SO_PEEK_OFF).
func (c *Conn) Peek(p []byte, offset int) int { return c.recv.copyOut(p, offset) }

// Buffered returns how many received bytes wait to be read (SIOCINQ).
func (c *Conn) Buffered() int { return c.recv.size }

// EOF reports whether a read would return 0: nothing is buffered, and nothing will come, or CloseRead was called. After
// a reset a socket's read reports the error first.
func (c *Conn) EOF() bool {
	return c.recv.size == 0 && (c.state == Closed || c.has(peerFIN|readShut))
}

// PeerClosed reports whether the peer's FIN was received in order (POLLRDHUP).
func (c *Conn) PeerClosed() bool { return c.has(peerFIN) }
