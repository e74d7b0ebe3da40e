// SPDX-License-Identifier: Apache-2.0

package tcp

import "dialtone/wire"

// outcome is what a segment leads to: the state, how it is answered, and if the connection ended, why.
type outcome struct {
	state  State
	answer string // none, ACK, SYN-ACK, RST, FIN; refuse: what ResetFor makes
	reason Reason
}

// stay stands for the state that the connection was in.
const stay = State(255)

var (
	ack    = outcome{stay, "ACK", Running}
	none   = outcome{stay, "none", Running}
	refuse = outcome{stay, "refuse", Running}
	reset  = outcome{Closed, "none", Reset}
)

// stateEvents is RFC 9293, 3.10.7 as a table, with the changes of RFC 5961: for each state what a kind of segment leads
// to.
var stateEvents = []struct {
	name string
	seg  func(rcv, snd uint32) *wire.Segment // rcv: the next number expected; snd: the end of all that was sent
	want [9]outcome                          // by state, in the order of states
}{
	{
		"RST with the next number",
		func(rcv, snd uint32) *wire.Segment { return peer(wire.RST|wire.ACK, rcv, snd, "") },
		[9]outcome{
			{Closed, "none", Refused},
			{Closed, "none", ResetHandshake},
			reset, reset, reset,
			{Closed, "none", ResetAfterFIN},
			reset, reset,
			{Closed, "none", Finished},
		},
	},
	{
		"RST elsewhere in the window", // RFC 5961, 3.2
		func(rcv, _ uint32) *wire.Segment { return peer(wire.RST, rcv+10, 0, "") },
		[9]outcome{none, ack, ack, ack, ack, ack, ack, ack, none},
	},
	{
		"RST outside of the window",
		func(rcv, _ uint32) *wire.Segment { return peer(wire.RST, rcv+20000, 0, "") },
		[9]outcome{none, none, none, none, none, none, none, none, none},
	},
	{
		"RST with a number of the past",
		func(rcv, _ uint32) *wire.Segment { return peer(wire.RST, rcv-1, 0, "") },
		[9]outcome{none, none, none, none, none, {Closed, "none", ResetAfterFIN}, reset, reset, none},
	},
	{
		"SYN in the window", // RFC 5961, 4; in SYN-SENT a simultaneous open
		func(rcv, _ uint32) *wire.Segment { return peer(wire.SYN, rcv, 0, "") },
		[9]outcome{{SynReceived, "SYN-ACK", Running}, ack, ack, ack, ack, ack, ack, ack, ack},
	},
	{
		"SYN outside of the window", // in TIME-WAIT a new connection
		func(rcv, _ uint32) *wire.Segment { return peer(wire.SYN, rcv+20000, 0, "") },
		[9]outcome{{SynReceived, "SYN-ACK", Running}, ack, ack, ack, ack, ack, ack, ack, {Closed, "none", Finished}},
	},
	{
		"the peer's SYN again",
		func(uint32, uint32) *wire.Segment { return peer(wire.SYN, 0, 0, "") },
		[9]outcome{{SynReceived, "SYN-ACK", Running}, {stay, "SYN-ACK", Running}, ack, ack, ack, ack, ack, ack, ack},
	},
	{
		"ACK of what was never sent", // RFC 5961, 5.2
		func(rcv, snd uint32) *wire.Segment { return peer(wire.ACK, rcv, snd+1, "") },
		[9]outcome{refuse, refuse, ack, ack, ack, ack, ack, ack, none},
	},
	{
		"ACK of long ago", // RFC 5961, 5.2
		func(rcv, snd uint32) *wire.Segment { return peer(wire.ACK, rcv, snd-20000, "") },
		[9]outcome{refuse, refuse, ack, ack, ack, ack, ack, ack, none},
	},
	{
		"SYN-ACK of what was never sent",
		func(rcv, snd uint32) *wire.Segment { return peer(wire.SYN|wire.ACK, rcv-1, snd+1, "") },
		[9]outcome{refuse, refuse, ack, ack, ack, ack, ack, ack, ack},
	},
	{
		"text without ACK",
		func(rcv, _ uint32) *wire.Segment { return peer(0, rcv, 0, "text") },
		[9]outcome{none, none, none, none, none, none, none, none, ack},
	},
	{
		"nothing new",
		func(rcv, snd uint32) *wire.Segment { return peer(wire.ACK, rcv, min(snd, 1), "") },
		[9]outcome{none, {Established, "none", Running}, none, none, none, none, none, none, none},
	},
	{
		"ACK of everything",
		func(rcv, snd uint32) *wire.Segment { return peer(wire.ACK, rcv, snd, "") },
		[9]outcome{
			none,
			{Established, "none", Running},
			none,
			{FinWait2, "none", Running},
			none, none,
			{TimeWait, "none", Running},
			{Closed, "none", Finished},
			none,
		},
	},
	{
		"FIN and ACK of everything",
		func(rcv, snd uint32) *wire.Segment { return peer(wire.FIN|wire.ACK, rcv, snd, "") },
		[9]outcome{
			none,
			{CloseWait, "ACK", Running},
			{CloseWait, "ACK", Running},
			{TimeWait, "ACK", Running},
			{TimeWait, "ACK", Running},
			none,
			{TimeWait, "none", Running},
			{Closed, "none", Finished},
			ack,
		},
	},
	{
		"FIN and no new ACK",
		func(rcv, _ uint32) *wire.Segment { return peer(wire.FIN|wire.ACK, rcv, 1, "") },
		[9]outcome{
			none,
			{CloseWait, "ACK", Running},
			{CloseWait, "ACK", Running},
			{Closing, "ACK", Running},
			{TimeWait, "ACK", Running},
			none, none, none, ack,
		},
	},
	{
		"text",
		func(rcv, _ uint32) *wire.Segment { return peer(wire.ACK, rcv, 1, "text") },
		[9]outcome{none, {Established, "ACK", Running}, ack, ack, ack, none, none, none, ack},
	},
	{
		"the last number once more, with FIN", // the peer's FIN, where it was received
		func(rcv, _ uint32) *wire.Segment { return peer(wire.FIN|wire.ACK, rcv-1, 1, "") },
		[9]outcome{none, {Established, "ACK", Running}, ack, ack, ack, ack, ack, ack, ack},
	},
	{
		"text outside of the window",
		func(rcv, _ uint32) *wire.Segment { return peer(wire.ACK, rcv+20000, 1, "text") },
		[9]outcome{none, ack, ack, ack, ack, ack, ack, ack, ack},
	},
	{
		"window probe",
		func(rcv, _ uint32) *wire.Segment { return peer(wire.ACK, rcv-1, 1, "") },
		[9]outcome{none, ack, ack, ack, ack, ack, ack, ack, ack},
	},
	{
		"SYN-ACK",
		func(_, snd uint32) *wire.Segment { return peer(wire.SYN|wire.ACK, 0, 1, "") },
		[9]outcome{{Established, "ACK", Running}, ack, ack, ack, ack, ack, ack, ack, ack},
	},
}

