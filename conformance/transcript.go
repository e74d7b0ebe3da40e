// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"fmt"
	"strings"
	"time"
)

// String is the transcript: each step, what was expected of it, and beside it what came, where that is another thing.
// Lines that differ begin with an exclamation mark.
func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", r.Case.ID, r.Case.Title)
	fmt.Fprintf(&b, "  %s:%d, on %s as %s: %s\n", r.Case.File, r.Case.Line, r.Arm, r.Personality, r.verdict())
	for _, l := range r.Lines {
		b.WriteString(l.String())
		b.WriteByte('\n')
	}
	return b.String()
}

func (r *Report) verdict() string {
	switch {
	case r.NotRun != "":
		return "not run, " + r.NotRun
	case r.Pass:
		return "agrees"
	}
	return "DIFFERS"
}

// String is one line of a transcript.
func (l Line) String() string {
	mark := " "
	if l.Different {
		mark = "!"
	}
	s := fmt.Sprintf("%s %4d  %s", mark, l.Step.Line, l.Step.Text)
	switch {
	case l.Different && l.Got != "":
		s += fmt.Sprintf(" = %s   EXPECTED %s", l.Got, l.Want)
	case l.Got != "" && (l.Want.Text != "" || l.Got != "0"):
		s += " = " + l.Got
	}
	if l.Elapsed >= 20*time.Millisecond {
		s += fmt.Sprintf(" [%d ms]", l.Elapsed.Milliseconds())
	}
	if l.Why != "" {
		s += "   (" + l.Why + ")"
	}
	if l.Step.Comment != "" {
		s += "   # " + l.Step.Comment
	}
	return s
}

// String is an expectation as scripts write it.
func (w Want) String() string {
	s := w.Text
	if s == "" {
		s = "success"
	}
	switch {
	case w.Any:
		s += " after any"
	case w.After > 0:
		s += " after " + w.After.String()
	}
	return s
}
