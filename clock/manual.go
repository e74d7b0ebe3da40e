// SPDX-License-Identifier: Apache-2.0

package clock

import (
	"sync"
	"time"
)

// Manual is a clock that its owner drives. Goroutines started by [Manual.Go] are its own; once they all wait (at a
// [Waiter] of this clock) or have ended, nothing can happen but by time: [Manual.Settle] waits for that, [Manual.Step]
// then moves the time to the next deadline. So what takes two minutes on a wire takes no time, and happens in order.
type Manual struct {
	mu      sync.Mutex
	settled sync.Cond
	running int // own goroutines that neither wait nor have ended
	now     time.Duration
	timers  Heap
}

// NewManual returns a clock that stands at its epoch.
func NewManual() *Manual {
	m := &Manual{}
	m.settled.L = &m.mu
	return m
}

// Now implements [Clock].
func (m *Manual) Now() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// Recent implements [Clock].
func (m *Manual) Recent() time.Duration { return m.Now() }

// Wall implements [Clock]: the epoch is that of Unix.
func (m *Manual) Wall(at time.Duration) time.Time { return time.Unix(0, int64(at)) }

// Check implements [Clock]: any goroutine can use the clock.
func (m *Manual) Check() {}

// AfterFunc implements [Clock]. f runs in the goroutine that steps the clock.
func (m *Manual) AfterFunc(d time.Duration, f func()) Timer {
	t := &manualTimer{m: m, f: f}
	t.Reset(d)
	return t
}

// NewWaiter implements [Clock].
func (m *Manual) NewWaiter() Waiter { return &manualWaiter{m: m, ch: make(chan struct{}, 1)} }

// Go runs f in a goroutine of the clock's own. f must wait for others only at this clock's Waiters.
func (m *Manual) Go(f func()) {
	m.mu.Lock()
	m.running++
	m.mu.Unlock()
	go func() {
		defer m.pause()
		f()
	}()
}

// Settle returns once all goroutines of the clock wait or have ended.
func (m *Manual) Settle() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for m.running > 0 {
		m.settled.Wait()
	}
}

// Next returns the next deadline; ok is false if there is none.
func (m *Manual) Next() (at time.Duration, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.timers.Next()
}

// Step settles, moves the time to the next deadline, keeps the appointments that are due, and settles again. It reports
// whether there was a deadline. It must not be called from one of the clock's own goroutines.
func (m *Manual) Step() bool {
	m.Settle()
	at, ok := m.Next()
	if !ok {
		return false
	}
	m.advance(at)
	return true
}

// Advance moves the time by d, stepping through each deadline on the way.
func (m *Manual) Advance(d time.Duration) {
	m.Settle()
	end := m.Now() + d
	for {
		at, ok := m.Next()
		if !ok || at > end {
			break
		}
		m.advance(at)
	}
	m.mu.Lock()
	m.now = end
	m.mu.Unlock()
}

// advance moves the time to at and keeps what is due, settling after each.
func (m *Manual) advance(at time.Duration) {
	m.mu.Lock()
	m.now = max(m.now, at)
	for {
		ev := m.timers.Due(m.now)
		if ev == nil {
			break
		}
		m.mu.Unlock()
		ev.Task.Due()
		m.Settle()
		m.mu.Lock()
	}
	m.mu.Unlock()
}

func (m *Manual) pause() {
	m.mu.Lock()
	m.running--
	if m.running == 0 {
		m.settled.Broadcast()
	}
	m.mu.Unlock()
}

type manualTimer struct {
	m  *Manual
	f  func()
	ev Event
}

func (t *manualTimer) Reset(d time.Duration) {
	t.m.mu.Lock()
	t.ev.Task = Func(t.f)
	t.m.timers.Set(&t.ev, t.m.now+max(d, 0))
	t.m.mu.Unlock()
}

func (t *manualTimer) Stop() {
	t.m.mu.Lock()
	t.m.timers.Remove(&t.ev)
	t.m.mu.Unlock()
}

// manualWaiter keeps the clock's count: who wakes a waiting goroutine counts it as running again, before it runs, so
// that Settle can't see a moment in which nobody seems to.
type manualWaiter struct {
	m       *Manual
	ch      chan struct{}
	waiting bool
	token   bool
}

func (w *manualWaiter) Wait() {
	w.m.mu.Lock()
	if w.token {
		w.token = false
		w.m.mu.Unlock()
		return
	}
	w.waiting = true
	w.m.mu.Unlock()
	w.m.pause()
	<-w.ch
}

func (w *manualWaiter) Wake() {
	w.m.mu.Lock()
	defer w.m.mu.Unlock()
	if !w.waiting {
		w.token = true
		return
	}
	w.waiting = false
	w.m.running++
	w.ch <- struct{}{}
}
