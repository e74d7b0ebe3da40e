// SPDX-License-Identifier: Apache-2.0

package link

import "time"

// flowsKept is how many flows a rule remembers for sure: those that sent latest. It may be up to twice as many, at about
// 100 bytes each. One that sends again after so many others begins anew, with the draws that it had at first; so with
// more flows than that, chance depends on the order in which they send.
const flowsKept = 1 << 15

// flow is what a rule remembers of one flow.
type flow struct {
	id      uint64
	packets uint64        // seen
	last    time.Duration // when the latest packet in order arrives at the wrapped link
	bad     bool          // Gilbert-Elliott's state
}

// flows is a table of flows by what their addresses and ports hash to. It forgets those that have sent nothing for long:
// once keep are young, they grow old and the old ones die.
type flows struct {
	keep       int
	young, old map[uint64]*flow
}

// of returns what is remembered of a flow, nothing at first.
func (t *flows) of(id uint64) *flow {
	if f := t.young[id]; f != nil {
		return f
	}
	f := t.old[id]
	if f == nil {
		f = &flow{id: id}
	}
	if len(t.young) == t.keep || t.young == nil {
		t.young, t.old = map[uint64]*flow{}, t.young
	}
	t.young[id] = f
	return f
}
