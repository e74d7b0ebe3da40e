// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"fmt"
	"path"
	"strings"
)

// Statement is something a connect(2) page says, and the cases that prove it.
type Statement struct {
	Page  string // "003"
	Place string // section, and errno if it is about one: "ERRORS EACCES"
	Text  string
	Cases []string // ids
	None  string   // why there are no cases
}

// Statements reads pages.txt, and finds the cases it names among those given. A name that finds none is an error.
func Statements(cases []*Case) ([]Statement, error) {
	b, err := corpus.ReadFile("pages.txt")
	if err != nil {
		return nil, err
	}
	return parseStatements("pages.txt", string(b), cases)
}

func parseStatements(name, s string, cases []*Case) ([]Statement, error) {
	var out []Statement
	for i, line := range strings.Split(s, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		head, rest, ok := strings.Cut(line, ": ")
		page, place, ok2 := strings.Cut(head, " ")
		text, proofs, ok3 := strings.Cut(rest, " | ")
		if !ok || !ok2 || !ok3 {
			return nil, fmt.Errorf("%s:%d: expected \"PAGE PLACE: statement | cases\", got %q", name, i+1, line)
		}
		st := Statement{Page: page, Place: place, Text: text}
		if why, ok := strings.CutPrefix(proofs, "none: "); ok {
			st.None = why
		} else if st.Cases, ok = named(cases, strings.Fields(proofs)); !ok {
			return nil, fmt.Errorf("%s:%d: a name in %q is that of no case", name, i+1, proofs)
		}
		out = append(out, st)
	}
	return out, nil
}

// named returns the ids that the patterns stand for, and whether each stands for one at least.
func named(cases []*Case, patterns []string) (ids []string, all bool) {
	for _, p := range patterns {
		found := false
		for _, c := range cases {
			if ok, err := path.Match(p, c.ID); err == nil && ok {
				ids = append(ids, c.ID)
				found = true
			}
		}
		if !found {
			return nil, false
		}
	}
	return ids, len(patterns) > 0
}
