// SPDX-License-Identifier: Apache-2.0

package tcp

import (
	"bytes"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// sleeper is an owner of both ends who does something only when an event woke him, as a blocked read(2) or write(2)
// does.
type sleeper struct {
	data, got [2][]byte
	sent      [2]int
	bite      int
}

func (x *sleeper) step(w *network, end int) {
	c, news := &w.ends[end], w.news[end]
	w.news[end] = 0
	if news&Writable != 0 {
		for !c.WriteClosed() {
			n := c.Write(x.data[end][x.sent[end]:min(len(x.data[end]), x.sent[end]+x.bite)])
			if x.sent[end] += n; x.sent[end] == len(x.data[end]) {
				c.CloseWrite()
			}
			if !c.Writable() {
				break
			}
		}
	}
	if news&Readable != 0 {
		p := make([]byte, x.bite)
		for n := c.Read(p); n > 0; n = c.Read(p) {
			x.got[end] = append(x.got[end], p[:n]...)
		}
	}
}

// TestEvents_wakeInTime: who acts on events alone misses nothing.
func TestEvents_wakeInTime(t *testing.T) {
	for seed := range uint64(5) {
		cfg := Defaults()
		cfg.RcvBuf, cfg.SndBuf = 20000, 10000
		w := newNetwork(t, faults{0.03, 0.02, 0.1, 5 * time.Millisecond}, seed)
		x := &sleeper{bite: 1 + w.chance.IntN(9000)}
		for i := range x.data {
			x.data[i] = bytes.Repeat([]byte{1, 2, 3}, 100_000)
		}
		w.step = func(end int) { x.step(w, end) }
		w.connect(&cfg, 1460)
		w.run(24*time.Hour, func() bool { return w.ends[0].State() == Closed && w.ends[1].State() == Closed })
		for i := range x.got {
			if !bytes.Equal(x.got[i], x.data[1-i]) {
				t.Errorf("seed %d: end %d got %d of %d bytes: %v", seed, i, len(x.got[i]), len(x.data[1-i]), w.ends[i].Reason())
			}
		}
		if want := Connected | Readable | PeerClosed | Writable | Ended; w.heard[0]&want != want || w.heard[1]&want != want {
			t.Errorf("seed %d: heard %07b and %07b", seed, w.heard[0], w.heard[1])
		}
	}
}

// TestTwoEnds_anyCalls: whatever two owners do on whatever wire, each reads a beginning of what the other wrote, all of
// it if nobody gave up, and in the end both connections are gone.
func TestTwoEnds_anyCalls(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		cfg := Defaults()
		cfg.SynRetries, cfg.SynAckRetries, cfg.Retries2, cfg.OrphanRetries = 100, 100, 100, 100
		cfg.RcvBuf = rapid.SampledFrom([]uint32{500, 3000, 70000, 300000}).Draw(rt, "receive buffer")
		cfg.SndBuf = rapid.SampledFrom([]uint32{500, 5000, 100000}).Draw(rt, "send buffer")
		cfg.MaxSegment = rapid.SampledFrom([]uint32{0, 10000}).Draw(rt, "largest segment")
		cfg.ResetOnUnread = rapid.Bool().Draw(rt, "reset on unread")
		cfg.Timestamps = rapid.Bool().Draw(rt, "timestamps")
		w := newNetwork(t, faults{0.2, 0.1, 0.3, 10 * time.Millisecond}, rapid.Uint64().Draw(rt, "seed"))
		w.connect(&cfg, 1000)
		var wrote, read [2][]byte
		gaveUp := false // someone ended it before all was read
		value := byte(0)
		take := func(end, n int) {
			p := make([]byte, n)
			read[end] = append(read[end], p[:w.ends[end].Read(p)]...)
		}
		for range rapid.IntRange(0, 40).Draw(rt, "steps") {
			end := rapid.IntRange(0, 1).Draw(rt, "end")
			c := &w.ends[end]
			switch op := rapid.IntRange(0, 20).Draw(rt, "op"); {
			case op < 6:
				p := make([]byte, rapid.IntRange(1, 20000).Draw(rt, "n"))
				for i := range p {
					value++
					p[i] = value
				}
				if c.State() == SynSent || c.State() == SynReceived {
					break // an early end would drop them
				}
				wrote[end] = append(wrote[end], p[:c.Write(p)]...)
			case op < 12:
				take(end, rapid.IntRange(1, 20000).Draw(rt, "n"))
			case op == 12:
				gaveUp = gaveUp || c.State() == SynSent
				c.CloseWrite()
			case op == 13 && rapid.IntRange(0, 5).Draw(rt, "really") == 0:
				gaveUp = true
				c.Close(w.now)
			case op == 14 && rapid.IntRange(0, 5).Draw(rt, "really") == 0:
				gaveUp = gaveUp || c.State() != Closed
				c.Abort()
			case op == 15:
				c.SetNoDelay(rapid.Bool().Draw(rt, "no delay"))
			default:
				for range rapid.IntRange(1, 50).Draw(rt, "events") {
					if !w.once(w.now + time.Hour) {
						break
					}
				}
			}
			w.drain(end)
		}
		// The wire heals; both read all and close.
		w.faults = faults{latency: 10 * time.Millisecond}
		w.step = func(end int) {
			take(end, 1<<20)
			if w.ends[end].State() != SynSent {
				w.ends[end].CloseWrite()
			}
		}
		w.act(0)
		w.act(1)
		limit, abandoned := w.now+24*time.Hour, false
		for w.ends[0].State() != Closed || w.ends[1].State() != Closed {
			if w.ends[1].Reason() == Running && w.ends[1].State() == Closed && w.ends[0].State() == Closed {
				break // end 0 gave up before end 1 heard of it
			}
			if w.once(limit) {
				continue
			}
			if gaveUp && !abandoned {
				// Nobody tells a half-closed end that an abort in LAST-ACK has dropped the FIN it waits for.
				abandoned = true
				w.ends[0].Close(w.now)
				w.ends[1].Close(w.now)
				w.drain(0)
				w.drain(1)
			} else {
				rt.Fatalf("stuck at %v:\n%+v %v\n%+v %v", w.now, w.ends[0].Info(), w.ends[0].Reason(), w.ends[1].Info(), w.ends[1].Reason())
			}
		}
		for i := range read {
			take(i, 1<<20)
			if !bytes.HasPrefix(wrote[1-i], read[i]) || !gaveUp && len(read[i]) != len(wrote[1-i]) {
				rt.Fatalf("end %d read %d bytes, not the %d written", i, len(read[i]), len(wrote[1-i]))
			}
		}
		if !gaveUp && (w.ends[0].Reason() != Finished || w.ends[1].Reason() != Finished) {
			rt.Fatalf("ended: %v and %v", w.ends[0].Reason(), w.ends[1].Reason())
		}
	})
}
