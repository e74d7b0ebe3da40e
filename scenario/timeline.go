// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"slices"
	"time"
)

// This file is what happens to a network at some time after its start.

// eventPart is one thing that happens: the key beside at says what, and to which link.
type eventPart struct {
	At   value[time.Duration] `key:"at,required"`
	Cut  value[string]        `key:"cut"`
	Heal value[string]        `key:"heal"`
}

// event checks that one thing happens, to a link that is there.
func (c *checker) event(e *eventPart) {
	switch {
	case e.Cut.given() && e.Heal.given():
		c.add(e.Heal.at, "an event cuts and heals, expected one of both")
	case e.At.given() && !e.Cut.given() && !e.Heal.given():
		c.add(e.At.at, "nothing happens, expected cut or heal")
	}
	for _, name := range []*value[string]{&e.Cut, &e.Heal} {
		if name.given() && !slices.Contains(names(c.file.Links), name.v) {
			c.noLink(name)
		}
	}
}

// Changes reports whether anything happens to the network after its start.
func (s *Scenario) Changes() bool { return len(s.file.Timeline) > 0 }

// begin sets the network's clock for what the file says will happen, counted from now.
func (r *Running) begin(f *file) {
	for i := range f.Timeline {
		e := &f.Timeline[i]
		r.timers = append(r.timers, r.Network.Clock().AfterFunc(e.At.v, func() { r.happen(e) }))
	}
}

// happen does what an event says.
func (r *Running) happen(e *eventPart) {
	if e.Cut.given() {
		r.bare[e.Cut.v].Cut()
	} else {
		r.bare[e.Heal.v].Heal()
	}
}
