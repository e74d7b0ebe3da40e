// SPDX-License-Identifier: Apache-2.0

package tcp

import "time"

// Conn is one end of a connection: the transmission control block (RFC 9293, 3.3.1) and the queues. Its zero value is
// closed; Open or Accept begins a connection. It must not be copied afterwards.
//
// The send sequence space:
//
//	         sndUna           sndNxt          sndMax
//	───────────┼────────────────┼───────────────┼──────────────────────
//	acknowledged   sent           sent, to be      waiting in send, then
//	               (in flight)    sent again       the FIN
//
// Without loss sndNxt and sndMax are the same; a timeout puts sndNxt back, and what the peer has by its selective
// acknowledgements is passed over. send holds the bytes from sndUna on (from sndUna+1 while the SYN is not acknowledged).
//
// The receive sequence space:
//
//	         rcvNxt                          rcvAdv
//	───────────┼───────────────────────────────┼───────────────────────
//	in recv, or    may be sent to us; runs       outside of the window
//	read already   that came early are in later
//
// Windows and sizes are in bytes, unscaled.
type Conn struct {
	cfg   *Config
	send  queue       // written, not acknowledged
	recv  queue       // received in order, not read
	later *reassembly // received out of order; nil: nothing
	rare  *rare       // what few connections have; nil: none of it

	// Deadlines; 0: none. timers.go says what each means in which state.
	rexmitAt time.Duration // SYN or data again, or a window probe
	ackAt    time.Duration // the delayed ACK
	endAt    time.Duration // handshake, FIN-WAIT-2 or TIME-WAIT are over, or the peer was silent for long

	rto     time.Duration // with its backoff
	since   time.Duration // when the first of the running retransmissions' originals was sent
	timedAt time.Duration // when the timed segment was sent; 0: none is timed

	sndUna, sndNxt, sndMax uint32
	sndWnd, maxWnd         uint32 // the peer's window, and the largest it ever offered
	sndWL1, sndWL2         uint32 // sequence and acknowledgement of the last window update
	sndSmall               uint32 // end of the last segment sent that was less than an MSS (Nagle, Minshall)
	timedSeq               uint32 // end of the timed segment
	rcvNxt, rcvAdv         uint32
	acked                  uint32 // the acknowledgement last sent (RFC 7323: Last.ACK.sent)
	cwnd, ssthresh         uint32
	recover                uint32 // RFC 6582: what must be acknowledged to leave, or to enter, fast recovery
	tsRecent               uint32 // RFC 7323, 4.3: the timestamp to echo
	tsRecentAt             uint32 // when it was set, in seconds
	sndBuf, rcvBuf         uint32
	srtt, rttvar           micros // RFC 6298; srtt 0: not measured yet

	notes    notes
	local    uint16 // port
	remote   uint16 // port
	offer    uint16 // the MSS that we offer, bytes
	rcvMSS   uint16 // the largest segment that came (RFC 9293, 3.8.6.3), at least defaultMSS, at most offer
	mss      uint16 // the most payload that fits one packet to the peer, bytes
	state    State
	reason   Reason
	sndScale uint8 // shift of the windows that the peer sends
	rcvScale uint8 // shift of ours
	dupAcks  uint8
	retries  uint8 // timeouts since the last progress
}

// rare is what few connections have, so that the others are small.
type rare struct {
	fast *fastOpen  // nil: no fast open
	keep *keepAlive // nil: SO_KEEPALIVE is off

	sacked *scoreboard // nil: the peer told of nothing beyond what it acknowledges
	space  rcvSpace
	most   uint16 // the MSS while the path took more than it does, bytes; 0: it never did

	userTimeout time.Duration // TCP_USER_TIMEOUT; 0: Config's limits alone
	linger2     time.Duration // TCP_LINGER2; 0: Config.FinWait2, less: none
	clamp       uint32        // TCP_WINDOW_CLAMP, bytes; 0: none
	unsentLow   uint32        // TCP_NOTSENT_LOWAT, bytes; 0: none
	synRetry    uint8         // TCP_SYNCNT; 0: Config.SynRetries

	challenges  uint8  // sent in this second
	challengeAt uint32 // the second in which challenges are counted
}

// settings returns what of r outlives a connection; nil: nothing.
func (r *rare) settings() *rare {
	if r == nil {
		return nil
	}
	kept := rare{
		keep: r.keep, userTimeout: r.userTimeout, synRetry: r.synRetry,
		linger2: r.linger2, clamp: r.clamp, unsentLow: r.unsentLow,
	}
	if kept == (rare{}) {
		return nil
	}
	return &kept
}

// rarely returns c.rare to write to.
func (c *Conn) rarely() *rare {
	if c.rare == nil {
		c.rare = new(rare)
	}
	return c.rare
}

// notes are the facts of a Conn that take one bit.
type notes uint32

