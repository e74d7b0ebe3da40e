// SPDX-License-Identifier: Apache-2.0

package drill

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"dialtone/errno"
)

// call is a system call and what it is to return.
type call struct {
	name   string
	args   []value
	result int64
	errno  string // expected with a result of -1; empty: any
	any    bool   // whatever result
}

// value is an argument: a number, a string, a list or a struct.
type value struct {
	kind   byte // '#' number, '"' string, '[' list, '{' struct, '.' anything
	n      int64
	text   string
	fields []field
}

// arg returns an argument, the zero value where there is none.
func (c *call) arg(i int) value {
	if i < len(c.args) {
		return c.args[i]
	}
	return value{}
}

// num returns a numeric argument.
func (c *call) num(i int) int { return int(c.arg(i).n) }

type field struct {
	name string // of a struct's member
	value
}

// member returns a struct's member, the zero value where there is none.
func (v value) member(name string) value {
	for _, f := range v.fields {
		if f.name == name {
			return f.value
		}
	}
	return value{}
}

var (
	numberForm = regexp.MustCompile(`^(?:0[xX][0-9a-fA-F]+|-?\d+)`)
	nameForm   = regexp.MustCompile(`^[A-Za-z_][A-Za-z_0-9]*`)
	resultForm = regexp.MustCompile(`^\s*=\s*(\.\.\.|0[xX][0-9a-fA-F]+|-?\d+)(?:[ \t]*([A-Z]+))?[^\n]*(?:\n|$)`)
)

type scanner struct{ text string }

func (s *scanner) space() { s.text = strings.TrimLeft(s.text, " \t\n\\") }

func (s *scanner) take(token string) bool {
	s.space()
	if !strings.HasPrefix(s.text, token) {
		return false
	}
	s.text = s.text[len(token):]
	return true
}

func (s *scanner) match(form *regexp.Regexp) string {
	s.space()
	m := form.FindString(s.text)
	s.text = s.text[len(m):]
	return m
}

func parseCall(text string) (*call, string, error) {
	s := &scanner{text}
	c := &call{name: s.match(nameForm)}
	if !s.take("(") {
		return nil, "", fmt.Errorf("call not understood")
	}
	var err error
	if c.args, err = s.list(")"); err != nil {
		return nil, "", fmt.Errorf("%s: %w", c.name, err)
	}
	m := resultForm.FindStringSubmatch(s.text)
	if m == nil {
		return nil, "", fmt.Errorf("%s: no result", c.name)
	}
	c.any = m[1] == "..."
	if !c.any {
		c.result, err = strconv.ParseInt(m[1], 0, 64)
	}
	c.errno = m[2]
	return c, s.text[len(m[0]):], err
}

// list reads values up to the closing token.
func (s *scanner) list(end string) (list []value, err error) {
	for !s.take(end) {
		v, err := s.value()
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		if !s.take(",") {
			if s.take(end) {
				break
			}
			return nil, fmt.Errorf("%q, expected %s", s.text[:min(len(s.text), 20)], end)
		}
	}
	return list, nil
}

func (s *scanner) value() (v value, err error) {
	switch {
	case s.take("..."):
		return value{kind: '.'}, nil
	case s.take(`"`):
		text, rest, _ := strings.Cut(s.text, `"`)
		s.text = rest
		return value{kind: '"', text: text}, nil
	case s.take("["):
		items, err := s.list("]")
		v = value{kind: '['}
		for _, i := range items {
			v.fields = append(v.fields, field{value: i})
		}
		return v, err
	case s.take("{"):
		return s.structure()
	}
	return s.number()
}

// structure reads {name=value, name(...)=value, value}.
func (s *scanner) structure() (value, error) {
	v := value{kind: '{'}
	for !s.take("}") {
		before := s.text
		name := s.match(nameForm)
		if s.take("(") {
			if _, err := s.list(")"); err != nil {
				return v, err
			}
		}
		if name == "" || !s.take("=") {
			name, s.text = "", before
		}
		item, err := s.value()
		if err != nil {
			return v, err
		}
		v.fields = append(v.fields, field{name, item})
		if !s.take(",") && !strings.HasPrefix(strings.TrimLeft(s.text, " \t\n\\"), "}") {
			return v, fmt.Errorf("%q, expected }", s.text[:min(len(s.text), 20)])
		}
	}
	return v, nil
}

// number reads numbers and names joined by |.
func (s *scanner) number() (v value, err error) {
	v.kind = '#'
	for {
		if text := s.match(numberForm); text != "" {
			n, err := strconv.ParseInt(text, 0, 64)
			if err != nil {
				return v, err
			}
			v.n |= n
		} else if name := s.match(nameForm); name != "" {
			n, ok := constant(name)
			if !ok {
				return v, notRun("the name %s", name)
			}
			v.n |= n
			v.text = name
		} else {
			return v, fmt.Errorf("%q, expected a value", s.text[:min(len(s.text), 20)])
		}
		if !s.take("|") {
			return v, nil
		}
	}
}

// constant returns what a name of Linux's ABI stands for, on x86-64.
func constant(name string) (int64, bool) {
	if n, ok := constants[name]; ok {
		return n, true
	}
	e, ok := errno.Named(name)
	return int64(e), ok
}
