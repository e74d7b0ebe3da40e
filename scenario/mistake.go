// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Mistake is one thing wrong with a scenario file.
type Mistake struct {
	File         string
	Line, Column int    // from 1; the column counts characters
	Text         string // what is wrong, and what was expected
}

// Error returns "FILE:LINE:COLUMN: TEXT".
func (m Mistake) Error() string { return fmt.Sprintf("%s:%d:%d: %s", m.File, m.Line, m.Column, m.Text) }

// Mistakes are all mistakes of a file, in its order; as an error they print one a line. [errors.As] finds it.
type Mistakes []Mistake

// Error returns the mistakes, one a line.
func (ms Mistakes) Error() string {
	lines := make([]string, len(ms))
	for i, m := range ms {
		lines[i] = m.Error()
	}
	return strings.Join(lines, "\n")
}

// position is a place in the file; zero is none.
type position struct{ line, column int }

// mistakes collects what is wrong with one file.
type mistakes struct {
	file  string
	found Mistakes
}

func (m *mistakes) add(at position, format string, args ...any) {
	m.found = append(m.found, Mistake{m.file, max(at.line, 1), max(at.column, 1), fmt.Sprintf(format, args...)})
}

// err returns the mistakes in the file's order, nil if there are none.
func (m *mistakes) err() error {
	if len(m.found) == 0 {
		return nil
	}
	slices.SortStableFunc(m.found, func(a, b Mistake) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return m.found
}

// expected returns what to write instead of got: the known words that are nearest, or all of them if none is near.
func expected(got string, known []string) string {
	var nearest []string
	least := len(got)/3 + 1 // so far off a slip of the finger may be, in letters
	for _, word := range known {
		switch d := distance(strings.ToLower(got), strings.ToLower(word)); {
		case d < least:
			nearest, least = []string{word}, d
		case d == least:
			nearest = append(nearest, word)
		}
	}
	if len(nearest) > 0 {
		known = nearest
	}
	switch len(known) {
	case 0:
		return "and there are none"
	case 1:
		return fmt.Sprintf("expected %q", known[0])
	}
	return "expected one of " + strings.Join(slices.Sorted(slices.Values(known)), ", ")
}

// distance returns how many letters must be added, removed or replaced to make b of a (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
