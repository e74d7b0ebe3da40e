// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"reflect"
	"testing"
)

func TestRandom_parsesAndRepeats(t *testing.T) {
	titles := map[string]bool{}
	for seed := range uint64(200) {
		a, err := Random(seed)
		if err != nil {
			t.Fatal(err)
		}
		b, err := Random(seed)
		if err != nil || !reflect.DeepEqual(a, b) {
			t.Fatalf("seed %d made two cases", seed)
		}
		titles[a.Title] = true
	}
	if len(titles) != len(randomFamilies()) {
		t.Errorf("only %v", titles)
	}
}
