// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"fmt"
	"strings"
)

// Error is a mistake in a script. Line and Column count from 1; Column counts bytes, as compilers do.
type Error struct {
	File   string
	Line   int
	Column int
	Msg    string // what was wrong, what was expected
}

func (e *Error) Error() string { return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Msg) }

// text is a piece of one line of a script. After table values were put in, cols still says from which column of
// the file each byte came, so that errors point at what the author wrote.
type text struct {
	file string
	line int
	s    string
	cols []int // len(s)+1 columns, the last one being the end of the piece
}

func newText(file string, line int, s string) text {
	cols := make([]int, len(s)+1)
	for i := range cols {
		cols[i] = i + 1
	}
	return text{file, line, s, cols}
}

func (t text) errorf(at int, format string, args ...any) error {
	return &Error{t.file, t.line, t.cols[min(at, len(t.s))], fmt.Sprintf(format, args...)}
}

func (t text) slice(from, to int) text {
	return text{t.file, t.line, t.s[from:to], t.cols[from : to+1]}
}

// trim removes blanks at both ends.
func (t text) trim() text {
	from, to := 0, len(t.s)
	for from < to && isBlank(t.s[from]) {
		from++
	}
	for to > from && isBlank(t.s[to-1]) {
		to--
	}
	return t.slice(from, to)
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' }

func isWord(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// split cuts t at every sep that stands outside quotes, parentheses and brackets. The pieces are trimmed.
func (t text) split(sep byte) []text {
	var out []text
	depth, from := 0, 0
	quoted := false
	for i := 0; i < len(t.s); i++ {
		switch c := t.s[i]; {
		case quoted:
			if c == '\\' {
				i++
			} else if c == '"' {
				quoted = false
			}
		case c == '"':
			quoted = true
		case c == '(' || c == '[':
			depth++
		case c == ')' || c == ']':
			depth--
		case c == sep && depth <= 0:
			out = append(out, t.slice(from, i).trim())
			from = i + 1
		}
	}
	return append(out, t.slice(from, len(t.s)).trim())
}

// words cuts t at blanks; "quoted words" keep theirs and lose the quotes.
func (t text) words() ([]text, error) {
	var out []text
	for i := 0; i < len(t.s); {
		if isBlank(t.s[i]) {
			i++
			continue
		}
		from := i
		if t.s[i] == '"' {
			for i++; i < len(t.s) && t.s[i] != '"'; i++ {
			}
			if i == len(t.s) {
				return nil, t.errorf(from, "quote without end")
			}
			out = append(out, t.slice(from+1, i))
			i++
			continue
		}
		for i < len(t.s) && !isBlank(t.s[i]) {
			i++
		}
		out = append(out, t.slice(from, i))
	}
	return out, nil
}

// comment cuts off a trailing comment: a # at the start or after a blank, outside quotes.
func (t text) comment() (rest text, comment string) {
	quoted := false
	for i := 0; i < len(t.s); i++ {
		switch c := t.s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == '#' && !quoted && (i == 0 || isBlank(t.s[i-1])):
			return t.slice(0, i).trim(), strings.TrimSpace(t.s[i+1:])
		}
	}
	return t.trim(), ""
}

// fill puts the values of one table row in the place of {name}.
func (t text) fill(row map[string]string) (text, error) {
	if !strings.Contains(t.s, "{") {
		return t, nil
	}
	out := text{file: t.file, line: t.line}
	var b strings.Builder
	for i := 0; i < len(t.s); i++ {
		if t.s[i] != '{' || i+1 < len(t.s) && isBlank(t.s[i+1]) {
			b.WriteByte(t.s[i])
			out.cols = append(out.cols, t.cols[i])
			continue
		}
		end := strings.IndexByte(t.s[i:], '}')
		if end < 0 {
			return t, t.errorf(i, "{ without }, expected {column} of a table")
		}
		name := t.s[i+1 : i+end]
		value, ok := row[name]
		if !ok {
			return t, t.errorf(i, "no table of this case has a column %q", name)
		}
		for range len(value) {
			out.cols = append(out.cols, t.cols[i])
		}
		b.WriteString(value)
		i += end
	}
	out.s = b.String()
	out.cols = append(out.cols, t.cols[len(t.s)])
	return out, nil
}
