// SPDX-License-Identifier: Apache-2.0

package socket

import "strings"

// Events is a set of poll(2) events, in its numbers.
type Events uint16

// The events.
const (
	In    Events = 0x0001 // POLLIN
	Pri   Events = 0x0002 // POLLPRI
	Out   Events = 0x0004 // POLLOUT
	Err   Events = 0x0008 // POLLERR, reported whether asked for or not
	Hup   Events = 0x0010 // POLLHUP, likewise
	Nval  Events = 0x0020 // POLLNVAL
	RdHup Events = 0x2000 // POLLRDHUP

	// Always are the events poll reports unasked.
	Always = Err | Hup | Nval
)

// String prints e as IN|OUT|HUP; nothing is "0".
func (e Events) String() string {
	if e == 0 {
		return "0"
	}
	var names []string
	for _, n := range [...]struct {
		e    Events
		name string
	}{{In, "IN"}, {Pri, "PRI"}, {Out, "OUT"}, {Err, "ERR"}, {Hup, "HUP"}, {Nval, "NVAL"}, {RdHup, "RDHUP"}} {
		if e&n.e != 0 {
			names = append(names, n.name)
		}
	}
	return strings.Join(names, "|")
}

// Watch is somebody's interest in events at a [Queue]. It lives inside what it belongs to; its zero value is idle.
type Watch struct {
	// Events are those of interest; Always are included.
	Events Events
	// Func is called with those that happened, under the host's lock. It must not call back into the socket layer:
	// it takes note, and wakes who acts.
	Func func(Events)

	call       bool // of a call asleep
	next, prev *Watch
	queue      *Queue
}

// Queue is where those wait who want to know of events: every [Socket] has one, and an endpoint may have more (a
// listener's, for clients that wait for room). Its zero value is empty. The host's lock guards it.
type Queue struct{ first, last *Watch }

// Add puts w into q. A Watch is in one queue at a time.
func (q *Queue) Add(w *Watch) {
	w.queue, w.prev, w.next = q, q.last, nil
	if q.last != nil {
		q.last.next = w
	} else {
		q.first = w
	}
	q.last = w
}

// Remove takes w out of the queue it is in, if any.
func (w *Watch) Remove() {
	q := w.queue
	if q == nil {
		return
	}
	if w.prev != nil {
		w.prev.next = w.next
	} else {
		q.first = w.next
	}
	if w.next != nil {
		w.next.prev = w.prev
	} else {
		q.last = w.prev
	}
	w.queue, w.next, w.prev = nil, nil, nil
}

// Wake tells everyone in q who is interested that e happened, in the order they came.
func (q *Queue) Wake(e Events) {
	for w := q.first; w != nil; {
		next := w.next // w may leave the queue
		if hit := e & (w.Events | Always); hit != 0 {
			w.Func(hit)
		}
		w = next
	}
}

// WakeOne is Wake for what only one call can use, such as room for one: of the calls asleep it wakes the first alone.
func (q *Queue) WakeOne(e Events) {
	woken := false
	for w := q.first; w != nil; {
		next := w.next // w may leave the queue
		if hit := e & (w.Events | Always); hit != 0 && !(w.call && woken) {
			woken = woken || w.call
			w.Func(hit)
		}
		w = next
	}
}
