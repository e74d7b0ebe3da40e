// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"maps"
	"slices"
	"strings"

	"dialtone/personality"
)

// systems are the personalities that scripts may name.
var systems = personality.Names()

// Parse reads a script. name is the file's name in error messages; all errors are of type [*Error].
//
// A case with a table is as many cases as the table has rows.
func Parse(name, script string) ([]*Case, error) {
	p := fileParser{tables: map[string][]map[string]string{}}
	lines := strings.Split(script, "\n")
	var blocks []block
	for i, s := range lines {
		full := newText(name, i+1, s)
		t, comment := full.comment()
		if t.s == "" {
			continue
		}
		indent := t.cols[0] - 1
		if indent == 0 {
			blocks = append(blocks, block{t, comment, 0, nil})
		} else if len(blocks) == 0 {
			return nil, t.errorf(0, "expected \"case ID: title\" or \"table NAME\" at the margin, got %q", t.s)
		} else {
			last := &blocks[len(blocks)-1]
			last.lines = append(last.lines, block{t, comment, indent, nil})
		}
	}
	var out []*Case
	ids := map[string]bool{}
	for _, b := range blocks {
		cases, err := p.block(b)
		if err != nil {
			return nil, err
		}
		for _, c := range cases {
			if ids[c.ID] {
				return nil, b.head.errorf(0, "a second case %s", c.ID)
			}
			ids[c.ID] = true
			out = append(out, c)
		}
	}
	return out, nil
}

// block is a line and the lines that belong to it because they are further in.
type block struct {
	head    text
	comment string
	indent  int
	lines   []block
}

type fileParser struct {
	tables map[string][]map[string]string
}

func (p *fileParser) block(b block) ([]*Case, error) {
	word, rest, _ := strings.Cut(b.head.s, " ")
	switch word {
	case "table":
		name := strings.TrimSpace(rest)
		if name == "" {
			return nil, b.head.errorf(len(b.head.s), "expected the name of the table")
		}
		rows, err := tableRows(b.head, b.lines)
		p.tables[name] = rows
		return nil, err
	case "case":
		return p.cases(b)
	}
	return nil, b.head.errorf(0, "expected \"case ID: title\" or \"table NAME\", got %q", b.head.s)
}

