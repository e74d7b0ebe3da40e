// SPDX-License-Identifier: Apache-2.0

package tcp

import (
	"bytes"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dialtone/wire"
)

// goodput returns how many bytes a second reach the other end of a wire, in virtual time. Of the data segments loss are
// lost, burst in a row each time.
func goodput(t *testing.T, latency time.Duration, loss float64, burst int, sack bool, seed uint64) float64 {
	const size = 4 << 20
	cfg := Defaults()
	cfg.RcvBuf, cfg.SndBuf, cfg.SACK = 1<<20, 1<<20, sack
	w := newNetwork(t, faults{latency: latency}, seed)
	losing := 0
	w.lose = func(_ int, s *wire.Segment) bool {
		if losing == 0 && len(s.Payload) > 0 && w.chance.Float64() < loss/float64(burst) {
			losing = burst
		}
		if losing == 0 || len(s.Payload) == 0 {
			return false
		}
		losing--
		return true
	}
	x := &transfer{bite: 9000}
	x.data[0] = random(size, byte(seed))
	w.step = func(end int) { x.step(w, end) }
	w.connect(&cfg, 1460)
	w.run(time.Hour, func() bool { return len(x.got[1]) == size })
	if !bytes.Equal(x.got[1], x.data[0]) {
		t.Fatal("what arrived is not what was sent")
	}
	return size / (w.now - start).Seconds()
}

// TestSACK_goodput: what selective acknowledgements gain, and that nobody takes more than his share. Single losses on a long
// way cost a halved window each, with them or without; what they save is a round trip for each loss after the first in a
// window, and timeouts. Of losses that come one by one, a share p of the segments, Reno carries about MSS/RTT*sqrt(3/2p),
// whatever it knows of them (Mathis et al., "The Macroscopic Behavior of the TCP Congestion Avoidance Algorithm", 1997).
func TestSACK_goodput(t *testing.T) {
	const seeds = 25
	for _, c := range []struct {
		name    string
		latency time.Duration
		loss    float64
		burst   int
		gain    float64
	}{
		{"1 % on 50 ms", 50 * time.Millisecond, 0.01, 1, 0.9},
		{"1 % on 50 ms, 5 at a time", 50 * time.Millisecond, 0.01, 5, 1.5},
		{"5 % on 5 ms", 5 * time.Millisecond, 0.05, 1, 1.3},
	} {
		t.Run(c.name, func(t *testing.T) {
			var with, without float64
			for seed := range uint64(seeds) {
				with += goodput(t, c.latency, c.loss, c.burst, true, seed) / seeds
				without += goodput(t, c.latency, c.loss, c.burst, false, seed) / seeds
			}
			t.Logf("%.0f kB/s with SACK, %.0f without: %.2f times as much", with/1e3, without/1e3, with/without)
			if with < c.gain*without {
				t.Errorf("%.2f times as much, want %.2f at least", with/without, c.gain)
			}
			if c.burst > 1 {
				return
			}
			reno := 1460 / (2 * c.latency).Seconds() * math.Sqrt(1.5/c.loss)
			if with < 0.8*reno || with > 1.3*reno {
				t.Errorf("%.0f kB/s, where Reno carries %.0f", with/1e3, reno/1e3)
			}
		})
	}
}

// TestSACK_sendsAgainWhatWasLost: and little else, on a wire that keeps the order: what is sent twice for nothing is
// what a timeout takes for lost, behind all that the peer has.
func TestSACK_sendsAgainWhatWasLost(t *testing.T) {
	const size = 4 << 20
	for seed := range uint64(5) {
		cfg := Defaults()
		w := newNetwork(t, faults{latency: 10 * time.Millisecond}, seed)
		lost, sent := 0, 0
		w.lose = func(_ int, s *wire.Segment) bool {
			sent += len(s.Payload)
			if w.chance.Float64() < 0.02 {
				lost += len(s.Payload)
				return true
			}
			return false
		}
		x := &transfer{bite: 9000}
		x.data[0] = random(size, byte(seed))
		w.step = func(end int) { x.step(w, end) }
		w.connect(&cfg, 1460)
		w.run(time.Hour, func() bool { return len(x.got[1]) == size })
		again := sent - size
		t.Logf("seed %d: %d bytes lost, %d sent again, in %v", seed, lost, again, w.now-start)
		if again > lost+lost/10 {
			t.Errorf("seed %d: %d bytes lost, %d sent again", seed, lost, again)
		}
	}
}

// naiveBoard is the twin: a flag for each byte.
type naiveBoard struct {
	has         [120]bool
	una, resent int
}

// above returns the spans and bytes that the peer has from byte i on.
func (n *naiveBoard) above(i int) (spans, size int) {
	for ; i < len(n.has); i++ {
		if n.has[i] {
			size++
			if i == 0 || !n.has[i-1] {
				spans++
			}
		}
	}
	return spans, size
}

func (n *naiveBoard) lost(i, mss int) bool {
	spans, size := n.above(i)
	return spans >= 3 || size > 2*mss
}

