// SPDX-License-Identifier: Apache-2.0

package drill

import (
	"encoding/binary"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// assert runs a script's code, as far as it is assertions about members of struct tcp_info.
func assert(code string, info []byte) error {
	code = regexp.MustCompile(`#[^\n]*`).ReplaceAllString(strings.ReplaceAll(code, "\\\n", " "), "")
	for line := range strings.FieldsFuncSeq(code, func(r rune) bool { return r == ';' || r == '\n' }) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "print") {
			continue
		}
		claim, ok := strings.CutPrefix(line, "assert ")
		if !ok {
			return notRun("code other than assert: %s", line)
		}
		x := expression{scanner: scanner{claim}, info: info}
		n, err := x.level(0)
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("not so: %s (%s)", claim, strings.Join(x.seen, " "))
		}
	}
	return nil
}

type expression struct {
	scanner
	info []byte
	seen []string // the members, with their values
}

// levels are the operators, those that bind the weakest first.
var levels = []*regexp.Regexp{
	regexp.MustCompile(`^or\b`), regexp.MustCompile(`^and\b`), regexp.MustCompile(`^(==|!=|<=|>=|<|>)`),
	regexp.MustCompile(`^\|`), regexp.MustCompile(`^&`), regexp.MustCompile(`^[-+]`), regexp.MustCompile(`^[*/]`),
}

func (x *expression) level(l int) (int64, error) {
	if l == len(levels) {
		return x.operand()
	}
	left, err := x.level(l + 1)
	chain, compared := int64(1), false
	for err == nil {
		op := x.match(levels[l])
		if op == "" {
			break
		}
		var right int64
		right, err = x.level(l + 1)
		if l == 2 { // a < b < c
			chain, compared = chain&operate(op, left, right), true
			left = right
			continue
		}
		left = operate(op, left, right)
	}
	if compared {
		left = chain
	}
	return left, err
}

func operate(op string, a, b int64) int64 {
	truth := map[string]bool{
		"==": a == b, "!=": a != b, "<=": a <= b, ">=": a >= b, "<": a < b, ">": a > b,
		"or": a|b != 0, "and": a != 0 && b != 0,
	}
	switch op {
	case "|":
		return a | b
	case "&":
		return a & b
	case "+":
		return a + b
	case "-":
		return a - b
	case "*":
		return a * b
	case "/":
		return a / max(b, 1)
	}
	if truth[op] {
		return 1
	}
	return 0
}

func (x *expression) operand() (int64, error) {
	if x.take("(") {
		n, err := x.level(0)
		if err == nil && !x.take(")") {
			err = fmt.Errorf("%q, expected )", x.text)
		}
		return n, err
	}
	if text := x.match(numberForm); text != "" {
		return strconv.ParseInt(text, 0, 64)
	}
	name := x.match(nameForm)
	if f, ok := infoFields[name]; ok {
		if f.at+f.size > len(x.info) {
			return 0, fmt.Errorf("TCP_INFO has no %s", name)
		}
		b := append(x.info[f.at:f.at+f.size:f.at+f.size], make([]byte, 8)...)
		n := int64(binary.LittleEndian.Uint64(b))
		if f.size < 8 {
			n &= 1<<(8*f.size) - 1
		}
		x.seen = append(x.seen, fmt.Sprintf("%s=%d", name, n))
		return n, nil
	}
	if n, ok := constants[name]; ok {
		return n, nil
	}
	return 0, notRun("code with %q", name+x.text)
}
