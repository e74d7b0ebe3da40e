// SPDX-License-Identifier: Apache-2.0

package clock

import "time"

// A testing/synctest bubble has channels and timers of its own. What was made outside of it can't make its time go on,
// and what was made inside must not be touched from outside: the one ends in a deadlock, the other in a fatal error of
// the runtime that nobody can catch. So a clock remembers where it was made, and says what is wrong before.

// inBubble reports whether the caller runs in a synctest bubble: there the time has no monotonic reading, everywhere
// else time.Now has one (TestInBubble).
func inBubble() bool {
	now := time.Now()
	return now == now.Round(0)
}

// elsewhere is further than a clock comes on its own side of a bubble's wall: inside the time began with the year 2000,
// outside with the computer's start. So most checks need no more than a reading of the time.
const elsewhere = 20 * 365 * 24 * time.Hour

// Check implements [Clock]. It panics if the clock is used on the other side of a bubble's wall than it was made on.
func (r *Real) Check() {
	if past := time.Since(r.epoch); past < elsewhere && past > -elsewhere || r.bubbled == inBubble() {
		return
	}
	if r.bubbled {
		panic("dialtone: this network was made inside of a synctest bubble and is used outside of it, where its time " +
			"stands still. Make a network where it is used: call NewNetwork outside of the function given to synctest.Test")
	}
	panic("dialtone: this network was made outside of the synctest bubble it is used in, so it would not see the bubble's " +
		"time. Make it inside: call NewNetwork within the function given to synctest.Test")
}
