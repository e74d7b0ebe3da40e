// SPDX-License-Identifier: Apache-2.0

package tcp

import (
	"testing"
	"time"

	"dialtone/wire"
)

// in makes a connection in each state.
var in = map[State]func(testing.TB, *Config) *bench{
	SynSent: inSynSent, SynReceived: inSynReceived, Established: inEstablished,
	FinWait1: inFinWait1, FinWait2: inFinWait2, CloseWait: inCloseWait,
	Closing: inClosing, LastAck: inLastAck, TimeWait: inTimeWait,
}

// states are all states but Closed, in order.
var states = []State{SynSent, SynReceived, Established, FinWait1, FinWait2, CloseWait, Closing, LastAck, TimeWait}

// answer drains the connection and says in a word what it sent: none, ACK, SYN-ACK, RST, or what ResetFor makes.
func (b *bench) answer(ev Events, to *wire.Segment) string {
	b.Helper()
	if ev&Refuse != 0 {
		b.quiet()
		if _, ok := ResetFor(to); !ok {
			return "none"
		}
		return "refuse"
	}
	var s wire.Segment
	got := "none"
	for n := 0; b.c.Next(b.now, &s); n++ {
		if n > 0 {
			b.Fatalf("%v: a second segment %s", b.c.State(), describe(&s))
		}
		switch s.Flags &^ wire.PSH {
		case wire.ACK:
			got = "ACK"
		case wire.SYN | wire.ACK:
			got = "SYN-ACK"
		case wire.RST | wire.ACK:
			got = "RST"
		case wire.FIN | wire.ACK:
			got = "FIN"
		default:
			b.Fatalf("%v: unexpected %s", b.c.State(), describe(&s))
		}
	}
	return got
}

// TestReceive_everyStateEveryEvent: what each kind of segment leads to in each state.
func TestReceive_everyStateEveryEvent(t *testing.T) {
	for _, e := range stateEvents {
		for i, s := range states {
			t.Run(e.name+" in "+s.String(), func(t *testing.T) {
				b := in[s](t, plain())
				rcv, snd := b.c.rcvNxt-peerISS, b.c.sndMax-ourISS
				if s == SynSent {
					rcv = 1
				}
				seg := e.seg(rcv, snd)
				got := b.answer(b.receive(seg), seg)
				want := e.want[i]
				if want.state == stay {
					want.state = s
				}
				if g := (outcome{b.c.State(), got, b.c.Reason()}); g != want {
					t.Errorf("%s:\ngot  %v\nwant %v", describe(seg), g, want)
				}
			})
		}
	}
}

// TestCalls_everyState: what the owner's calls lead to.
func TestCalls_everyState(t *testing.T) {
	for _, e := range stateCalls {
		for i, s := range states {
			t.Run(e.name+" in "+s.String(), func(t *testing.T) {
				b := in[s](t, plain())
				e.call(b)
				if g := (ending{b.c.State(), b.answer(0, nil)}); g != e.want[i] {
					t.Errorf("got %v, want %v", g, e.want[i])
				}
				if n := b.c.Write([]byte("x")); n != 0 {
					t.Errorf("wrote %d bytes afterwards", n)
				}
				if _, ok := b.c.Deadline(); ok && b.c.State() == Closed {
					t.Error("closed, and a timer runs")
				}
				e.call(b) // again: nothing
				b.quiet()
			})
		}
	}
}

// TestClosed_refuses: the zero Conn and an ended one have no answer of their own.
func TestClosed_refuses(t *testing.T) {
	var c Conn
	if ev := c.Receive(start, peer(wire.ACK, 1, 1, "")); ev != Refuse {
		t.Errorf("events %b, want Refuse", ev)
	}
	var s wire.Segment
	if c.Next(start, &s) {
		t.Errorf("sent %s", describe(&s))
	}
	if _, ok := c.Deadline(); ok {
		t.Error("a timer runs")
	}
	// The calls of an owner who never opened it.
	c.SetMSS(100)
	c.SetNoDelay(true)
	c.CloseRead()
	c.CloseWrite()
	c.Close(start)
	c.Abort()
	c.Fail()
	if ev := c.Tick(start); ev != 0 || c.Write([]byte("x")) != 0 || c.Read(make([]byte, 1)) != 0 || c.State() != Closed {
		t.Errorf("events %b, %v", ev, c.State())
	}
	if c.Next(start, &s) {
		t.Errorf("sent %s", describe(&s))
	}
}

// TestResetFor is RFC 9293, 3.10.7.1.
func TestResetFor(t *testing.T) {
	for _, c := range []struct {
		name string
		in   wire.Segment
		want wire.Segment // flags 0: none
	}{
		{"SYN", wire.Segment{Flags: wire.SYN, Seq: 7}, wire.Segment{Flags: wire.RST | wire.ACK, Ack: 8}},
		{"SYN with text", wire.Segment{Flags: wire.SYN, Seq: 7, Payload: []byte("abc")}, wire.Segment{Flags: wire.RST | wire.ACK, Ack: 11}},
		{"FIN without ACK", wire.Segment{Flags: wire.FIN, Seq: 7}, wire.Segment{Flags: wire.RST | wire.ACK, Ack: 8}},
		{"ACK", wire.Segment{Flags: wire.ACK, Seq: 7, Ack: 99}, wire.Segment{Flags: wire.RST, Seq: 99}},
		{"SYN-ACK", wire.Segment{Flags: wire.SYN | wire.ACK, Seq: 7, Ack: 99}, wire.Segment{Flags: wire.RST, Seq: 99}},
		{"RST", wire.Segment{Flags: wire.RST, Seq: 7}, wire.Segment{}},
		{"RST-ACK", wire.Segment{Flags: wire.RST | wire.ACK, Seq: 7, Ack: 99}, wire.Segment{}},
	} {
		c.in.SrcPort, c.in.DstPort = 1, 2
		got, ok := ResetFor(&c.in)
		if ok != (c.want.Flags != 0) {
			t.Errorf("%s: %v", c.name, ok)
			continue
		}
		if ok && (got.Flags != c.want.Flags || got.Seq != c.want.Seq || got.Ack != c.want.Ack || got.SrcPort != 2 || got.DstPort != 1) {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
	}
}

// TestChallenge_limited: no more answers a second than Config says to segments that can't be right (RFC 5961, 7).
func TestChallenge_limited(t *testing.T) {
	b := inEstablished(t, plain())
	count := func() (n int) {
		for range 100 {
			b.receive(peer(wire.RST, 11, 0, ""))
			b.receive(peer(wire.SYN, 1, 0, ""))
			b.receive(peer(wire.ACK, 1, 1<<20, ""))
			b.receive(peer(wire.ACK, 1<<20, 1, ""))
			var s wire.Segment
			for b.c.Next(b.now, &s) {
				n++
			}
		}
		return n
	}
	// Several may be answered by one ACK, so there can be fewer.
	if n := count(); n == 0 || n > int(b.c.cfg.ChallengeAcks) {
		t.Errorf("%d answers in a second, want 1 to %d", n, b.c.cfg.ChallengeAcks)
	}
	b.now += time.Second
	if n := count(); n == 0 {
		t.Error("no answers in the next second")
	}
	b.in(Established)
}
