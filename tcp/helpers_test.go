// SPDX-License-Identifier: Apache-2.0

package tcp

import (
	"crypto/sha256"
	"math/rand/v2"
	"testing"
	"time"

	"dialtone/wire"
)

// The peer of the tests that start in a state is played by hand: its port, its initial sequence number, and ours.
const (
	ourPort, peerPort = 40000, 80
	ourISS, peerISS   = 1000, 5000
	testMSS           = 1000
	start             = time.Second // of every test
)

// plain is a Config without options and delays, so that segments are easy to write by hand.
func plain() *Config {
	cfg := Defaults()
	cfg.WindowScale, cfg.Timestamps, cfg.SACK = false, false, false
	cfg.RcvBuf, cfg.SndBuf = 10000, 10000
	cfg.DelayedAck = 0
	return &cfg
}

// random returns n bytes that differ by seed.
func random(n int, seed byte) []byte {
	b := make([]byte, n)
	rand.NewChaCha8(sha256.Sum256([]byte{seed})).Read(b)
	return b
}

// bench is a connection under test with a clock and a hand-played peer.
type bench struct {
	testing.TB
	c   *Conn
	now time.Duration
}

// peer makes a segment from the peer. Its sequence number is relative to the peer's initial one, its acknowledgement to
// ours: 1 is the first byte.
func peer(flags wire.Flags, seq, ack uint32, text string) *wire.Segment {
	s := &wire.Segment{SrcPort: peerPort, DstPort: ourPort, Seq: peerISS + seq, Flags: flags, Window: 8000, Payload: []byte(text)}
	if flags.Has(wire.ACK) {
		s.Ack = ourISS + ack
	}
	return s
}

// receive gives the segment to the connection.
func (b *bench) receive(s *wire.Segment) Events {
	b.Helper()
	return b.c.Receive(b.now, s)
}

// next returns the one segment that the connection sends, relative numbers, and fails if there is none.
func (b *bench) next() wire.Segment {
	b.Helper()
	var s wire.Segment
	if !b.c.Next(b.now, &s) {
		b.Fatalf("%v: nothing to send", b.c.State())
	}
	return s
}

// want fails unless the next segment has these flags, numbers and text.
func (b *bench) want(flags wire.Flags, seq, ack uint32, text string) wire.Segment {
	b.Helper()
	s := b.next()
	gotAck := uint32(0)
	if s.Flags.Has(wire.ACK) {
		gotAck = s.Ack - peerISS
	}
	if s.Flags&^wire.PSH != flags || s.Seq-ourISS != seq || gotAck != ack || string(s.Payload) != text {
		b.Fatalf("sent %s, want flags %05b seq %d ack %d %q", describe(&s), flags, seq, ack, text)
	}
	return s
}

// quiet fails if the connection has something to send.
func (b *bench) quiet() {
	b.Helper()
	var s wire.Segment
	if b.c.Next(b.now, &s) {
		b.Fatalf("%v: sent %s, want nothing", b.c.State(), describe(&s))
	}
}

// in fails unless the connection is in the state.
func (b *bench) in(s State) {
	b.Helper()
	if b.c.State() != s {
		b.Fatalf("state %v (%v), want %v", b.c.State(), b.c.Reason(), s)
	}
}

// ended fails unless the connection ended for the reason.
func (b *bench) ended(r Reason) {
	b.Helper()
	b.in(Closed)
	if b.c.Reason() != r {
		b.Fatalf("ended: %v, want %v", b.c.Reason(), r)
	}
}

// tick moves the clock on to the next deadline, which must lie d ahead, and lets the connection act.
func (b *bench) tick(d time.Duration) Events {
	b.Helper()
	at, ok := b.c.Deadline()
	if !ok || at-b.now != d {
		b.Fatalf("%v: deadline %v from now (%v), want %v", b.c.State(), at-b.now, ok, d)
	}
	b.now = at
	return b.c.Tick(at)
}

// read returns what can be read.
func (b *bench) read() string {
	p := make([]byte, 1<<16)
	return string(p[:b.c.Read(p)])
}

// arrived checks that b has nothing more to send and is in a state.
func (b *bench) arrived(in State) *bench {
	b.quiet()
	b.in(in)
	return b
}

func inSynSent(t testing.TB, cfg *Config) *bench {
	b := &bench{t, new(Conn), start}
	b.c.Open(b.now, cfg, ourPort, peerPort, ourISS, testMSS)
	b.want(wire.SYN, 0, 0, "")
	return b.arrived(SynSent)
}

func inSynReceived(t testing.TB, cfg *Config) *bench {
	b := &bench{t, new(Conn), start}
	syn := peer(wire.SYN, 0, 0, "")
	syn.Options.MSS = testMSS
	b.c.Accept(b.now, cfg, syn, ourISS, testMSS)
	b.want(wire.SYN|wire.ACK, 0, 1, "")
	return b.arrived(SynReceived)
}

func inEstablished(t testing.TB, cfg *Config) *bench {
	b := inSynReceived(t, cfg)
	if ev := b.receive(peer(wire.ACK, 1, 1, "")); ev&Connected == 0 {
		t.Fatalf("events %07b, want Connected", ev)
	}
	return b.arrived(Established)
}

func inFinWait1(t testing.TB, cfg *Config) *bench {
	b := inEstablished(t, cfg)
	b.c.CloseWrite()
	b.want(wire.FIN|wire.ACK, 1, 1, "")
	return b.arrived(FinWait1)
}

func inFinWait2(t testing.TB, cfg *Config) *bench {
	b := inFinWait1(t, cfg)
	b.receive(peer(wire.ACK, 1, 2, ""))
	return b.arrived(FinWait2)
}

func inCloseWait(t testing.TB, cfg *Config) *bench {
	b := inEstablished(t, cfg)
	if ev := b.receive(peer(wire.FIN|wire.ACK, 1, 1, "")); ev&(PeerClosed|Readable) != PeerClosed|Readable {
		t.Fatalf("events %07b, want PeerClosed and Readable", ev)
	}
	b.want(wire.ACK, 1, 2, "")
	return b.arrived(CloseWait)
}

func inClosing(t testing.TB, cfg *Config) *bench {
	b := inFinWait1(t, cfg)
	b.receive(peer(wire.FIN|wire.ACK, 1, 1, ""))
	b.want(wire.ACK, 2, 2, "")
	return b.arrived(Closing)
}

func inLastAck(t testing.TB, cfg *Config) *bench {
	b := inCloseWait(t, cfg)
	b.c.CloseWrite()
	b.want(wire.FIN|wire.ACK, 1, 2, "")
	return b.arrived(LastAck)
}

func inTimeWait(t testing.TB, cfg *Config) *bench {
	b := inFinWait2(t, cfg)
	b.receive(peer(wire.FIN|wire.ACK, 1, 2, ""))
	b.want(wire.ACK, 2, 2, "")
	return b.arrived(TimeWait)
}
