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
		var table flows
		var latest []uint64
		seen := map[uint64]uint64{}
		next := uint64(1)
		for range rapid.IntRange(1, 4).Draw(t, "rounds") {
			// A crowd comes once each, then some known flows again.
			for range rapid.SampledFrom([]int{1, flowsKept - 3, flowsKept, flowsKept + 1}).Draw(t, "crowd") {
				table.of(next).packets++
				seen[next], latest = 1, append(latest, next)
				next++
			}
			for range rapid.IntRange(0, 3).Draw(t, "again") {
				back := rapid.IntRange(1, min(len(latest), flowsKept)).Draw(t, "back")
				at := len(latest) - back
				id := latest[at]
				f := table.of(id)
				f.packets++
				seen[id]++
				if f.id != id || f.packets != seen[id] {
					t.Fatalf("flow %d, the %dth latest, has %d packets, want %d", id, back, f.packets, seen[id])
				}
				latest = append(slices.Delete(latest, at, at+1), id)
			}
			if n := len(table.young) + len(table.old); n > 2*flowsKept {
				t.Fatalf("%d flows are remembered", n)
			}
		}
	})
}
