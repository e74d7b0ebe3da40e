// SPDX-License-Identifier: Apache-2.0

package tcp

import (
	"bytes"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"dialtone/wire"
)

// faults are what a simulated wire does to segments, each as a share of 1.
type faults struct {
	loss, duplicate, reorder float64
	latency                  time.Duration
}

// flight is a segment on its way.
type flight struct {
	at   time.Duration
	n    int // order of sending, for segments that arrive at one moment
	to   int
	seg  wire.Segment
	hash uint64 // of the payload when it was sent
}

// network is two connections and the wire between them, in virtual time.
type network struct {
	testing.TB
	ends   [2]Conn
	now    time.Duration
	faults faults
	chance *rand.Rand
	air    []flight
	n      int                                 // segments sent
	step   func(end int)                       // what the owner of an end does when something may have changed
	heard  [2]Events                           // all that happened
	news   [2]Events                           // what happened since the owner looked
	lose   func(end int, s *wire.Segment) bool // sees each segment, and may lose it; may be nil
	iss    uint32                              // of end 1 when it accepts; 0: by chance
}

// newNetwork makes a network on which both ends are closed.
func newNetwork(t testing.TB, f faults, seed uint64) *network {
	return &network{TB: t, now: start, faults: f, chance: rand.New(rand.NewPCG(seed, 0)), step: func(int) {}}
}

// connect opens end 0 to end 1.
func (w *network) connect(cfg *Config, mss uint16) {
	w.ends[0].Open(w.now, cfg, 1000, 2000, w.chance.Uint32(), mss)
	w.drain(0)
}

func hash(p []byte) uint64 {
	h := fnv.New64a()
	h.Write(p)
	return h.Sum64()
}

// drain puts on the wire what the end has to send.
func (w *network) drain(end int) {
	var s wire.Segment
	for quiet := w.ends[end].Quiet(); w.ends[end].Next(w.now, &s); quiet = w.ends[end].Quiet() {
		if quiet {
			panic("a quiet connection had something to send")
		}
		if w.lose != nil && w.lose(end, &s) {
			continue
		}
		copies := 1
		if w.chance.Float64() < w.faults.duplicate {
			copies = 2
		}
		for range copies {
			if w.chance.Float64() < w.faults.loss {
				continue
			}
			at := w.now + w.faults.latency
			if w.chance.Float64() < w.faults.reorder {
				at += time.Duration(w.chance.Float64() * 3 * float64(w.faults.latency))
			}
			w.n++
			w.air = append(w.air, flight{at, w.n, 1 - end, s, hash(s.Payload)})
		}
	}
}

// run lets time pass until done, and fails if that takes longer than limit or if nothing more will ever happen.
func (w *network) run(limit time.Duration, done func() bool) {
	w.Helper()
	for !done() {
		if !w.once(limit) {
			w.Fatalf("at %v: %+v\n%+v", w.now, w.ends[0].Info(), w.ends[1].Info())
		}
	}
}

// once does what is due next and reports false if nothing is, or not before the limit.
func (w *network) once(limit time.Duration) bool {
	next, timer := limit, -1
	for i := range w.ends {
		if at, ok := w.ends[i].Deadline(); ok && at < next {
			next, timer = at, i
		}
	}
	arrival := -1
	for i, f := range w.air {
		if f.at < next || f.at == next && arrival >= 0 && f.n < w.air[arrival].n {
			next, arrival = f.at, i
		}
	}
	if next >= limit {
		return false
	}
	w.now = max(w.now, next)
	if arrival >= 0 {
		f := w.air[arrival]
		w.air = slices.Delete(w.air, arrival, arrival+1)
		if hash(f.seg.Payload) != f.hash {
			w.Fatal("a payload changed on its way")
		}
		w.deliver(f.to, &f.seg)
	} else {
		w.happened(timer, w.ends[timer].Tick(w.now))
		w.act(timer)
	}
	return true
}

