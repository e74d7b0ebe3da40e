// SPDX-License-Identifier: Apache-2.0

// Package clock is the one source of time of a network: what time it is, what shall happen later, and how a call waits.
//
// [Real] is the time package, so a testing/synctest bubble's virtual time works through it. [Manual] stands still until
// its owner steps it from deadline to deadline.
package clock

import (
	"sync/atomic"
	"time"
)

// Clock tells the time and keeps appointments.
type Clock interface {
	// Now returns the time since the clock's epoch. It never goes back.
	Now() time.Duration
	// Recent returns the latest time that Now has told anybody: cheaper than asking, where a moment ago will do.
	Recent() time.Duration
	// Wall returns the date that it was at a time since the epoch.
	Wall(at time.Duration) time.Time
	// Check panics, and says why, if the calling goroutine can't use the clock.
	Check()
	// AfterFunc calls f, in a goroutine that is not the caller's, once d has gone by.
	AfterFunc(d time.Duration, f func()) Timer
	// NewWaiter returns a place to wait at. It belongs to the synctest bubble of the calling goroutine, if there is one.
	NewWaiter() Waiter
}

// Timer is an appointment.
type Timer interface {
	// Reset moves the appointment to d from now, whether or not it has been kept already.
	Reset(d time.Duration)
	// Stop cancels the appointment; it may already be under way.
	Stop()
}

// Waiter is where one goroutine waits for another. A Wake is remembered: it ends one Wait, the present one or the next;
// several before that Wait count as one.
type Waiter interface {
	Wait()
	Wake()
}

// Real is the time package's clock. Its epoch is when it was made.
type Real struct {
	epoch   time.Time
	bubbled bool // made in a synctest bubble
	recent  atomic.Int64
}

// NewReal returns a clock whose epoch is now.
func NewReal() *Real { return &Real{epoch: time.Now(), bubbled: inBubble()} }

// Bubbled reports whether the clock was made in a synctest bubble, whose time is not the machine's.
func (r *Real) Bubbled() bool { return r.bubbled }

// Epoch returns when the clock was made, by the calendar.
func (r *Real) Epoch() time.Time { return r.epoch }

// Now implements [Clock].
func (r *Real) Now() time.Duration {
	now := int64(time.Since(r.epoch))
	for {
		recent := r.recent.Load()
		if now <= recent {
			return time.Duration(recent) // somebody was faster
		}
		if r.recent.CompareAndSwap(recent, now) {
			return time.Duration(now)
		}
	}
}

// Recent implements [Clock].
func (r *Real) Recent() time.Duration { return time.Duration(r.recent.Load()) }

// Wall implements [Clock]: by the date of now, which may have been set since.
func (r *Real) Wall(at time.Duration) time.Time { return time.Now().Add(at - r.Now()) }

// AfterFunc implements [Clock].
func (r *Real) AfterFunc(d time.Duration, f func()) Timer {
	return realTimer{time.AfterFunc(d, f)}
}

// NewWaiter implements [Clock].
func (r *Real) NewWaiter() Waiter { return realWaiter(make(chan struct{}, 1)) }

type realTimer struct{ t *time.Timer }

func (t realTimer) Reset(d time.Duration) { t.t.Reset(d) }
func (t realTimer) Stop()                 { t.t.Stop() }

// realWaiter waits on a channel, never on a Mutex or Cond: a synctest bubble counts only the former as durably blocked.
type realWaiter chan struct{}

func (w realWaiter) Wait() { <-w }

func (w realWaiter) Wake() {
	select {
	case w <- struct{}{}:
	default:
	}
}
