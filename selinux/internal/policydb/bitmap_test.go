// SPDX-License-Identifier: Apache-2.0

package policydb

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// A Bitmap is a set of numbers: its twin is a map.
func TestBitmapAgainstMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) (Bitmap, map[uint32]bool) {
			var b Bitmap
			m := map[uint32]bool{}
			for _, bit := range rapid.SliceOf(rapid.Uint32Range(0, 300)).Draw(t, name) {
				b.Set(bit)
				m[bit] = true
			}
			return b, m
		}
		a, am := draw("a")
		b, bm := draw("b")
		and := map[uint32]bool{}
		contains := true
		for bit := range bm {
			if am[bit] {
				and[bit] = true
			} else {
				contains = false
			}
		}
		sorted := func(m map[uint32]bool) []uint32 { return slices.Sorted(maps.Keys(m)) }
		if !slices.Equal(slices.Collect(a.All()), sorted(am)) || a.Len() != len(am) || a.Empty() != (len(am) == 0) {
			t.Fatalf("%v holds %v", sorted(am), slices.Collect(a.All()))
		}
		if got := slices.Collect(a.And(b).All()); !slices.Equal(got, sorted(and)) {
			t.Fatalf("and: %v, want %v", got, sorted(and))
		}
		if a.Contains(b) != contains || a.Equal(b) != maps.Equal(am, bm) {
			t.Fatalf("contains %v, equal %v", a.Contains(b), a.Equal(b))
		}
		for bit := range uint32(400) {
			if a.Has(bit) != am[bit] {
				t.Fatalf("has %d: %v", bit, a.Has(bit))
			}
		}
		if top, ok := a.Max(); ok != (len(am) > 0) || ok && top != slices.Max(sorted(am)) {
			t.Fatalf("max %d %v", top, ok)
		}
	})
}
