// SPDX-License-Identifier: Apache-2.0

package conformance

import "time"

// Linux is the personality whose answers stand directly behind a call; others stand in "on" lines.
const Linux = "linux"

// Case is one script: a network and the steps done in it.
type Case struct {
	File  string
	Line  int    // of the word "case"
	ID    string // unique in the corpus
	Title string // what the case looks at, in a line

	// Systems are the personalities whose answers the case knows; linux alone unless it says "systems".
	Systems []string

	Hosts     []Host
	Cables    []Cable
	Processes []Process
	Steps     []Step
}

// Host is one machine. Every case has hosts a and b: 10.0.0.1/24 and fd00::1/64 on a0, 10.0.0.2/24 and fd00::2/64 on
// b0, a cable between them, no default route, lo up, files under an empty root.
type Host struct {
	Name   string
	LoDown bool   // lo was never brought up
	Tree   string // name of the host whose files this one shares; "" for files of its own
}

// Cable joins two interfaces.
type Cable struct {
	HostA, InterfaceA string
	HostB, InterfaceB string
}

// Process is a caller. Every host has one of its own name that runs as root.
type Process struct {
	Name, Host string
}

// Kind says what a step does.
type Kind int

const (
	// KindCall does Call and waits for its answer.
	KindCall Kind = iota
	// KindStart begins Call in a thread named Thread, and goes on as soon as it waits or has returned.
	KindStart
	// KindWait waits for the call that Thread makes, and takes its answer.
	KindWait
	// KindBlocked holds if the call that Thread makes has not returned.
	KindBlocked
	// KindInterrupt runs a signal handler in Thread.
	KindInterrupt
	// KindAct changes the world: Action.
	KindAct
)

// Step is one line of a case, or one part of a line between semicolons.
type Step struct {
	Line    int
	Text    string // as written, table values filled in, comment and expectation cut off
	Comment string

	Kind    Kind
	Thread  string
	Restart bool   // KindInterrupt: the handler is installed with SA_RESTART
	Call    Call   // KindCall, KindStart; its arguments are parsed anew when variables are known
	Action  Action // KindAct

	// Want is the expected answer by personality; Want[linux] is always there for calls that don't start a thread.
	Want map[string]Want
}

// Want is an expected answer: the text of a [Result], where $name and * stand for a number not known beforehand.
type Want struct {
	Text  string        // "" asks for any success, "?" leaves the answer out, "? bytes" all but how many
	Any   bool          // the time is not judged: "after any"
	After time.Duration // how long the call takes; 0 means at once
}

// open says whether the answer is left out.
func (w Want) open() bool { return w.Text == "?" || w.Text == countOnly }

// countOnly stands for an answer that is left out, of which only the number of bytes counts where arms are compared.
const countOnly = "? bytes"

// want gives the answer expected of a personality.
func (s *Step) want(personality string) Want {
	if w, ok := s.Want[personality]; ok {
		return w
	}
	return s.Want[Linux]
}

// Duration is the time that the case takes at least, by its own account: what real-time arms sort by.
func (c *Case) Duration() time.Duration {
	var d time.Duration
	for _, s := range c.Steps {
		d += s.want(Linux).After
		if sleep, ok := s.Action.(Sleep); ok {
			d += sleep.For
		}
	}
	return d
}

// LeavesOut says whether the case leaves an answer out, for arms to be compared.
func (c *Case) LeavesOut() bool {
	for i := range c.Steps {
		if c.Steps[i].Want[Linux].open() {
			return true
		}
	}
	return false
}
