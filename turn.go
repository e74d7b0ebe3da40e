// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"sync"
	"sync/atomic"

	"dialtone/clock"
)

// turn is whose turn it is to read from a socket, or to write to it: one call's at a time, in the order they came. It is
// no sync.Mutex because the call that has it may wait for the network's time to go on, and in a synctest bubble it does not
// while a goroutine waits for a Mutex; at a clock's waiter it does.
type turn struct{ state atomic.Uint32 }

// The states: nobody's, that of one call, that of one call with others in line.
const (
	free = iota
	taken
	wanted
)

// lines are the calls that wait for their turn, on all sockets of a host.
type lines struct {
	mu      sync.Mutex // a leaf, never held while waiting
	waiting map[*turn][]clock.Waiter
}

// take waits for the turn.
func (t *turn) take(h *Host) {
	if !t.state.CompareAndSwap(free, taken) {
		t.wait(h)
	}
}

func (t *turn) wait(h *Host) {
	h.network.clock.Check()
	l := &h.lines
	l.mu.Lock()
	for !t.state.CompareAndSwap(free, taken) {
		if !t.state.CompareAndSwap(taken, wanted) && t.state.Load() != wanted {
			continue // it has become free just now
		}
		w := h.network.clock.NewWaiter()
		if l.waiting == nil {
			l.waiting = map[*turn][]clock.Waiter{}
		}
		l.waiting[t] = append(l.waiting[t], w)
		l.mu.Unlock()
		w.Wait() // for handOver
		return
	}
	l.mu.Unlock()
}

// leave makes it the next call's turn.
func (t *turn) leave(h *Host) {
	if !t.state.CompareAndSwap(taken, free) {
		t.handOver(h)
	}
}

func (t *turn) handOver(h *Host) {
	l := &h.lines
	l.mu.Lock()
	line := l.waiting[t]
	if len(line) > 1 {
		l.waiting[t] = line[1:]
	} else {
		delete(l.waiting, t)
		t.state.Store(taken)
	}
	l.mu.Unlock()
	line[0].Wake()
}
