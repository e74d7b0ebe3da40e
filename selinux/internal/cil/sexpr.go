// SPDX-License-Identifier: Apache-2.0

package cil

import "fmt"

// Error is what is wrong with a text, and in which line; the first is 1.
type Error struct {
	File string
	Line int
	Msg  string
}

func (e *Error) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg) }

// node is an S-expression: a word or a list. The empty word does not occur, so a node without a word is a list.
type node struct {
	line int // 1 is the first
	word string
	list []node
}

func (n node) isList() bool { return n.word == "" }

// maxNesting bounds the depth of lists; hand-written policies need less than ten.
const maxNesting = 100

// reader splits a text into nodes.
type reader struct {
	file string
	text []byte
	off  int
	line int
}

func (r *reader) fail(line int, format string, args ...any) {
	panic(failure{&Error{r.file, line, fmt.Sprintf(format, args...)}})
}

// statements reads the whole text, which is a row of lists.
func (r *reader) statements() []node {
	var all []node
	for r.skip(); r.off < len(r.text); r.skip() {
		n := r.node(0)
		if !n.isList() || len(n.list) == 0 || n.list[0].isList() {
			r.fail(n.line, "a statement is a list that begins with its keyword")
		}
		all = append(all, n)
	}
	return all
}

// node reads a word or a list; the text must not be at its end.
func (r *reader) node(depth int) node {
	n := node{line: r.line}
	switch r.text[r.off] {
	case ')':
		r.fail(r.line, "a closing parenthesis without an opening one")
	case '(':
		if depth == maxNesting {
			r.fail(r.line, "lists are nested deeper than %d", maxNesting)
		}
		r.off++
		for r.skip(); r.off < len(r.text) && r.text[r.off] != ')'; r.skip() {
			n.list = append(n.list, r.node(depth+1))
		}
		if r.off == len(r.text) {
			r.fail(n.line, "the parenthesis is not closed")
		}
		r.off++
	case '"':
		r.fail(r.line, "a quoted string is not supported, compile it with secilc")
	default:
		start := r.off
		for r.off < len(r.text) && !delimits(r.text[r.off]) {
			r.off++
		}
		n.word = string(r.text[start:r.off])
	}
	return n
}

func delimits(c byte) bool {
	switch c {
	case '(', ')', '"', ';', ' ', '\t', '\r', '\n':
		return true
	}
	return false
}

// skip passes over white space and comments.
func (r *reader) skip() {
	for comment := false; r.off < len(r.text); r.off++ {
		switch c := r.text[r.off]; {
		case c == '\n':
			r.line++
			comment = false
		case comment || c == ' ' || c == '\t' || c == '\r':
		case c == ';':
			comment = true
		default:
			return
		}
	}
}
