// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/alecthomas/kong"

	"dialtone/supervisor"
	"dialtone/trail"
)

// explainMode says which connects are explained: none, those that failed, or all. As a flag it is --explain or
// --explain=all.
type explainMode uint8

const (
	explainNone explainMode = iota
	explainFailed
	explainAll
)

// Decode implements [kong.MapperValue].
func (m *explainMode) Decode(ctx *kong.DecodeContext) error {
	*m = explainFailed
	if ctx.Scan.Peek().Type != kong.FlagValueToken {
		return nil
	}
	if value := ctx.Scan.Pop().String(); value != "all" {
		return fmt.Errorf("%q, expected --explain or --explain=all", value)
	}
	*m = explainAll
	return nil
}

// IsBool tells kong that the flag may stand without a value.
func (*explainMode) IsBool() bool { return true }

// explainFlags are those of verbs that run programs.
type explainFlags struct {
	Explain explainMode `help:"After each connect that failed tell on stderr why; with =all after each." placeholder:"all"`
	Trail   string      `help:"Write the same to a file as JSON lines; - is stderr." placeholder:"FILE"`
	Audit   string      `help:"Append what security policies deny to a file, in the lines of the kernel's audit log; - is stderr." placeholder:"FILE"`
	Capture string      `help:"Write the packets of all hosts to a file for Wireshark, tshark and tcpdump (pcapng)." placeholder:"FILE"`
}

// open returns what writes explanations, nil for none, and the file to close at the end, nil for none.
func (f *explainFlags) open(stderr io.Writer) (*explainer, *os.File, error) {
	switch f.Trail {
	case "":
		return newExplainer(f.Explain, stderr, nil), nil, nil
	case "-":
		return newExplainer(f.Explain, stderr, stderr), nil, nil
	}
	file, err := os.Create(f.Trail)
	if err != nil {
		return nil, nil, err
	}
	return newExplainer(f.Explain, stderr, file), file, nil
}

// explainer writes the trails of connects: for people and, as JSON lines, for programs. Either writer may be nil. It is
// safe for concurrent use.
type explainer struct {
	text io.Writer
	json io.Writer
	all  bool // also of connects that succeeded

	mu  sync.Mutex
	err error // the first failed write
}

// newExplainer returns an explainer that writes text as mode says, and JSON if json is not nil; nil if nothing is to be
// written.
func newExplainer(mode explainMode, text, json io.Writer) *explainer {
	if mode == explainNone {
		text = nil
	}
	if text == nil && json == nil {
		return nil
	}
	return &explainer{text: text, json: json, all: mode == explainAll}
}

// explain writes what became of a connect.
func (e *explainer) explain(x supervisor.Explanation) {
	if x.Errno == "" && !e.all {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.text != nil {
		e.keep(io.WriteString(e.text, explanationText(&x)))
	}
	if e.json != nil {
		b, err := json.Marshal(newRecord(&x))
		if err != nil {
			e.err = err // texts and numbers: it can't be
			return
		}
		e.keep(e.json.Write(append(b, '\n')))
	}
}

// keep notes a failed write. The program that is being explained must not suffer from it.
func (e *explainer) keep(_ int, err error) {
	if e.err == nil {
		e.err = err
	}
}

// Err returns the first error in writing.
func (e *explainer) Err() error {
	if e == nil {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}

// explanationText returns the call with its result, and below it a line for each decision: how long after the first, who
// decided, what. An arrow marks the one that settled the result.
func explanationText(x *supervisor.Explanation) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s[%d] %s <%s>\n", x.Program, x.PID, outcome(x), elapsed(x.Took))
	for _, line := range decisions(x) {
		mark := "  "
		if line.Decided {
			mark = "=>"
		}
		fmt.Fprintf(&b, "%s %12s  %-9s  %s\n", mark, elapsed(line.At-x.Trail.Lines[0].At), line.Layer, line.Text)
	}
	return b.String()
}

// outcome returns the call with its result; with that of the attempt as well, if the call did not wait for it.
func outcome(x *supervisor.Explanation) string {
	switch {
	case !strings.Contains(x.Call, "EINPROGRESS"):
		return x.Call
	case x.Errno == "":
		return x.Call + ", then success"
	case x.Errno == "EINPROGRESS":
		return x.Call + ", given up"
	default:
		return x.Call + ", then " + x.Errno
	}
}

// decisions returns the lines of the trail but for the call's own, which the explanation has in full.
func decisions(x *supervisor.Explanation) []trail.Line {
	var all []trail.Line
	for _, line := range x.Trail.Lines {
		if line.Layer != trail.Call {
			all = append(all, line)
		}
	}
	return all
}

// elapsed prints d in milliseconds, to the microsecond.
func elapsed(d time.Duration) string {
	return fmt.Sprintf("%d.%03dms", d/time.Millisecond, d%time.Millisecond/time.Microsecond)
}

// record is an explanation as a JSON line. Times are in nanoseconds, At since the network began.
type record struct {
	Program   string           `json:"program"`
	PID       int              `json:"pid"`
	Call      string           `json:"call"`
	Errno     string           `json:"errno,omitempty"` // absent: success
	Took      time.Duration    `json:"took"`
	Decisions []recordDecision `json:"decisions"`
}

type recordDecision struct {
	At      time.Duration `json:"at"`
	Layer   trail.Layer   `json:"layer"`
	Text    string        `json:"text"`
	Decided bool          `json:"decided,omitempty"`
}

func newRecord(x *supervisor.Explanation) record {
	r := record{
		Program: x.Program, PID: x.PID, Call: x.Call, Errno: x.Errno, Took: x.Took,
		Decisions: []recordDecision{},
	}
	for _, line := range decisions(x) {
		r.Decisions = append(r.Decisions, recordDecision(line))
	}
	return r
}
