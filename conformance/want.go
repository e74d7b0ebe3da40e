// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"strings"
	"time"
)

// splitWant cuts " = RESULT after TIME" off a statement.
func splitWant(t text) (body text, want Want, err error) {
	body = t
	if at := lastOutside(t.s, " after "); at >= 0 {
		when := t.slice(at+len(" after "), len(t.s)).trim()
		body = t.slice(0, at).trim()
		if want.Any = when.s == "any"; !want.Any {
			if want.After, err = time.ParseDuration(when.s); err != nil || want.After < 0 {
				return body, want, when.errorf(0, "expected a time as in 300ms, or any, got %q", when.s)
			}
		}
	}
	// The answer stands behind the closing parenthesis, or behind "wait w" and "on freebsd".
	from := strings.LastIndexByte(body.s, ')') + 1
	if open := strings.IndexByte(body.s, '('); open >= 0 {
		from = closing(body.s, open) + 1
	}
	at := strings.IndexByte(body.s[from:], '=')
	if at < 0 {
		if left := strings.TrimSpace(body.s[from:]); from > 0 && left != "" {
			return body, want, body.errorf(from, "expected \"= RESULT\" or \"after TIME\", got %q", left)
		}
		return body, want, nil
	}
	result := body.slice(from+at+1, len(body.s)).trim()
	if result.s == "" {
		return body, want, body.errorf(len(body.s), "expected an answer behind =; ? leaves it out")
	}
	want.Text = result.s
	return body.slice(0, from+at).trim(), want, nil
}

// closing finds the parenthesis that closes the one at open; the end of s if there is none.
func closing(s string, open int) int {
	depth, quoted := 0, false
	for i := open; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '(':
			depth++
		case c == ')':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(s) - 1
}

// lastOutside finds the last sep that stands outside quotes, or -1.
func lastOutside(s, sep string) int {
	at, quoted := -1, false
	for i := 0; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case !quoted && strings.HasPrefix(s[i:], sep):
			at = i
		}
	}
	return at
}

func isName(s string) bool {
	for i := range len(s) {
		if !isWord(s[i]) {
			return false
		}
	}
	return s != "" && !('0' <= s[0] && s[0] <= '9')
}
