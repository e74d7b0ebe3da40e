// SPDX-License-Identifier: Apache-2.0

package drill

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// NotRunError says why a script, or the rest of it, was not run: it needs what is not here.
type NotRunError struct{ Reason string }

func (e *NotRunError) Error() string { return "not run: " + e.Reason }

func notRun(format string, args ...any) error { return &NotRunError{fmt.Sprintf(format, args...)} }

// Run runs a script on a new host, from 0 s of a clock of its own. The error says in which line the host differs from the
// script, or is a [NotRunError].
func (s *Script) Run() error {
	w, err := newWorld(s)
	if err != nil {
		return err
	}
	defer w.process.Exit()
	for _, e := range s.events {
		if err = w.event(&e); err != nil {
			err = fmt.Errorf("line %d: %s: %w", e.line, e.text, err)
			break
		}
		w.last = &e
	}
	if err == nil {
		err = w.await()
	}
	if err != nil && len(w.ignored) > 0 {
		err = fmt.Errorf("%w (not known here: %s)", err, strings.Join(w.ignored, " "))
	}
	return err
}

// event brings the host through one event.
func (w *world) event(e *event) error {
	if e.relative || e.anyTime {
		base := w.now()
		if w.last != nil && e.inbound() && w.last.inbound() {
			base = w.last.at
		}
		e.at, e.to = base+e.at, base+e.to
	}
	if e.packet != nil && !e.packet.in {
		return w.expect(e)
	}
	if e.at > w.now() {
		w.clock.Advance(e.at - w.now())
	}
	switch {
	case e.call != nil:
		return w.makeCall(e)
	case e.packet != nil:
		return w.inject(e.packet)
	case e.code != "":
		fd, ok := w.fds[w.subject]
		if !ok {
			return errors.New("there is no connection to look at")
		}
		info, err := w.process.Getsockopt(fd, int(constants["SOL_TCP"]), int(constants["TCP_INFO"]))
		if err != nil {
			return err
		}
		return assert(e.code, info)
	}
	return w.command(e.command)
}

func (e *event) inbound() bool { return e.packet != nil && e.packet.in }

// now is the time since the script began.
func (w *world) now() time.Duration { return w.clock.Now() - w.began }

// packetdrill's tolerance of times: 4 ms, unless the script says otherwise, or a share of the time since the last event,
// whichever is more.
const (
	tolerance      = 4 * time.Millisecond
	toleranceShare = 8 // one part in so many
)

// timely checks when something happened.
func (w *world) timely(e *event, at, from, to time.Duration) error {
	slack := w.tolerance
	if w.last != nil {
		slack = max(slack, (from-w.last.at)/toleranceShare)
	}
	if !e.anyTime && (at < from-slack || at > to+slack) {
		return fmt.Errorf("at %v, expected at %v to %v", at, from, to)
	}
	return nil
}

// patience is how long something is waited for beyond its time.
const patience = 20 * time.Second

// until lets time pass until done says so, or the limit or the last deadline has passed.
func (w *world) until(done func() bool, limit time.Duration) bool {
	for !done() {
		if next, ok := w.clock.Next(); !ok || next-w.began > limit {
			return false
		}
		w.clock.Step()
	}
	return true
}