// tableRows reads the lines of a table: names of the columns, then one row per line.
func tableRows(head text, lines []block) ([]map[string]string, error) {
	var rows []map[string]string
	var columns []string
	for i, line := range lines {
		cells, err := line.head.words()
		if err != nil {
			return nil, err
		}
		if i == 0 {
			for _, c := range cells {
				columns = append(columns, c.s)
			}
			continue
		}
		if len(cells) != len(columns) {
			return nil, line.head.errorf(0, "%d values for %d columns (%s)",
				len(cells), len(columns), strings.Join(columns, " "))
		}
		row := map[string]string{}
		for j, c := range cells {
			row[columns[j]] = c.s
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return nil, head.errorf(0, "expected a line of column names and at least one row, further in")
	}
	return rows, nil
}

// cases reads one case block, once for each combination of the rows of its tables.
func (p *fileParser) cases(b block) ([]*Case, error) {
	rows := []map[string]string{{}}
	var body []block
	for i := 0; i < len(b.lines); i++ {
		line := b.lines[i]
		var table []map[string]string
		word, rest, _ := strings.Cut(line.head.s, " ")
		switch word {
		case "for":
			var ok bool
			if table, ok = p.tables[strings.TrimSpace(rest)]; !ok {
				return nil, line.head.errorf(0, "no table %q above in this file", strings.TrimSpace(rest))
			}
		case "table":
			from := i + 1
			for i+1 < len(b.lines) && b.lines[i+1].indent > line.indent {
				i++
			}
			var err error
			if table, err = tableRows(line.head, b.lines[from:i+1]); err != nil {
				return nil, err
			}
		default:
			body = append(body, line)
			continue
		}
		rows = join(rows, table)
		if len(rows) > 1000 {
			return nil, line.head.errorf(0, "more than 1000 cases from one")
		}
	}
	var out []*Case
	for _, row := range rows {
		c, err := parseCase(b.head, body, row)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// join combines each row of one table with each of the other, where columns of the same name agree.
func join(left, right []map[string]string) []map[string]string {
	var out []map[string]string
	for _, l := range left {
		for _, r := range right {
			row := maps.Clone(l)
			maps.Copy(row, r)
			agree := true
			for k, v := range l {
				agree = agree && row[k] == v
			}
			if agree {
				out = append(out, row)
			}
		}
	}
	return out
}

// caseParser holds what the steps of a case know of each other.
type caseParser struct {
	c       *Case
	owner   map[string]string // process of each descriptor variable
	threads map[string]bool
	names   map[string]bool // $names seen in expectations
}

func parseCase(head text, body []block, row map[string]string) (*Case, error) {
	head, err := head.fill(row)
	if err != nil {
		return nil, err
	}
	rest := head.slice(len("case"), len(head.s)).trim()
	colon := strings.IndexByte(rest.s, ':')
	if colon <= 0 || strings.ContainsAny(rest.s[:colon], " \t") {
		return nil, rest.errorf(0, "expected \"case ID: title\", got %q", head.s)
	}
	p := &caseParser{
		c: &Case{
			File: head.file, Line: head.line, ID: rest.s[:colon], Title: rest.slice(colon+1, len(rest.s)).trim().s,
			Systems: []string{Linux},
			Hosts:   []Host{{Name: "a"}, {Name: "b"}},
			Cables:  []Cable{{"a", "a0", "b", "b0"}},
		},
		owner: map[string]string{}, threads: map[string]bool{}, names: map[string]bool{},
	}
	p.c.Processes = []Process{{"a", "a"}, {"b", "b"}}
	for i := 0; i < len(body); i++ {
		line := body[i]
		t, err := line.head.fill(row)
		if err != nil {
			return nil, err
		}
		if word, _, _ := strings.Cut(t.s, " "); word == "policy" {
			var inner []text
			for ; i+1 < len(body) && body[i+1].indent > line.indent; i++ {
				more, err := body[i+1].head.fill(row)
				if err != nil {
					return nil, err
				}
				inner = append(inner, more)
			}
			if err := p.policy(t, inner); err != nil {
				return nil, err
			}
		} else if err := p.statements(t); err != nil {
			return nil, err
		}
		if n := len(p.c.Steps); n > 0 && p.c.Steps[n-1].Line == line.head.line {
			p.c.Steps[n-1].Comment = line.comment
		}
	}
	return p.c, nil
}

// statements reads a line's statements.
func (p *caseParser) statements(t text) error {
	for _, part := range t.split(';') {
		if part.s == "" {
			continue
		}
		if err := p.line(part); err != nil {
			return err
		}
	}
	return nil
}

// line reads one statement: part of the set-up, or a step.
func (p *caseParser) line(t text) error {
	words, err := t.words()
	if err != nil {
		return err
	}
	switch words[0].s {
	case "systems":
		p.c.Systems = nil
		for _, w := range words[1:] {
			if !slices.Contains(systems, w.s) {
				return w.errorf(0, "expected one of %s, got %q", strings.Join(systems, " "), w.s)
			}
			p.c.Systems = append(p.c.Systems, w.s)
		}
		return nil
	case "host":
		return p.hostLine(t, words)
	case "cable":
		return p.cableLine(t, words)
	case "process":
		if len(words) != 4 || words[2].s != "on" || !p.isHost(words[3].s) {
			return t.errorf(0, "expected \"process NAME on HOST\", got %q", t.s)
		}
		p.c.Processes = append(p.c.Processes, Process{words[1].s, words[3].s})
		return nil
	}
	return p.step(t, words)
}
