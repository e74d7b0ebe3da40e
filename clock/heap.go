// SPDX-License-Identifier: Apache-2.0

package clock

import "time"

// Task is what an event brings about. What has an event for itself alone implements it, and so needs no closure.
type Task interface{ Due() }

// Func is a function as a [Task].
type Func func()

// Due implements [Task].
func (f Func) Due() { f() }

// Event is something that shall happen at a time, kept in a [Heap]. It lives inside what it belongs to, so keeping it
// allocates nothing. Its zero value is in no heap.
type Event struct {
	// Task is what is to be done. Whoever takes the event from the heap does it.
	Task  Task
	at    time.Duration
	seq   uint64 // order of setting, so that events of one time happen in the order they were set
	place int    // 1 + index in the heap; 0: not in it
}

// At returns when the event is due; meaningful while it is in a heap.
func (e *Event) At() time.Duration { return e.at }

// Set reports whether the event is in a heap.
func (e *Event) Set() bool { return e.place != 0 }

// Heap holds events by time. Its zero value is empty. It has no lock.
type Heap struct {
	events []*Event
	seq    uint64
}

// Len returns how many events are in the heap.
func (h *Heap) Len() int { return len(h.events) }

// Next returns the time of the earliest event.
func (h *Heap) Next() (at time.Duration, ok bool) {
	if len(h.events) == 0 {
		return 0, false
	}
	return h.events[0].at, true
}

// Set puts e into the heap, due at the given time, or moves it there.
func (h *Heap) Set(e *Event, at time.Duration) {
	h.seq++
	e.at, e.seq = at, h.seq
	if e.place == 0 {
		h.events = append(h.events, e)
		e.place = len(h.events)
	}
	h.fix(e.place - 1)
}

// Remove takes e out of the heap, if it is in it.
func (h *Heap) Remove(e *Event) {
	if e.place == 0 {
		return
	}
	i, last := e.place-1, len(h.events)-1
	h.swap(i, last)
	h.events[last] = nil
	h.events = h.events[:last]
	e.place = 0
	if i < last {
		h.fix(i)
	}
}

// Due takes the earliest event out of the heap and returns it if it is due by now, else nil.
func (h *Heap) Due(now time.Duration) *Event {
	if len(h.events) == 0 || h.events[0].at > now {
		return nil
	}
	e := h.events[0]
	h.Remove(e)
	return e
}

func (h *Heap) before(i, j int) bool {
	a, b := h.events[i], h.events[j]
	return a.at < b.at || a.at == b.at && a.seq < b.seq
}

func (h *Heap) swap(i, j int) {
	h.events[i], h.events[j] = h.events[j], h.events[i]
	h.events[i].place, h.events[j].place = i+1, j+1
}

// fix moves the event at i to where it belongs.
func (h *Heap) fix(i int) {
	for i > 0 && h.before(i, (i-1)/2) {
		h.swap(i, (i-1)/2)
		i = (i - 1) / 2
	}
	for {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(h.events); c++ {
			if h.before(c, least) {
				least = c
			}
		}
		if least == i {
			return
		}
		h.swap(i, least)
		i = least
	}
}
