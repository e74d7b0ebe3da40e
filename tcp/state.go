// SPDX-License-Identifier: Apache-2.0

package tcp

// State is a state of RFC 9293, 3.3.2. LISTEN is missing: a listener has no connection, it makes them (Accept).
type State uint8

const (
	// Closed is the zero value, and the end: Reason says how it came. Nothing is sent from here but a reset that was
	// still due; what was received can still be read.
	Closed State = iota
	// SynSent: Open was called. The peer's SYN-ACK leads to Established, its SYN to SynReceived, a reset or the last
	// timeout to Closed. Bytes can be written, and wait.
	SynSent
	// SynReceived: a SYN came, in answer to none (Accept) or to ours at the same moment. The peer's ACK leads to
	// Established, or to FinWait1 if CloseWrite was called meanwhile; a reset or the last timeout to Closed.
	SynReceived
	// Established: bytes go both ways. CloseWrite leads to FinWait1, the peer's FIN to CloseWait.
	Established
	// FinWait1: we closed; our FIN is not acknowledged yet. Its ACK leads to FinWait2, the peer's FIN to Closing, both
	// at once to TimeWait. Bytes can still be read.
	FinWait1
	// FinWait2: our FIN is acknowledged, the peer still sends. Its FIN leads to TimeWait; after Close, Config.FinWait2
	// ends the wait.
	FinWait2
	// CloseWait: the peer closed, we may still write. CloseWrite leads to LastAck.
	CloseWait
	// Closing: both closed at the same moment; the ACK of our FIN leads to TimeWait.
	Closing
	// LastAck: both closed, the peer first; the ACK of our FIN leads to Closed.
	LastAck
	// TimeWait: all is done and acknowledged. Old segments are answered until Config.TimeWait is over.
	TimeWait
)

// String returns the state's name as netstat(8) writes it.
func (s State) String() string {
	return [...]string{
		"CLOSE", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "CLOSE_WAIT", "CLOSING", "LAST_ACK", "TIME_WAIT",
	}[s]
}

// synchronized reports whether both SYNs were acknowledged (RFC 9293, 3.5.1).
func (s State) synchronized() bool { return s >= Established }

// Reason is how a connection ended.
type Reason uint8

// The ends.
const (
	Running        Reason = iota // not ended
	Finished                     // both sides closed in order
	Refused                      // a reset answered our SYN: ECONNREFUSED
	ResetHandshake               // a reset came in SYN-RECEIVED: Linux ECONNRESET, BSD ECONNREFUSED
	Reset                        // a reset came: ECONNRESET
	ResetAfterFIN                // a reset came after the peer's FIN, in CLOSE-WAIT: EPIPE
	TimedOut                     // the retransmissions or the handshake's time ran out: ETIMEDOUT, or a noted soft error
	Aborted                      // Abort, or Close that had to reset
	Failed                       // Fail: the owner knows why
)

// String returns the reason as a word.
func (r Reason) String() string {
	return [...]string{
		"running", "finished", "refused", "reset in handshake", "reset", "reset after FIN", "timed out", "aborted", "failed",
	}[r]
}

// Events are what happened in a call. They may be ignored; the state says the same at any time.
type Events uint8

// The events, as bits.
const (
	Connected  Events = 1 << iota // the handshake is complete: wake connect(2), or hand over to accept(2)
	Readable                      // more to read: bytes, or the peer's FIN
	PeerClosed                    // the peer's FIN was reached
	Writable                      // room to write again, after Conn.Writable was false
	Ended                         // the state became Closed; see Reason
	Refuse                        // not ours: answer this segment with ResetFor
	Reopen                        // a new SYN in TIME-WAIT; the state became Closed: give the same segment to the listener
)

// setState is the only function that changes the state.
func (c *Conn) setState(s State) { c.state = s }

// end closes the connection and lets go of what it can never send.
func (c *Conn) end(why Reason) Events {
	c.setState(Closed)
	c.reason = why
	c.rexmitAt, c.ackAt, c.endAt = 0, 0, 0
	c.notes &^= owesSYN | owesACK | owesProbe | owesFirst | recovering | finDue
	c.send.clear()
	c.later = nil
	c.stopKeepAlive()
	if c.rare != nil {
		c.rare.sacked = nil
	}
	return Ended | Readable | Writable
}
