// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"cmp"
	"slices"
	"time"
)

// This file is what happens to a network at some time after its start.

// eventPart is one thing that happens: the key beside at says what, and to which link or host.
type eventPart struct {
	At      value[time.Duration] `key:"at,required"`
	Cut     value[string]        `key:"cut"`
	Heal    value[string]        `key:"heal"`
	Crash   value[string]        `key:"crash"`
	Restart value[string]        `key:"restart"`
}

// soonest returns the events of a timeline in the order in which they happen: those of one time in that of the file.
func soonest(events list[eventPart]) []*eventPart {
	all := make([]*eventPart, len(events))
	for i := range events {
		all[i] = &events[i]
	}
	slices.SortStableFunc(all, func(a, b *eventPart) int { return cmp.Compare(a.At.v, b.At.v) })
	return all
}

// timeline checks the events, each for itself and in their order.
func (c *checker) timeline() {
	for i := range c.file.Timeline {
		c.event(&c.file.Timeline[i])
	}
	down := make(map[*entry[hostPart]]time.Duration) // since when
	for _, e := range soonest(c.file.Timeline) {
		name := &e.Crash
		if e.Restart.given() {
			name = &e.Restart
		}
		h := c.file.host(name.v)
		if h == nil || e.Crash.given() && e.Restart.given() {
			continue // about a link, or a mistake already
		}
		since, isDown := down[h]
		switch {
		case e.Crash.given() && isDown:
			c.add(name.at, "%s is down since %v already, expected a restart before it crashes again", h.name.v, since)
		case e.Crash.given():
			down[h] = e.At.v
		case !isDown:
			c.add(name.at, "%s is up at %v, expected a crash before it restarts", h.name.v, e.At.v)
		default:
			delete(down, h)
		}
	}
}

// event checks that one thing happens, to a link or a host that is there.
func (c *checker) event(e *eventPart) {
	happens := ""
	for _, one := range []struct {
		what *value[string]
		verb string
	}{{&e.Cut, "cuts"}, {&e.Heal, "heals"}, {&e.Crash, "crashes"}, {&e.Restart, "restarts"}} {
		switch {
		case !one.what.given():
			continue
		case happens != "":
			c.add(one.what.at, "an event %s and %s, expected one of both", happens, one.verb)
		}
		happens = one.verb
	}
	if happens == "" && e.At.given() {
		c.add(e.At.at, "nothing happens, expected cut, heal, crash or restart")
	}
	for _, name := range []*value[string]{&e.Cut, &e.Heal} {
		if name.given() && !slices.Contains(names(c.file.Links), name.v) {
			c.noLink(name)
		}
	}
	c.hostName(&e.Crash)
	c.hostName(&e.Restart)
}

// Changes reports whether anything happens to the network after its start.
func (s *Scenario) Changes() bool { return len(s.file.Timeline) > 0 }

// begin makes happen what the file says, each event at its time, counted from now.
func (r *Running) begin(f *file) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.began, r.future = r.Network.Clock().Now(), soonest(f.Timeline)
	r.happen()
}

// happen makes happen what is due, and sets the clock for what comes next. The lock must be held.
func (r *Running) happen() {
	for len(r.future) > 0 {
		e := r.future[0]
		if wait := r.began + e.At.v - r.Network.Clock().Now(); wait > 0 {
			r.timer = r.Network.Clock().AfterFunc(wait, func() {
				r.mu.Lock()
				defer r.mu.Unlock()
				r.happen()
			})
			return
		}
		r.future = r.future[1:]
		switch {
		case e.Cut.given():
			r.bare[e.Cut.v].Cut()
		case e.Heal.given():
			r.bare[e.Heal.v].Heal()
		case e.Crash.given():
			r.crash(r.named[canonical(e.Crash.v)])
		default:
			r.restart(r.named[canonical(e.Restart.v)])
		}
	}
}