const (
	sackOK     notes = 1 << iota // both offered SACK-permitted
	tsOK                         // both offered timestamps
	scaleOK                      // both offered window scale
	active                       // we sent the first SYN (SYN-RECEIVED by simultaneous open)
	finDue                       // CloseWrite was called: a FIN follows the bytes in send
	readShut                     // CloseRead was called
	writeShut                    // CloseWrite was called
	orphan                       // Close was called: nobody reads or hears any more
	peerFIN                      // the peer's FIN was received in order
	owesSYN                      // Next: send the SYN or SYN-ACK (again)
	owesACK                      // Next: send an ACK at once
	owesProbe                    // Next: send a window probe
	owesReset                    // Next: send a reset, the last segment
	owesFirst                    // Next: send the first segment in flight again (fast retransmit)
	recovering                   // in fast recovery
	noDelay                      // TCP_NODELAY
	ownSndBuf                    // SetSndBuf was called
	ownRcvBuf                    // SetRcvBuf was called
	synText                      // bytes went with a SYN, and were taken
	heard                        // bytes were received
	answers                      // bytes were sent after some were received: acknowledgements go with the next
	corked                       // TCP_CORK
	more                         // the last bytes written wait for others (MSG_MORE)
	unfinished                   // they were: no PSH
	pushed                       // what is written now waits for nothing
	early                        // bytes may be sent in SYN-RECEIVED: the peer's cookie was valid
	holeTimer                    // rexmitAt is not the timeout, but when holes are lost
)

// The five uppermost bits of notes count the acknowledgements that need not wait.
const (
	oneQuick notes = 1 << 27
	quicks   notes = 31 * oneQuick

	_ = oneQuick - holeTimer<<1 // does not compile when the last note reaches them
)

func (c *Conn) has(n notes) bool { return c.notes&n != 0 }

// State returns the state.
func (c *Conn) State() State { return c.state }

// Reason says how the connection ended; Running while it hasn't.
func (c *Conn) Reason() Reason { return c.reason }

// LocalPort returns our port, in host order.
func (c *Conn) LocalPort() uint16 { return c.local }

// RemotePort returns the peer's port, in host order.
func (c *Conn) RemotePort() uint16 { return c.remote }

// MSS returns the largest payload of one packet, in bytes.
func (c *Conn) MSS() uint16 { return c.mss }

// SetSynRetries overrides Config.SynRetries (TCP_SYNCNT); 0 takes it back.
func (c *Conn) SetSynRetries(n uint8) { c.rarely().synRetry = n }

// SetUserTimeout bounds how long bytes, or a SYN, may stay unacknowledged (TCP_USER_TIMEOUT); 0: no such bound. It
// holds from the next time a retransmission timer is set.
func (c *Conn) SetUserTimeout(d time.Duration) { c.rarely().userTimeout = d }

// userTimeout returns 0 where there is none.
func (c *Conn) userTimeout() time.Duration {
	if c.rare == nil {
		return 0
	}
	return c.rare.userTimeout
}

// SndBuf returns the size of the send buffer, in bytes; 0 before Open, unless it was set.
func (c *Conn) SndBuf() uint32 { return c.sndBuf }

// SetSndBuf sets the size of the send buffer, in bytes, which does not grow any more. What is in it stays.
func (c *Conn) SetSndBuf(n uint32) {
	c.sndBuf = n
	c.notes |= ownSndBuf
}

// RcvBuf returns the size of the receive buffer, in bytes; 0 before Open, unless it was set.
func (c *Conn) RcvBuf() uint32 { return c.rcvBuf }

// SetRcvBuf sets the size of the receive buffer, in bytes, which does not grow any more. A window that was offered is never taken back
// (RFC 9293, 3.8.6). Before Open it also decides the window scale; call it between a Conn's making and Open.
func (c *Conn) SetRcvBuf(n uint32) {
	c.rcvBuf = n
	c.notes |= ownRcvBuf
}

func (c *Conn) set(n notes, on bool) {
	if on {
		c.notes |= n
	} else {
		c.notes &^= n
	}
}

// inFlight returns how many bytes (and SYN, FIN) were sent and not acknowledged.
func (c *Conn) inFlight() uint32 { return c.sndMax - c.sndUna }

// Info is what TCP_INFO shows of a connection.
type Info struct {
	State                         State
	Retransmits                   uint8 // timeouts since the last progress
	RTO, SRTT, RTTVar             time.Duration
	MSS, Offer, RcvMSS            uint16 // of segments sent, offered to the peer, and the largest that came
	Cwnd, Ssthresh                uint32 // bytes
	SndWnd, RcvWnd                uint32 // bytes
	SndUna, SndNxt, RcvNxt        uint32
	InFlight, Sacked              uint32 // bytes
	Recovering, Losing            bool   // in fast recovery; sending again what was lost by a timeout or a path's MTU
	Reordered                     bool   // duplicate acknowledgements came, fewer than show a loss
	SndScale, RcvScale            uint8
	Timestamps, SACK, WindowScale bool
	SynText                       bool // bytes went with a SYN, and were taken
}

// Info returns a look at the connection.
func (c *Conn) Info() Info {
	return Info{
		State: c.state, Retransmits: c.retries,
		RTO: c.rto, SRTT: c.srtt.duration(), RTTVar: c.rttvar.duration(),
		MSS: c.mss, Offer: c.offer, RcvMSS: c.rcvMSS, Cwnd: c.cwnd, Ssthresh: c.ssthresh,
		SndWnd: c.sndWnd, RcvWnd: c.rcvAdv - c.rcvNxt,
		SndUna: c.sndUna, SndNxt: c.sndNxt, RcvNxt: c.rcvNxt,
		InFlight: c.inFlight(), Sacked: c.sacked(), Recovering: c.has(recovering), Reordered: c.dupAcks > 0,
		Losing:   !c.has(recovering) && before(c.sndUna, c.recover),
		SndScale: c.sndScale, RcvScale: c.rcvScale,
		Timestamps: c.has(tsOK), SACK: c.has(sackOK), WindowScale: c.has(scaleOK),
		SynText: c.has(synText),
	}
}
