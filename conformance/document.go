// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"fmt"
	"io"
	"strings"
)

// Personalities returns all that the cases have answers for, linux first.
func Personalities(cases []*Case) []string {
	out := []string{Linux}
	seen := map[string]bool{Linux: true}
	for _, c := range cases {
		for _, s := range c.Systems {
			if !seen[s] {
				seen[s] = true
				out = append(out, s)
			}
		}
	}
	return out
}

// Of returns the cases that have answers for a personality.
func Of(cases []*Case, personality string) []*Case {
	var out []*Case
	for _, c := range cases {
		for _, s := range c.Systems {
			if s == personality {
				out = append(out, c)
			}
		}
	}
	return out
}

// WriteDocument writes docs/conformance.md from the reports of one arm on all personalities.
func WriteDocument(w io.Writer, cases []*Case, reports []*Report) error {
	statements, err := Statements(cases)
	if err != nil {
		return err
	}
	var m Matrix
	passed := map[string]string{}
	total := Count{}
	for _, r := range reports {
		m.Add(r)
		total.Add(r)
		switch {
		case r.NotRun != "":
			passed[r.Case.ID] = " (not run)"
		case !r.Pass:
			passed[r.Case.ID] = " (**differs**)"
		}
	}
	fmt.Fprintf(w, `# Conformance

Made by `+"`dialtone conform --markdown`"+`; a test keeps it current. %d cases, put to Dialtone's sockets as each
personality they know: %d runs agree, %d differ, %d can't be expressed there. The format of the cases is described in
[conformance-format.md](conformance-format.md); `+"`dialtone conform --case ID`"+` shows one, `+"`--kernel`"+` puts them to the
running kernel.

## What connect says, and how many cases show it

A dot is an answer that no case expects there; -n are cases that differ, (n) cases that can't be run.
`, len(cases), total.Agree, total.Differ, total.NotRun)
	m.WriteMarkdown(w)
	page := ""
	fmt.Fprint(w, "\n## What the pages say, and the cases that prove it\n")
	for _, s := range statements {
		if s.Page != page {
			page = s.Page
			fmt.Fprintf(w, "\n### Page %s: %s\n\n| where | what it says | cases |\n|---|---|---|\n", page, pageTitles[page])
		}
		proof := "none: " + s.None
		if s.None == "" {
			var ids []string
			for _, id := range s.Cases {
				ids = append(ids, id+passed[id])
			}
			proof = strings.Join(ids, ", ")
		}
		if _, err := fmt.Fprintf(w, "| %s | %s | %s |\n", s.Place, s.Text, proof); err != nil {
			return err
		}
	}
	return nil
}

// pageTitles says what the pages are.
var pageTitles = map[string]string{
	"000": "SELinux, 3 Oct 1998: connect and connect_secure",
	"001": "Linux, an older page",
	"002": "Linux, an older page",
	"003": "Linux, 2021-03-22",
	"004": "BSD and macOS, 4 Jun 1993",
}
