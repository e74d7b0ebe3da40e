// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestFIFO_naiveTwin: a fifo gives what a plain slice gives, and keeps nothing of what it gave.
func TestFIFO_naiveTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q fifo[int]
		var twin []int
		for k := range rapid.IntRange(1, 300).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "push") {
				q.push(k + 1)
				twin = append(twin, k+1)
			} else if len(twin) > 0 {
				if *q.first() != twin[0] {
					t.Fatalf("first is %d, want %d", *q.first(), twin[0])
				}
				q.pop()
				twin = twin[1:]
			}
			if q.len() != len(twin) || !slices.Equal(q.all(), twin) {
				t.Fatalf("%v, want %v", q.all(), twin)
			}
		}
		for _, old := range q.items[:q.head] {
			if old != 0 {
				t.Fatalf("keeps %d, which was given out", old)
			}
		}
	})
}
