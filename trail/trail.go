// SPDX-License-Identifier: Apache-2.0

// Package trail holds the decisions taken for one call, in order: what an explanation prints.
//
// Each layer adds one line when it decides. A nil *Trail takes lines and keeps none, but the caller asks first, so that
// a line nobody reads is never even put into words:
//
//	if c.Trail != nil {
//		c.Trail.Add(now, trail.Route, "%v via %v", prefix, gateway)
//	}
package trail

import (
	"fmt"
	"time"
)

// Layer says who decided.
type Layer string

// The layers, from the caller down to the wire and back.
const (
	Call      Layer = "call"      // the call itself and its result
	State     Layer = "state"     // the socket's state, before or after
	Access    Layer = "access"    // mandatory access control
	Fault     Layer = "fault"     // a fault that is being rehearsed
	Name      Layer = "name"      // a UNIX name looked up
	Route     Layer = "route"     // the route taken, or why there is none
	Source    Layer = "source"    // the local address chosen
	Port      Layer = "port"      // the local port chosen
	Firewall  Layer = "firewall"  // the rule that let pass, dropped or rejected
	Neighbour Layer = "neighbour" // who answers for the next hop
	Sent      Layer = "sent"      // a segment or datagram that left
	Received  Layer = "received"  // what came back
	Timer     Layer = "timer"     // a time that ran out
	Backlog   Layer = "backlog"   // the listener's queue
	Path      Layer = "path"      // how the bytes of a hosted program travel
)

// Line is one decision.
type Line struct {
	At      time.Duration // since the network's epoch
	Layer   Layer
	Text    string
	Decided bool // this line settled the call's result
}

// Trail collects the lines of one call. It has no lock: it is written under its host's lock, and read once the call,
// or the attempt it started, has ended.
type Trail struct {
	Lines   []Line
	decided int // 1 + index of the line that settled the result
}

// Add adds a line, in the words of [fmt.Sprintf].
func (t *Trail) Add(at time.Duration, layer Layer, format string, args ...any) {
	if t != nil {
		t.Lines = append(t.Lines, Line{At: at, Layer: layer, Text: fmt.Sprintf(format, args...)})
	}
}

// Decide adds a line that settles the call's result. A later one takes its place: what was decided last holds.
func (t *Trail) Decide(at time.Duration, layer Layer, format string, args ...any) {
	if t == nil {
		return
	}
	if t.decided > 0 {
		t.Lines[t.decided-1].Decided = false
	}
	t.Add(at, layer, format, args...)
	t.decided = len(t.Lines)
	t.Lines[t.decided-1].Decided = true
}

// Decided returns the line that settled the result; ok is false if none did.
func (t *Trail) Decided() (l Line, ok bool) {
	if t == nil || t.decided == 0 {
		return Line{}, false
	}
	return t.Lines[t.decided-1], true
}