func (n *naiveBoard) pipe(mss int) (size int) {
	for i := n.una; i < len(n.has); i++ {
		if n.has[i] {
			continue
		}
		if spans, _ := n.above(i); spans == 0 || !n.lost(i, mss) {
			size++
		}
		if spans, _ := n.above(i); spans > 0 && i < n.resent {
			size++
		}
	}
	return size
}

func (n *naiveBoard) next(mss int, lostOnly bool) (from, to int, ok bool) {
	for from = max(n.una, n.resent); from < len(n.has); from++ {
		if spans, _ := n.above(from); n.has[from] || spans == 0 {
			continue
		}
		for to = from; !n.has[to]; to++ {
		}
		return from, to, !lostOnly || n.lost(from, mss)
	}
	return 0, 0, false
}

// TestScoreboard_agreesWithNaiveTwin: across the end of the sequence space.
func TestScoreboard_agreesWithNaiveTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const base = 1<<32 - 60
		c := &Conn{sndUna: base, notes: recovering, rare: &rare{sacked: &scoreboard{resent: base, late: base}}}
		c.sndMax = c.sndUna + 120
		n := &naiveBoard{}
		mss := rapid.IntRange(1, 12).Draw(t, "mss")
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			s := c.rare.sacked
			from := rapid.IntRange(n.una, len(n.has)-1).Draw(t, "from")
			to := rapid.IntRange(from+1, min(from+12, len(n.has))).Draw(t, "to")
			switch rapid.IntRange(0, 5).Draw(t, "op") {
			case 0: // acknowledge
				n.una, n.resent = from, max(n.resent, from)
				for i := range from {
					n.has[i] = false
				}
				c.sndUna += uint32(from) - (c.sndUna - base)
				c.forgetBelow(c.sndUna)
			case 1: // send again
				if h, ok := s.next(c.sndUna, uint32(mss), false); ok {
					s.resent = h.from + 1
					n.resent = int(h.from-base) + 1
				}
			default:
				fresh := slices.Contains(n.has[from:to], false)
				for i := from; i < to; i++ {
					n.has[i] = true
				}
				seg := &wire.Segment{Ack: c.sndUna}
				seg.Options.SACK[0] = wire.SACKBlock{Left: base + uint32(from), Right: base + uint32(to)}
				seg.Options.SACKBlocks = 1
				if news := c.takeSACK(seg); news != fresh {
					t.Fatalf("news: %v, want %v", news, fresh)
				}
			}
			if got, want := s.pipe(c.sndUna, c.sndMax, uint32(mss)), n.pipe(mss); int(got) != want {
				t.Fatalf("pipe %d, want %d: %+v", got, want, s)
			}
			for _, lostOnly := range []bool{true, false} {
				h, ok := s.next(c.sndUna, uint32(mss), lostOnly)
				from, to, want := n.next(mss, lostOnly)
				if ok != want || ok && (int(h.from-base) != from || int(h.to-base) != to) {
					t.Fatalf("next %v %v, want %d to %d, %v: %+v", h, ok, from, to, want, s)
				}
			}
		}
	})
}

// sack makes an acknowledgement with blocks, numbers as of peer.
func sack(ack uint32, blocks ...uint32) *wire.Segment {
	s := peer(wire.ACK, 1, ack, "")
	for i := 0; i < len(blocks); i += 2 {
		s.Options.SACK[i/2] = wire.SACKBlock{Left: ourISS + blocks[i], Right: ourISS + blocks[i+1]}
		s.Options.SACKBlocks++
	}
	return s
}

// sending is an established connection that has sent ten segments.
func sending(t *testing.T) *bench {
	cfg := plain()
	cfg.SACK = true
	b := inEstablished(t, cfg)
	b.c.notes |= sackOK
	b.c.cwnd = 10 * testMSS
	b.c.sndWnd = 20 * testMSS
	b.c.SetSndBuf(20 * testMSS)
	b.c.Write([]byte(text(10 * testMSS)))
	for i := range uint32(10) {
		b.want(wire.ACK, 1+i*testMSS, 1, text(testMSS))
	}
	b.quiet()
	return b
}

// TestRecovery_holesAlone: two holes are sent again, within one round trip, and nothing that the peer has.
func TestRecovery_holesAlone(t *testing.T) {
	b := sending(t)
	b.receive(sack(1, 1001, 2001)) // segments 0 and 3 were lost
	b.quiet()
	b.receive(sack(1, 1001, 3001))
	b.quiet()
	b.receive(sack(1, 4001, 5001, 1001, 3001)) // more than two segments came after the first hole
	b.want(wire.ACK, 1, 1, text(testMSS))
	b.quiet()
	b.receive(sack(1, 4001, 7001, 1001, 3001)) // and after the second; half of the ten may be on their way
	b.want(wire.ACK, 3001, 1, text(testMSS))
	b.receive(sack(3001, 4001, 10001))
	b.quiet()
	b.receive(peer(wire.ACK, 1, 10001, ""))
	b.quiet()
	if b.c.has(recovering) || b.c.rare.sacked != nil || b.c.inFlight() != 0 {
		t.Errorf("not done: %+v, %+v", b.c.Info(), b.c.rare.sacked)
	}
	if b.c.cwnd > 5*testMSS {
		t.Errorf("a congestion window of %d bytes after a loss from 10 segments", b.c.cwnd)
	}
}

