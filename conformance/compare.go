// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// Difference is a step that two arms answered differently, or that one of them did not come to.
type Difference struct {
	Step *Step
	A, B Line
}

// String is the step with both answers.
func (d Difference) String() string {
	answer := func(l Line) string {
		if l.Step == nil {
			return "not come to"
		}
		return fmt.Sprintf("%s [%d ms]", l.Got, l.Elapsed.Milliseconds())
	}
	return fmt.Sprintf("%4d  %s = %s   and   %s", d.Step.Line, d.Step.Text, answer(d.A), answer(d.B))
}

// Compare puts the transcripts of one case on two arms side by side, call by call, for cases that leave their answers
// out. Numbers that each arm chose by itself, as implicit ports and autobound names are, may differ as long as they
// differ in the same way throughout. Times may differ by the slack of both arms.
func Compare(a, b *Report, armA, armB Arm) []Difference {
	var out []Difference
	same := pairs{map[string]string{}, map[string]string{}, written(a.Case)}
	for i := range max(len(a.Lines), len(b.Lines)) {
		if i >= len(a.Lines) || i >= len(b.Lines) {
			d := Difference{}
			if i < len(a.Lines) {
				d.Step, d.A = a.Lines[i].Step, a.Lines[i]
			} else {
				d.Step, d.B = b.Lines[i].Step, b.Lines[i]
			}
			out = append(out, d)
			break // one of them did not return from the call before
		}
		la, lb := a.Lines[i], b.Lines[i]
		if la.Want.Text == countOnly {
			la.Got, lb.Got = counted(la.Got), counted(lb.Got)
		}
		if !same.answers(la.Got, lb.Got) || !near(la.Elapsed, lb.Elapsed, armA, armB) {
			out = append(out, Difference{la.Step, la, lb})
		}
	}
	return out
}

func near(a, b time.Duration, armA, armB Arm) bool {
	earlyA, lateA := armA.Slack(b)
	earlyB, lateB := armB.Slack(a)
	return a >= b-earlyA-lateB && a <= b+lateA+earlyB
}

// pairs are the numbers of one arm and those of the other that stand in their place, both ways. Words that the case
// itself writes stand for nothing else.
type pairs struct {
	forth, back map[string]string
	written     map[string]bool
}

func written(c *Case) map[string]bool {
	out := map[string]bool{}
	for _, s := range c.Steps {
		for rest := s.Text; rest != ""; {
			if !isWord(rest[0]) {
				rest = rest[1:]
				continue
			}
			var word string
			word, rest = cutWord(rest)
			out[word] = true
		}
	}
	return out
}

// answers compares two answers word by word.
func (p pairs) answers(a, b string) bool {
	port := false // what comes next is a port of netlink(7): of an unbound socket the number of its process, however small
	for a != "" || b != "" {
		if a == "" || b == "" {
			return false
		}
		if !isWord(a[0]) || !isWord(b[0]) {
			if a[0] != b[0] {
				return false
			}
			port = port && a[0] == ':'
			a, b = a[1:], b[1:]
			continue
		}
		var wa, wb string
		wa, a = cutWord(a)
		wb, b = cutWord(b)
		if !p.words(wa, wb, port) {
			return false
		}
		port = wa == "netlink"
	}
	return true
}

func cutWord(s string) (word, rest string) {
	i := 0
	for i < len(s) && isWord(s[i]) {
		i++
	}
	return s[:i], s[i:]
}

// words compares two words, which may be ports of netlink(7).
func (p pairs) words(a, b string, port bool) bool {
	given := func(s string) bool { return chosen(s) || port && s != "0" }
	if !given(a) || !given(b) || p.written[a] || p.written[b] {
		return a == b
	}
	knownB, okA := p.forth[a]
	knownA, okB := p.back[b]
	if okA || okB {
		return knownB == b && knownA == a
	}
	p.forth[a], p.back[b] = b, a
	return true
}

// chosen says whether a system may have chosen a word by itself: a port from 1024 up, of netlink(7) of 32 bits, or the five
// hex digits of an autobound name, unix(7).
func chosen(s string) bool {
	if n, err := strconv.Atoi(s); err == nil && n >= 1024 && n <= math.MaxUint32 {
		return true
	}
	_, err := strconv.ParseUint(s, 16, 20)
	return len(s) == 5 && err == nil
}
