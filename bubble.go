// SPDX-License-Identifier: Apache-2.0

package dialtone

import "time"

// A testing/synctest bubble has channels and timers of its own. What was made outside of it can't make its time go on,
// and what was made inside must not be touched from outside: the one ends in a deadlock, the other in a fatal error of
// the runtime that nobody can catch. So the network remembers where it was made, and says what is wrong before.

// inBubble reports whether the caller runs in a synctest bubble: there the time has no monotonic reading, everywhere
// else time.Now has one (TestInBubble).
func inBubble() bool {
	now := time.Now()
	return now == now.Round(0)
}

// enter is called where a socket is made, and before a call waits. It panics if the network is used from the other side of a bubble's wall.
func (n *Network) enter() {
	if n.ownClock || n.bubbled == inBubble() {
		return
	}
	if n.bubbled {
		panic("dialtone: this network was made inside of a synctest bubble and is used outside of it, where its time " +
			"stands still. Make a network where it is used: call NewNetwork outside of the function given to synctest.Test")
	}
	panic("dialtone: this network was made outside of the synctest bubble it is used in, so it would not see the bubble's " +
		"time. Make it inside: call NewNetwork within the function given to synctest.Test")
}
