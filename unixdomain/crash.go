// SPDX-License-Identifier: Apache-2.0

package unixdomain

import (
	"dialtone/errno"
	"dialtone/socket"
)

// Crash is a machine's power going out, which has the given spaces: listeners, connections and bound sockets are no more;
// the files stay. Who uses one of them, and lives on, gets ENETDOWN from connections and datagrams, EINVAL from a listener,
// as from those of the internet families. The machine's core must be locked.
func Crash(spaces ...*Space) {
	var lost []*endpoint // those that had to do with others, of each space in the order they were made
	for _, sp := range spaces {
		for e := range sp.live.all {
			if e.named() || e.peer != nil {
				lost = append(lost, e)
			}
		}
	}
	for _, e := range lost {
		e.crash()
	}
	// Only now: each that is lost has its peers told something of its own.
	for _, e := range lost {
		if !e.dead && e.peer != nil || e.mailbox != nil {
			e.fail(errno.ENETDOWN)
		}
	}
}

// crash takes from e what it has: its name, unless a connection has it, its peer, and what waits.
func (e *endpoint) crash() {
	c := &socket.Call{}
	e.unbind()
	switch {
	case e.dead: // it waited at a listener that came before
	case e.backlog != nil:
		b := e.backlog
		e.name, e.backlog = "", nil
		b.close(c)
		e.sock.Dissolved("the host crashed")
		e.wakeAll()
	case e.mailbox != nil:
		e.name = ""
		e.leave()
		e.mailbox.associates = nil
		e.discard(c)
		e.mailbox.room.Wake(socket.Out | socket.Hup)
	case e.peer != nil:
		e.shutRead, e.shutWrite = true, true
		e.discard(c)
		e.wakeAll()
	default: // bound
		e.name = ""
	}
}

// roll is the endpoints that are not closed, in the order they were made.
type roll struct{ first, last *endpoint }

func (r *roll) add(e *endpoint) {
	e.before = r.last
	if r.last != nil {
		r.last.after = e
	} else {
		r.first = e
	}
	r.last = e
}

func (r *roll) remove(e *endpoint) {
	if e.before == nil && r.first != e {
		return // removed before
	}
	if e.before != nil {
		e.before.after = e.after
	} else {
		r.first = e.after
	}
	if e.after != nil {
		e.after.before = e.before
	} else {
		r.last = e.before
	}
	e.before, e.after = nil, nil
}

// all yields each endpoint. None may be added or removed meanwhile.
func (r *roll) all(yield func(*endpoint) bool) {
	for e := r.first; e != nil && yield(e); e = e.after {
	}
}
