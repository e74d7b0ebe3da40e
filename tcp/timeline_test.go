// SPDX-License-Identifier: Apache-2.0

package tcp

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dialtone/wire"
)

var rewrite = flag.Bool("rewrite", false, "write testdata/*.timeline anew")

// record writes down each segment that an end sends, and whether the wire loses it.
func (w *network) record(out *strings.Builder, lose func(n int, s *wire.Segment) bool) {
	first := [2]uint32{1, 1 << 31} // the initial sequence numbers, taken out of what is written
	n := 0
	w.lose = func(end int, s *wire.Segment) bool {
		n++
		lost := lose(n, s)
		r := *s
		r.Seq -= first[end]
		if r.Flags.Has(wire.ACK) {
			r.Ack -= first[1-end]
		}
		mark := ""
		if lost {
			mark = "  (lost)"
		}
		fmt.Fprintf(out, "%8.3f  %d > %d  %s%s\n", (w.now - start).Seconds(), end, 1-end, describe(&r), mark)
		return lost
	}
}

// TestTimeline runs small scenes and compares all that was sent, and when, with testdata/NAME.timeline.
func TestTimeline(t *testing.T) {
	nothing := func(int, *wire.Segment) bool { return false }
	textOf := func(n int) []byte { return make([]byte, n) }
	for _, c := range []struct {
		name string
		data [2][]byte // what each end sends before it closes
		lose func(n int, s *wire.Segment) bool
		both bool // both ends open
	}{
		{"request-and-answer", [2][]byte{textOf(100), textOf(3000)}, nothing, false},
		{"simultaneous-open", [2][]byte{textOf(1), textOf(1)}, nothing, true},
		{"syn-lost-twice", [2][]byte{textOf(10), nil}, func(n int, _ *wire.Segment) bool { return n <= 2 }, false},
		{"syn-ack-lost", [2][]byte{textOf(10), nil}, func(n int, _ *wire.Segment) bool { return n == 2 }, false},
		{
			"segment-lost-fast-retransmit",
			[2][]byte{textOf(20000), nil},
			func(n int, _ *wire.Segment) bool { return n == 6 }, false,
		},
		{
			"last-segment-lost-timeout",
			[2][]byte{textOf(3000), nil},
			func(n int, s *wire.Segment) bool { return n < 10 && s.Flags.Has(wire.FIN) && len(s.Payload) > 0 }, false,
		},
		{
			"last-ack-lost",
			[2][]byte{textOf(10), textOf(10)},
			func(n int, s *wire.Segment) bool { return n == 5 }, false,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := Defaults()
			cfg.Timestamps = false // rounds would show the clock, not the events
			w := newNetwork(t, faults{latency: 10 * time.Millisecond}, 1)
			var out strings.Builder
			w.record(&out, c.lose)
			x := &transfer{bite: 1 << 20, data: c.data}
			w.step = func(end int) {
				if w.ends[end].State().synchronized() {
					x.step(w, end)
				}
			}
			w.ends[0].Open(w.now, &cfg, 1000, 2000, 1, 1460)
			if c.both {
				w.ends[1].Open(w.now, &cfg, 2000, 1000, 1<<31, 1460)
				w.drain(1)
			}
			w.iss = 1 << 31
			w.drain(0)
			w.run(time.Hour, func() bool { return w.ends[0].State() == Closed && w.ends[1].State() == Closed })
			fmt.Fprintf(&out, "%8.3f  0 %v, 1 %v\n", (w.now - start).Seconds(), w.ends[0].Reason(), w.ends[1].Reason())

			path := filepath.Join("testdata", c.name+".timeline")
			if *rewrite {
				if err := os.WriteFile(path, []byte(out.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got := out.String(); got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestTransfer_sameSeed_sameRun: nothing but the seed decides what happens on a lossy wire.
func TestTransfer_sameSeed_sameRun(t *testing.T) {
	run := func(seed uint64) string {
		cfg := Defaults()
		w := newNetwork(t, faults{0.05, 0.02, 0.1, 10 * time.Millisecond}, seed)
		var out strings.Builder
		w.lose = func(end int, s *wire.Segment) bool {
			fmt.Fprintln(&out, w.now, end, describe(s))
			return false
		}
		x := &transfer{bite: 3000, data: [2][]byte{make([]byte, 100_000), make([]byte, 100_000)}}
		w.step = func(end int) { x.step(w, end) }
		w.connect(&cfg, 1460)
		w.run(time.Hour, func() bool { return w.ends[0].State() == Closed && w.ends[1].State() == Closed })
		return out.String()
	}
	first := run(1)
	if run(1) != first {
		t.Error("two runs with one seed differ")
	}
	if run(2) == first {
		t.Error("two seeds make the same run")
	}
}
