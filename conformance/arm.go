// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"fmt"
	"time"
)

// Arm is something that cases run on.
type Arm interface {
	// Name is short and stable: "kernel", "dialtone".
	Name() string
	// Open builds hosts, cables and processes of a case as the given personality answers. The caller closes it.
	Open(c *Case, personality string) (World, error)
	// Slack says how far the time of a call may be off when it should take d: d-early to d+late.
	// In virtual time both are 0.
	Slack(d time.Duration) (early, late time.Duration)
}

// World is the network of one case in one arm. Its methods are called one after the other. Any of them may return a
// [NotRunError]: the arm can't express this. Other errors mean that the arm itself is broken.
type World interface {
	// Do changes hosts, links, firewalls, files or the time.
	Do(Action) error
	// Call makes a call and waits for its answer; [ErrBlocked] if there will be none.
	Call(Call) (Result, error)
	// Start begins a call in a thread of its own, and returns when it has returned or waits for something.
	Start(Call) (Thread, error)
	Close() error
}

// Thread is a call under way.
type Thread interface {
	// Wait lets time pass until the call returns; [ErrBlocked] if it never will.
	Wait() (Result, error)
	// Blocked says whether the call is still waiting, at this moment.
	Blocked() (bool, error)
	// Interrupt runs a signal handler in the thread, installed with or without SA_RESTART.
	Interrupt(restart bool) error
}

// NotRunError is the reason why an arm can't express something.
type NotRunError struct{ Reason string }

func (e *NotRunError) Error() string { return "not run: " + e.Reason }

// NotRun makes a [NotRunError].
func NotRun(format string, args ...any) error { return &NotRunError{fmt.Sprintf(format, args...)} }

// ErrBlocked is returned for a call that doesn't come back. The case ends there.
var ErrBlocked = fmt.Errorf("the call did not return")

// Call is a call as an arm gets it: variables are replaced by what they stand for.
type Call struct {
	Process string // whose call it is
	Name    string // as in the manual: "connect"
	Args    []Arg
	Bind    []string // variables that take the descriptors of the answer
}

// Result is what a call answered.
type Result struct {
	Errno   string        // "" if it succeeded, else its Linux name: "EISCONN"
	Value   string        // of a success, as the functions of result.go write it; "" counts as "0"
	FDs     []int         // descriptors, for [Call.Bind]
	Elapsed time.Duration // between call and return
}
