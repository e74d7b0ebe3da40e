// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package kernelarm

import (
	"time"

	"dialtone/conformance"
)

// The arm and its child processes exchange JSON values, one per line.

// operations of a request
const (
	opCall      = "call"      // make a call in a thread of its own; two replies: settled, then the result
	opBlocked   = "blocked"   // has the call of request Target not returned?
	opInterrupt = "interrupt" // signal the thread of request Target
)

// request goes to the child.
type request struct {
	ID      int
	Op      string
	Call    conformance.Call
	PID     int  // of the process whose descriptor is inherited
	Target  int  // ID of an earlier opCall
	Restart bool // opInterrupt: the handler with SA_RESTART
}

// reply comes back; Settled is true for the first one to opCall: the call waits or has returned.
type reply struct {
	ID      int
	Settled bool
	Blocked bool   // to opBlocked
	Err     string // the child itself failed
	NotRun  string // this can't be expressed here, and why
	Errno   int
	Value   string
	Option  []byte // to getsockopt: the value as it came
	FDs     []int
	Elapsed time.Duration
}