// deliver gives a segment to an end; end 1 listens while it has no connection.
func (w *network) deliver(to int, s *wire.Segment) {
	c := &w.ends[to]
	if to == 1 && c.State() == Closed && c.Reason() == Running && s.Flags == wire.SYN {
		iss := w.iss
		if iss == 0 {
			iss = w.chance.Uint32()
		}
		c.Accept(w.now, w.ends[0].cfg, s, iss, w.ends[0].offer)
	} else {
		ev := c.Receive(w.now, s)
		w.happened(to, ev)
		if ev&Refuse != 0 {
			if reset, ok := ResetFor(s); ok {
				w.n++
				w.air = append(w.air, flight{w.now + w.faults.latency, w.n, 1 - to, reset, hash(nil)})
			}
		}
	}
	w.act(to)
}

func (w *network) happened(end int, ev Events) {
	w.heard[end] |= ev
	w.news[end] |= ev
}

func (w *network) act(end int) {
	w.step(end)
	w.drain(end)
}

// transfer is an owner of both ends who sends data both ways, reading a little at a time, and closes.
type transfer struct {
	data, got [2][]byte // by the end that sends, that receives
	sent      [2]int
	closed    [2]bool
	bite      int // bytes written and read at once
}

func (x *transfer) step(w *network, end int) {
	c := &w.ends[end]
	for x.sent[end] < len(x.data[end]) {
		n := c.Write(x.data[end][x.sent[end]:min(len(x.data[end]), x.sent[end]+x.bite)])
		if n == 0 {
			break
		}
		x.sent[end] += n
	}
	if c.State() != Closed && x.sent[end] == len(x.data[end]) && !x.closed[end] {
		x.closed[end] = true
		c.CloseWrite()
	}
	p := make([]byte, x.bite)
	for {
		n := c.Read(p)
		if n == 0 {
			break
		}
		x.got[end] = append(x.got[end], p[:n]...)
	}
}

// TestTransfer_lossyWire: a megabyte each way arrives whole on a wire that loses, doubles and reorders, and the
// connection ends in order.
func TestTransfer_lossyWire(t *testing.T) {
	const size = 1 << 20
	lossy := faults{0.05, 0.02, 0.1, 10 * time.Millisecond}
	for _, c := range []struct {
		name   string
		faults faults
		mss    uint16
		change func(*Config)
		seeds  uint64
	}{
		{"plain", faults{latency: time.Millisecond}, 1460, func(*Config) {}, 1},
		{"lossy", lossy, 1460, func(*Config) {}, 5},
		{"lossy, no options", lossy, 1460, func(g *Config) { g.Timestamps, g.WindowScale, g.SACK = false, false, false }, 3},
		{"lossy, small buffers", lossy, 1460, func(g *Config) { g.RcvBuf, g.SndBuf = 4000, 4000 }, 2},
		{"lossy, buffers less than a segment", faults{0.02, 0.02, 0.1, time.Millisecond}, 1460, func(g *Config) { g.RcvBuf, g.SndBuf = 1000, 1000 }, 1},
		{"lossy, large segments", lossy, 1460, func(g *Config) { g.MaxSegment = 64000 }, 3},
		{"lossy, large MSS", lossy, 65483, func(g *Config) { g.MaxSegment = 65483 }, 3},
		{"a third lost", faults{0.33, 0, 0, time.Millisecond}, 1460, func(g *Config) { g.MaxRTO = time.Second }, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			for seed := range c.seeds {
				cfg := Defaults()
				cfg.SynRetries, cfg.SynAckRetries, cfg.Retries2 = 100, 100, 100
				c.change(&cfg)
				w := newNetwork(t, c.faults, seed)
				x := &transfer{bite: 1 + w.chance.IntN(9000)}
				for i := range x.data {
					x.data[i] = make([]byte, size)
					for j := range x.data[i] {
						x.data[i][j] = byte(w.chance.Uint32())
					}
				}
				w.step = func(end int) { x.step(w, end) }
				w.connect(&cfg, c.mss)
				w.run(24*time.Hour, func() bool { return w.ends[0].State() == Closed && w.ends[1].State() == Closed })
				for i := range w.ends {
					if w.ends[i].Reason() != Finished {
						t.Errorf("seed %d: end %d %v", seed, i, w.ends[i].Reason())
					}
					if !bytes.Equal(x.got[i], x.data[1-i]) {
						t.Errorf("seed %d: end %d got %d bytes, not those sent", seed, i, len(x.got[i]))
					}
				}
				t.Logf("seed %d: %v, %d segments", seed, w.now-start, w.n)
			}
		})
	}
}