// ending is what an owner's call leads to: the state, and what is sent.
type ending struct {
	state State
	sent  string // none, FIN, RST
}

// closing: what is to be sent goes first, then the FIN.
var closing = [9]ending{
	{Closed, "none"},
	{SynReceived, "none"},
	{FinWait1, "FIN"},
	{FinWait1, "none"},
	{FinWait2, "none"},
	{LastAck, "FIN"},
	{Closing, "none"},
	{LastAck, "none"},
	{TimeWait, "none"},
}

// stateCalls: for each state what the calls that end a connection, or a half of it, lead to.
var stateCalls = []struct {
	name string
	call func(b *bench)
	want [9]ending // by state, in the order of states
}{
	{"CloseWrite", func(b *bench) { b.c.CloseWrite() }, closing},
	{"Close", func(b *bench) { b.c.Close(b.now) }, closing}, // with nothing unread
	{
		"Abort", func(b *bench) { b.c.Abort() }, // RFC 9293, 3.10.5
		[9]ending{
			{Closed, "none"},
			{Closed, "RST"},
			{Closed, "RST"},
			{Closed, "RST"},
			{Closed, "RST"},
			{Closed, "RST"},
			{Closed, "none"},
			{Closed, "none"},
			{Closed, "none"},
		},
	},
	{
		"Fail", func(b *bench) { b.c.Fail() },
		[9]ending{
			{Closed, "none"},
			{Closed, "none"},
			{Closed, "none"},
			{Closed, "none"},
			{Closed, "none"},
			{Closed, "none"},
			{Closed, "none"},
			{Closed, "none"},
			{Closed, "none"},
		},
	},
}
