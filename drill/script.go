// SPDX-License-Identifier: Apache-2.0

package drill

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Script is a script that was read.
type Script struct {
	options map[string]string // of the lines that begin with --
	events  []event
}

// event is one line of a script's timeline.
type event struct {
	line     int
	relative bool          // to what was before; else to the script's beginning
	anyTime  bool          // *
	at, to   time.Duration // to is later than at where a range is allowed, or a call blocks until then
	ranged   bool          // at~to
	blocks   bool          // at...to
	text     string        // as it stands
	packet   *packet       // one of these is not its zero value
	call     *call
	command  string
	code     string
}

var (
	timeForm  = regexp.MustCompile(`^(\+?)(\d*\.\d+|\d+)(?:\s*(~|\.\.\.)\s*(\+?)(\d*\.\d+|\d+))?\s+`)
	comment   = regexp.MustCompile(`//[^\n]*`)
	wordForm  = regexp.MustCompile(`^[a-z_0-9]+\s*\(`)
	optionRow = regexp.MustCompile(`^--([a-z_0-9]+)(?:=(\S*))?[ \t]*\n`)
)

// Parse reads a script. The error says in which line something is not understood, or is a [NotRunError].
func Parse(text string) (*Script, error) {
	s := &Script{options: map[string]string{}}
	text = comment.ReplaceAllString(strings.ReplaceAll(text, "\r", ""), "")
	whole := text
	for {
		text = strings.TrimLeft(text, " \t\n")
		if text == "" {
			return s, nil
		}
		if m := optionRow.FindStringSubmatch(text); m != nil {
			s.options[m[1]] = m[2]
			text = text[len(m[0]):]
			continue
		}
		e := event{line: 1 + strings.Count(whole[:len(whole)-len(text)], "\n"), relative: true}
		rest, err := e.parse(text)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", e.line, err)
		}
		e.text = strings.Join(strings.Fields(text[:len(text)-len(rest)]), " ")
		text = rest
		s.events = append(s.events, e)
	}
}

// parse reads one event and returns what follows it.
func (e *event) parse(text string) (rest string, err error) {
	if text, err = e.parseTime(text); err != nil {
		return "", err
	}
	switch {
	case text == "":
		return "", fmt.Errorf("a time, and nothing at it")
	case text[0] == '`':
		body, rest, ok := strings.Cut(text[1:], "`")
		if !ok {
			return "", fmt.Errorf("a command without its end")
		}
		e.command = strings.ReplaceAll(body, "\\\n", " ")
		return rest, nil
	case strings.HasPrefix(text, "%{"):
		body, rest, ok := strings.Cut(text[2:], "}%")
		if !ok {
			return "", fmt.Errorf("code without its end")
		}
		e.code = body
		return rest, nil
	case text[0] == '<' || text[0] == '>':
		row, rest, _ := strings.Cut(text, "\n")
		e.packet, err = parsePacket(row)
		return rest, err
	case wordForm.MatchString(text):
		e.call, rest, err = parseCall(text)
		return rest, err
	}
	row, _, _ := strings.Cut(text, "\n")
	return "", fmt.Errorf("not understood: %s", row)
}

func (e *event) parseTime(text string) (rest string, err error) {
	if strings.HasPrefix(text, "* ") {
		e.anyTime = true
		return strings.TrimLeft(text[1:], " \t\n"), nil
	}
	m := timeForm.FindStringSubmatch(text)
	if m == nil {
		return text, nil
	}
	e.relative = m[1] == "+"
	if e.at, err = time.ParseDuration("0" + m[2] + "s"); err != nil {
		return "", err
	}
	e.to, e.ranged, e.blocks = e.at, m[3] == "~", m[3] == "..."
	if m[3] != "" {
		e.to, err = time.ParseDuration("0" + m[5] + "s")
	}
	return text[len(m[0]):], err
}
