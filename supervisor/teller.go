// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import "sync"

// A teller hands explanations over, one after the other, on a goroutine of its
// own: who reads them may be slow, and must not hold up the programs. Only what
// a program is about to learn waits until it was told why, so that an
// explanation comes before the program's own words.
type teller struct {
	sup *Supervisor

	mu      sync.Mutex
	news    sync.Cond // of all below
	queue   []telling
	queued  int // ever
	handled int // of them
	lost    int // explanations that found the queue full
	closed  bool
	done    chan struct{}
}

// telling is an explanation, or none, and what waits for it, with the
// supervisor locked, or nothing.
type telling struct {
	explanation *Explanation
	then        func()
}

// maxTellings bounds the queue. Attempts that somebody waits for are not
// counted: each has a thread or a socket of its own.
const maxTellings = 1024

func newTeller(s *Supervisor) *teller {
	t := &teller{sup: s, done: make(chan struct{})}
	t.news.L = &t.mu
	go t.run()
	return t
}

// add queues; it never waits.
func (t *teller) add(item telling) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if item.then == nil && len(t.queue) >= maxTellings {
		t.lost++
		return
	}
	t.queue = append(t.queue, item)
	t.queued++
	t.news.Broadcast()
}

func (t *teller) run() {
	defer close(t.done)
	for {
		item, lost, ok := t.next()
		if lost > 0 {
			t.sup.warn("explanations of %d connects were lost: they are read too slowly", lost)
		}
		if !ok {
			return
		}
		if item.explanation != nil {
			t.sup.opts.Explain(*item.explanation)
		}
		if item.then != nil {
			t.sup.mu.Lock()
			item.then()
			t.sup.mu.Unlock()
		}
		t.mu.Lock()
		t.handled++
		t.news.Broadcast()
		t.mu.Unlock()
	}
}

// next waits for something to tell; ok is false at the end.
func (t *teller) next() (item telling, lost int, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.queue) == 0 && !t.closed {
		t.news.Wait()
	}
	lost, t.lost = t.lost, 0
	if len(t.queue) == 0 {
		return telling{}, lost, false
	}
	item, t.queue = t.queue[0], t.queue[1:]
	return item, lost, true
}

// drain returns when all that was queued before has been told. The supervisor
// is not locked.
func (t *teller) drain() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for upTo := t.queued; t.handled < upTo; {
		t.news.Wait()
	}
}

// close drains, and ends the goroutine.
func (t *teller) close() {
	t.mu.Lock()
	t.closed = true
	t.news.Broadcast()
	t.mu.Unlock()
	<-t.done
}
