// SPDX-License-Identifier: Apache-2.0

package tcp

import "time"

// CloseWrite ends our half: a FIN follows the bytes written (shutdown(2) SHUT_WR). In SYN-SENT, where there is no half
// to end, it ends the connection without a segment.
func (c *Conn) CloseWrite() {
	if c.WriteClosed() {
		return
	}
	c.notes |= writeShut
	switch c.state {
	case SynSent:
		c.end(Aborted)
	case SynReceived:
		c.notes |= finDue // FinWait1 follows when the handshake is complete (RFC 9293, 3.10.4)
	case Established:
		c.notes |= finDue
		c.setState(FinWait1)
	case CloseWait:
		c.notes |= finDue
		c.setState(LastAck)
	}
}

// CloseRead ends the other half (shutdown(2) SHUT_RD). Nothing is told to the peer, and, as on Linux, what it still
// sends can be read; but once both halves are closed, more bytes from the peer reset the connection (RFC 9293, 3.6.1).
func (c *Conn) CloseRead() { c.notes |= readShut }

// Close ends both halves, for an owner who has gone (close(2)): the rest happens without him, and unread bytes are
// dropped, with a reset instead of a FIN if Config.ResetOnUnread.
func (c *Conn) Close(now time.Duration) {
	unread := c.recv.size > 0
	c.stopKeepAlive()
	c.notes |= orphan | readShut
	c.recv.clear()
	if unread && c.state != Closed && c.state != TimeWait && c.cfg.ResetOnUnread {
		c.Abort()
		return
	}
	c.CloseWrite()
	if c.state == FinWait2 {
		wait, waits := c.finWait2()
		if !waits {
			c.Abort()
			return
		}
		c.endAt = now + wait
	}
}

// Abort ends the connection at once, with a reset if the peer knows of it (close(2) with SO_LINGER 0, connect(2) with
// AF_UNSPEC). What was received can still be read; the owner who doesn't want it calls Close after it.
func (c *Conn) Abort() {
	switch c.state {
	case Closed:
		return
	case SynReceived, Established, FinWait1, FinWait2, CloseWait, Closing, LastAck:
		// RFC 9293, 3.10.5 sends none in CLOSING and LAST-ACK, where the FIN was sent; here it may still wait behind
		// bytes (Linux: tcp_disconnect).
		if c.state != Closing && c.state != LastAck || !c.finSent() {
			c.notes |= owesReset
		}
	case SynSent, TimeWait:
	}
	c.end(Aborted)
}

// Fail ends the connection at once and sends nothing: after an ICMP error that the owner's personality takes as final.
func (c *Conn) Fail() {
	if c.state != Closed {
		c.end(Failed)
	}
}
