// SPDX-License-Identifier: Apache-2.0

package socket

import (
	"time"

	"dialtone/clock"
	"dialtone/errno"
)

// This file is all there is about waiting. A call asks its endpoint; if the answer is "not now" and it may wait, it
// sleeps, and asks again.

// outcome is why a sleep ended.
type outcome uint8

const (
	woken       outcome = iota // what was waited for may have happened: ask again
	timedOut                   // the time is up
	interrupted                // a signal whose handler does not restart calls
	restarted                  // a signal with SA_RESTART
	canceled                   // Call.Cancel
)

// sleeper is one call asleep.
type sleeper struct {
	waiter  clock.Waiter
	watch   Watch
	timeout clock.Event
	next    *sleeper // on the same socket
	outcome outcome
	done    bool // outcome is settled
}

func (s *sleeper) end(o outcome) {
	if !s.done {
		s.done, s.outcome = true, o
		s.watch.Remove() // nobody shall wake it for nothing
		s.waiter.Wake()
	}
}

// forever is the deadline that never comes.
const forever = time.Duration(1<<63 - 1)

// sleep is [Call.sleep] of a call on s alone, which [Socket.CloseNow] ends.
func (s *Socket) sleep(c *Call, q *Queue, want Events, deadline time.Duration) outcome {
	if s.closed {
		return canceled
	}
	sl := s.Core.sleeper()
	sl.next, s.asleep = s.asleep, sl
	o := c.sleepAt(s.Core, sl, q, want, deadline)
	for at := &s.asleep; ; at = &(*at).next {
		if *at == sl {
			*at = sl.next
			break
		}
	}
	sl.next = nil
	s.Core.sleepers = append(s.Core.sleepers, sl)
	return o
}

// sleep lets the core's lock go until one of want happens at q, the deadline comes, or somebody ends the call. It
// returns with the lock held again. The sleeper is in the queue before the lock is let go, so nothing is missed; and the
// lock is let go by [Core.Unlock], so no packet is left behind.
func (c *Call) sleep(core *Core, q *Queue, want Events, deadline time.Duration) outcome {
	s := core.sleeper()
	o := c.sleepAt(core, s, q, want, deadline)
	core.sleepers = append(core.sleepers, s)
	return o
}

// sleepAt is sleep at s, which is idle before and after.
func (c *Call) sleepAt(core *Core, s *sleeper, q *Queue, want Events, deadline time.Duration) outcome {
	if c.canceled {
		return canceled
	}
	if deadline != forever && deadline <= core.NowLocked() {
		return timedOut
	}
	s.watch.Events = want
	q.Add(&s.watch)
	if deadline != forever {
		core.After(&s.timeout, deadline)
	}
	c.at = s
	if c.Caller != nil {
		c.Caller.sleeping = append(c.Caller.sleeping, s)
	}

	core.Unlock()
	s.waiter.Wait()
	core.Lock()

	c.at = nil
	if c.Caller != nil {
		c.Caller.forget(s)
	}
	s.watch.Remove()
	core.Cancel(&s.timeout)
	return s.outcome
}

// sleeper returns an idle sleeper. They are kept for each core, not for all, because a waiter belongs to the synctest
// bubble it was made in.
func (c *Core) sleeper() *sleeper {
	c.Clock.Check()
	if n := len(c.sleepers); n > 0 {
		s := c.sleepers[n-1]
		c.sleepers = c.sleepers[:n-1]
		s.done = false
		return s
	}
	s := &sleeper{waiter: c.Clock.NewWaiter(), watch: Watch{call: true}}
	s.watch.Func = func(Events) { s.end(woken) }
	s.timeout.Task = clock.Func(func() { s.end(timedOut) })
	return s
}

func (c *Caller) forget(s *sleeper) {
	for i, x := range c.sleeping {
		if x == s {
			last := len(c.sleeping) - 1
			c.sleeping[i] = c.sleeping[last]
			c.sleeping[last] = nil
			c.sleeping = c.sleeping[:last]
			return
		}
	}
}

// Interrupt is a signal caught by the caller: its waiting calls return EINTR, or go on where restart (SA_RESTART) and
// the call's rules say so. The caller must be of core's host.
func (c *Caller) Interrupt(core *Core, restart bool) {
	o := interrupted
	if restart {
		o = restarted
	}
	core.Lock()
	for _, s := range c.sleeping {
		s.end(o)
	}
	core.Unlock()
}

// Cancel ends the call if it waits, or will: it returns ECANCELED. core is that of its socket.
func (c *Call) Cancel(core *Core) {
	core.Lock()
	c.canceled = true
	if c.at != nil {
		c.at.end(canceled)
	}
	core.Unlock()
}

// Reset makes the call ready to be used again after [Call.Cancel].
func (c *Call) Reset() { c.canceled = false }

// Blocks reports whether the call may wait on s: for endpoints whose answer depends on it.
func (s *Socket) Blocks(c *Call) bool { return !s.nonBlocking && !c.NonBlocking }

// until returns the deadline of a call that may take the given time, by SO_SNDTIMEO or SO_RCVTIMEO: 0 is for ever.
func (s *Socket) until(timeout time.Duration) time.Duration {
	if timeout <= 0 {
		return forever
	}
	return s.Core.deadline(timeout)
}

// deadline returns when a wait of the given time ends: forever if no clock can tell.
func (c *Core) deadline(timeout time.Duration) time.Duration {
	now := c.NowLocked()
	if timeout > forever-now {
		return forever
	}
	return now + timeout
}

// waitData waits for data or room, on behalf of a call that may take until the deadline, or until by if that is not 0.
// The answer is OK to ask again, or the call's error: a timeout is EAGAIN (socket(7)).
func (s *Socket) waitData(c *Call, want Events, deadline, by time.Duration) errno.Errno {
	q := &s.watchers
	if c.WaitAt != nil {
		q, c.WaitAt = c.WaitAt, nil
	}
	timeout := deadline != forever
	if by != 0 {
		deadline = min(deadline, by)
	}
	before, listens := s.dissolved, s.Listening()
	// Readiness grows with an error or the end, whatever was asked for.
	switch o := s.sleep(c, q, want|RdHup, deadline); {
	case s.dissolved != before && !listens:
		return s.Core.Personality.Stream.DissolvedMeanwhile
	case o == timedOut:
		return errno.EAGAIN
	case o == interrupted, o == restarted && timeout:
		return errno.EINTR // socket(7): a call with a timeout is never restarted
	case o == canceled:
		return errno.ECANCELED
	}
	return errno.OK
}

// SetDeadline sets the time, of the core's clock, at which calls stop waiting with EAGAIN: reading ones (recv, accept) or
// writing ones (send, connect), or both. 0 is none. Calls that wait already heed the new time.
func (s *Socket) SetDeadline(how How, at time.Duration) {
	s.Core.Lock()
	if how.Reads() {
		s.recvBy.Store(int64(at))
	}
	if how.Writes() {
		s.sendBy.Store(int64(at))
	}
	s.Wake(In | Out)
	s.Core.Unlock()
}

// ReadBy returns the deadline of reading calls, 0 for none. The host need not be locked.
func (s *Socket) ReadBy() time.Duration { return time.Duration(s.recvBy.Load()) }

// WriteBy returns the deadline of writing calls, 0 for none. The host need not be locked.
func (s *Socket) WriteBy() time.Duration { return time.Duration(s.sendBy.Load()) }
