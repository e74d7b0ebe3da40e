// SPDX-License-Identifier: Apache-2.0

// Package tcp is one TCP connection (RFC 9293), pure: segments and the time go in; segments, the next deadline and
// events come out. It does no I/O, starts no goroutine, reads no clock, takes no lock and looks up no address. Who owns
// a [Conn] calls it from one goroutine at a time.
//
//	            Open, Accept, Write, Read, CloseWrite, Close, Abort
//	                               │
//	segments ──► Receive ──►  ┌────▼────┐ ──► Next ──► segments, until it says false
//	    time ──► Tick    ──►  │  Conn   │ ──► Deadline: when Tick wants to be called
//	                          └────┬────┘
//	                               └──► Events: what a waiter or a listener should hear
//
// The owner's whole duty is a loop of three steps, after each call that is not a mere look:
//
//	ev := c.Receive(now, &seg)         // or Tick, Write, Read, Close, ...
//	for c.Next(now, &out) { send(out) } // always drain, also when the state is Closed: a reset may wait
//	at, ok := c.Deadline()             // arm a timer; to call Tick early is harmless, a late timer may be moved lazily
//
// Time is a monotonic [time.Duration] since an epoch of the owner's; it must be greater than 0 and never go back.
//
// # A segment's way
//
// Receive looks at the state (receive.go), tests the sequence number (acceptable, RFC 9293 3.10.7.4), handles RST and
// SYN as RFC 5961 wants it, then the acknowledgement (ack.go, rto.go, congestion.go), the text (reassembly.go) and
// the FIN. It sends nothing: it leaves notes in the Conn, and Next (output.go) makes the segments out of the state.
//
// A segment for which there is no connection, or one for which Receive returns [Refuse], is answered with
// [ResetFor].
//
// # Bytes
//
// Write copies the caller's bytes once, into chunks that are never rewritten; segments point into them, the receiver
// queues these pointers, and Read copies out. A segment's payload is therefore shared and immutable. A payload given
// to Receive may be kept until it was read: who parses segments from a buffer that is reused must copy it first.
//
// # What a socket says
//
// Errors are not made here. [Conn.Reason] says how a connection ended, and the owner's personality turns it into an
// errno. With Connected, EOF, WriteClosed, Buffered and Writable the results of read, write and poll follow.
//
// # What is left out, and where it will go
//
// The congestion window is kept over idle times (RFC 5681, 4.1 would let it shrink). Urgent data is delivered in line,
// as RFC 6093 recommends, without a mark.
//
// Loss recovery is that of RFC 6675, by the peer's selective acknowledgements (scoreboard.go; ours are made in
// reassembly.go), and NewReno's (RFC 6582) with a peer that gives none. What is lost is told by what came after it, and a
// little by the time (hole.go): there is no clock for each segment (RACK), and no tail loss probe (RFC 8985). A duplicate is
// not told of (DSACK, RFC 2883). SYN cookies are one more way into SYN-RECEIVED in open.go; a path's MTU arrives in
// pathmtu.go.
package tcp