// TestRecovery_timeout: what the peer has told of is not sent again after a timeout (tcp_enter_loss).
func TestRecovery_timeout(t *testing.T) {
	b := sending(t)
	b.receive(sack(1, 1001, 3001))
	b.tick(2*time.Millisecond + b.c.srtt.duration()/4)
	b.want(wire.ACK, 1, 1, text(testMSS)) // late, and lost again
	b.tick(200 * time.Millisecond)
	b.want(wire.ACK, 1, 1, text(testMSS))
	b.quiet()
	b.receive(sack(3001, 4001, 9001))
	b.want(wire.ACK, 3001, 1, text(testMSS))
	b.want(wire.ACK, 9001, 1, text(testMSS))
	b.quiet()
	b.receive(peer(wire.ACK, 1, 10001, ""))
	if b.quiet(); b.c.inFlight() != 0 || b.c.scoreboard() != nil {
		t.Errorf("not done: %+v, %+v", b.c.Info(), b.c.scoreboard())
	}
}

// TestRecovery_timeout_reneged: the peer may take back what it told of (RFC 2018, 8). It shows when what it acknowledges ends
// where that begins; soon after all is sent again.
func TestRecovery_timeout_reneged(t *testing.T) {
	b := sending(t)
	b.receive(sack(1, 1001, 3001))
	b.receive(peer(wire.ACK, 1, 1001, ""))
	b.tick(10 * time.Millisecond)
	b.want(wire.ACK, 1001, 1, text(testMSS))
	if b.c.scoreboard() != nil {
		t.Error("what the peer has not is believed")
	}
	b.receive(peer(wire.ACK, 1, 2001, ""))
	b.want(wire.ACK, 2001, 1, text(testMSS))
}

// TestSACK_nonsense: blocks that can't be are passed over.
func TestSACK_nonsense(t *testing.T) {
	b := sending(t)
	for _, s := range []*wire.Segment{
		sack(1, 2001, 1001), sack(1, 1001, 1001), sack(1, 9001, 10002), sack(1, 1<<31, 1<<31+1), sack(2001, 1, 1001),
	} {
		b.receive(s)
		if b.c.scoreboard() != nil {
			t.Fatalf("%v is believed", s.Options.SACK[0])
		}
	}
	for i := range uint32(3000) { // far more blocks than segments
		b.c.takeSACK(sack(1, 2002+2*i, 2003+2*i))
	}
	if n := len(b.c.scoreboard().spans); n != maxSpans {
		t.Errorf("%d spans are remembered, want %d", n, maxSpans)
	}
}

// TestSACK_blocks: the block that came last is first, then those before it (RFC 2018, 4), three beside timestamps. Text
// goes without, and the acknowledgement by itself.
func TestSACK_blocks(t *testing.T) {
	b := inEstablished(t, plain())
	b.c.notes |= sackOK
	arrive := func(seq uint32, blocks ...uint32) {
		t.Helper()
		b.receive(peer(wire.ACK, seq, 1, "xx"))
		s := b.want(wire.ACK, 1, 1, "")
		var got []uint32
		for _, k := range s.Options.SACK[:s.Options.SACKBlocks] {
			got = append(got, k.Left-peerISS, k.Right-peerISS)
		}
		if !slices.Equal(got, blocks) {
			t.Errorf("blocks %v, want %v", got, blocks)
		}
	}
	arrive(11, 11, 13)
	arrive(21, 21, 23, 11, 13)
	arrive(13, 11, 15, 21, 23)
	arrive(31, 31, 33, 11, 15, 21, 23)
	arrive(41, 41, 43, 31, 33, 11, 15, 21, 23)
	arrive(51, 51, 53, 41, 43, 31, 33, 11, 15)
	arrive(23, 21, 25, 51, 53, 41, 43, 31, 33)
	arrive(23, 21, 25, 51, 53, 41, 43, 31, 33) // once more

	b.receive(peer(wire.ACK, 61, 1, "xx"))
	b.c.Write([]byte("text"))
	if s := b.want(wire.ACK, 1, 1, "text"); s.Options.SACKBlocks != 0 {
		t.Error("blocks beside text: the packet may be too long")
	}
	if s := b.want(wire.ACK, 5, 1, ""); s.Options.SACK[0].Left != peerISS+61 {
		t.Errorf("blocks %v, want 61 first", s.Options.SACK)
	}
	b.quiet()

	b.c.notes |= tsOK
	b.c.notes |= owesACK
	if s := b.next(); s.Options.SACKBlocks != 3 {
		t.Errorf("%d blocks beside timestamps, want 3", s.Options.SACKBlocks)
	}
}
