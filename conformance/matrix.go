// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
)

// Matrix counts, for each errno that connect(2) is expected to return, family and personality, the cases that agree and
// those that differ. "0" is success.
type Matrix struct {
	cells map[cell]Count
}

type cell struct{ errno, family, personality string }

// Count is how many cases agree, differ, and could not be run.
type Count struct{ Agree, Differ, NotRun int }

func (c Count) String() string {
	if c == (Count{}) {
		return "."
	}
	s := fmt.Sprint(c.Agree)
	if c.Differ > 0 {
		s += fmt.Sprintf(" -%d", c.Differ)
	}
	if c.NotRun > 0 {
		s += fmt.Sprintf(" (%d)", c.NotRun)
	}
	return s
}

// Add counts a report.
func (c *Count) Add(r *Report) {
	switch {
	case r.NotRun != "":
		c.NotRun++
	case r.Pass:
		c.Agree++
	default:
		c.Differ++
	}
}

// Add counts a report, once for each errno and family in it.
func (m *Matrix) Add(r *Report) {
	if m.cells == nil {
		m.cells = map[cell]Count{}
	}
	for k := range answers(r) {
		n := m.cells[k]
		n.Add(r)
		m.cells[k] = n
	}
}

var (
	makesSocket = regexp.MustCompile(`^socket(?:_secure)?\((UNIX|INET6?), *(STREAM|DGRAM|SEQPACKET)`)
	isErrno     = regexp.MustCompile(`^E[A-Z]+$`)
)

// answers returns what connect is expected to say in a case.
func answers(r *Report) map[cell]bool {
	families := map[string]string{} // of sockets, by variable
	out := map[cell]bool{}
	calls := map[string]string{} // what threads connect
	for i := range r.Case.Steps {
		s := &r.Case.Steps[i]
		text := s.Text
		if _, after, ok := strings.Cut(text, " = "); ok && len(s.Call.Bind) > 0 {
			text = after
		}
		if k := strings.Index(text, ": "); s.Kind == KindStart && k >= 0 {
			text = text[k+2:]
		}
		if m := makesSocket.FindStringSubmatch(text); m != nil && len(s.Call.Bind) > 0 {
			families[s.Call.Bind[0]] = m[1] + " " + m[2]
		}
		sock := connects(text)
		if s.Kind == KindStart {
			calls[s.Thread] = sock
			continue
		}
		if s.Kind == KindWait {
			sock = calls[s.Thread]
		}
		family := families[sock]
		if sock == "" || family == "" {
			continue
		}
		want := s.want(r.Personality).Text
		switch {
		case isErrno.MatchString(want):
			out[cell{want, family, r.Personality}] = true
		case want == "" || want == "0":
			out[cell{"0", family, r.Personality}] = true
		}
	}
	return out
}

// connects returns the socket that a call connects; "" if it is another call.
func connects(text string) string {
	name, args, _ := strings.Cut(text, "(")
	if name != "connect" && name != "connect_secure" {
		return ""
	}
	sock, _, _ := strings.Cut(args, ",")
	return strings.TrimSpace(sock)
}

// Errnos returns those the matrix has cases for, of any personality.
func (m *Matrix) Errnos() []string {
	all := map[string]bool{}
	for k := range m.cells {
		all[k.errno] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// columns of the matrix are families.
var columns = []string{
	"UNIX STREAM", "UNIX SEQPACKET", "UNIX DGRAM", "INET STREAM", "INET6 STREAM", "INET DGRAM", "INET6 DGRAM",
}

// rows returns the table of a personality: a row an errno, a column a family.
func (m *Matrix) rows(personality string) [][]string {
	var out [][]string
	for _, e := range m.Errnos() {
		row, any := []string{e}, false
		for _, f := range columns {
			n := m.cells[cell{e, f, personality}]
			any = any || n != Count{}
			row = append(row, n.String())
		}
		if any {
			out = append(out, row)
		}
	}
	return out
}

// personalities of the matrix: linux first.
func (m *Matrix) personalities() []string {
	all := map[string]bool{}
	for k := range m.cells {
		all[k.personality] = true
	}
	return slices.SortedFunc(maps.Keys(all), func(a, b string) int {
		if (a == Linux) != (b == Linux) {
			if a == Linux {
				return -1
			}
			return 1
		}
		return cmp.Compare(a, b)
	})
}

// WriteText prints the matrix.
func (m *Matrix) WriteText(w io.Writer) error {
	for _, p := range m.personalities() {
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintf(t, "%s\t%s\t\n", p, strings.Join(columns, "\t"))
		for _, row := range m.rows(p) {
			fmt.Fprintf(t, "%s\t\n", strings.Join(row, "\t"))
		}
		if err := t.Flush(); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	_, err := fmt.Fprintln(w, "Each number is cases in which a connect is expected to say this, and agrees; -n differ; (n) could not be run.")
	return err
}

// WriteMarkdown writes the matrix as tables.
func (m *Matrix) WriteMarkdown(w io.Writer) {
	for _, p := range m.personalities() {
		fmt.Fprintf(w, "\n### %s\n\n| connect says | %s |\n|---|%s\n", p, strings.Join(columns, " | "), strings.Repeat("--:|", len(columns)))
		for _, row := range m.rows(p) {
			fmt.Fprintf(w, "| %s |\n", strings.Join(row, " | "))
		}
	}
}
