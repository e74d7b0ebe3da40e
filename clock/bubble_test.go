// SPDX-License-Identifier: Apache-2.0

package clock

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestInBubble(t *testing.T) {
	if inBubble() {
		t.Error("outside")
	}
	synctest.Test(t, func(t *testing.T) {
		if !inBubble() {
			t.Error("inside")
		}
	})
}

// A bubble's time may go on for longer than it takes to tell the sides of its wall apart at a glance.
func TestCheckAfterAges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewReal()
		time.Sleep(2 * elsewhere)
		r.Check()
	})
}

func TestCheckTellsTheSides(t *testing.T) {
	panics := func(r *Real) (says bool) {
		defer func() { says = recover() != nil }()
		r.Check()
		return
	}
	outside := NewReal()
	var inside *Real
	synctest.Test(t, func(t *testing.T) {
		inside = NewReal()
		if panics(inside) || !panics(outside) {
			t.Errorf("inside: a clock made there panics: %t, one made outside: %t", panics(inside), panics(outside))
		}
	})
	if panics(outside) || !panics(inside) {
		t.Errorf("outside: a clock made there panics: %t, one made inside: %t", panics(outside), panics(inside))
	}
}
