// SPDX-License-Identifier: Apache-2.0

package link

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The naive twin: a list of all flows, the latest last. What must be
// remembered is, and the table never holds more than it says.
func TestFlowsKeepTheLatest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const keep = 8
		table := flows{keep: keep}
		var latest []uint64
		packets := map[uint64]uint64{} // of a flow, since it was new
		for range rapid.IntRange(1, 100).Draw(t, "packets") {
			id := rapid.Uint64Range(1, 3*keep).Draw(t, "flow")
			at := slices.Index(latest, id)
			f := table.of(id)
			f.packets++
			switch packets[id]++; {
			case f.id != id:
				t.Fatalf("flow %d instead of %d", f.id, id)
			case f.packets == packets[id]:
			case at >= 0 && len(latest)-at <= keep:
				t.Fatalf("flow %d, with %d later ones, was forgotten", id, len(latest)-at-1)
			case f.packets != 1:
				t.Fatalf("flow %d has %d packets, want %d, or 1 if it was forgotten", id, f.packets, packets[id])
			default:
				packets[id] = 1
			}
			if at >= 0 {
				latest = slices.Delete(latest, at, at+1)
			}
			latest = append(latest, id)
			if n := len(table.young) + len(table.old); n > 2*keep {
				t.Fatalf("%d flows are remembered", n)
			}
		}
	})
}

// A rule on a link that many flows use does not grow for ever.
func TestRuleForgetsFlows(t *testing.T) {
	l := newBench(t, 1, Rule{Action: Drop})
	for i := range 3 * flowsKept {
		p := l.datagram(uint16(i), 0)
		p.UDP.DstPort = uint16(i >> 16)
		l.Send(0, l.a, l.b, p)
	}
	a := (*l.rules.Load())[0]
	if n := len(a.flows.young) + len(a.flows.old); n != 2*flowsKept {
		t.Errorf("%d flows are remembered, want %d", n, 2*flowsKept)
	}
}
