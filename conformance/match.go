// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// match says whether an answer is one of those that were wanted, which are joined by "or".
func match(want, got string, names map[string]string, slack func(time.Duration) (early, late time.Duration)) bool {
	for {
		at := lastOutside(want, " or ")
		if at < 0 {
			return matchOne(want, got, names, slack)
		}
		if matchOne(strings.TrimSpace(want[at+len(" or "):]), got, names, slack) {
			return true
		}
		want = strings.TrimSpace(want[:at])
	}
}

// matchOne says whether an answer is the one that was wanted. $name in want takes any word the first time, and asks
// for the same word afterwards; * takes any word. Times in want, as in "0s 1s 3s", are compared within the slack.
func matchOne(want, got string, names map[string]string, slack func(time.Duration) (early, late time.Duration)) bool {
	count, _, _ := strings.Cut(want, " bytes")
	if _, err := strconv.Atoi(count); err == nil && strings.HasPrefix(got, `"`) {
		return matchOne(want, counted(got), names, slack)
	}
	if w, ok := durations(want); ok {
		g, ok := durations(got)
		if !ok || len(g) != len(w) {
			return false
		}
		for i := range w {
			early, late := slack(w[i])
			if g[i] < w[i]-early || g[i] > w[i]+late {
				return false
			}
		}
		return true
	}
	fresh := map[string]string{}
	i, j := 0, 0
	for i < len(want) {
		c := want[i]
		if c != '$' && c != '*' {
			if j >= len(got) || got[j] != c {
				return false
			}
			i++
			j++
			continue
		}
		end := i + 1
		for c == '$' && end < len(want) && isWord(want[end]) {
			end++
		}
		name := want[i+1 : end]
		i = end
		from := j
		for j < len(got) && isWord(got[j]) {
			j++
		}
		word := got[from:j]
		if word == "" {
			return false
		}
		if name == "" {
			continue
		}
		known, ok := names[name]
		if !ok {
			known, ok = fresh[name]
		}
		if ok && known != word {
			return false
		}
		fresh[name] = word
	}
	if j != len(got) {
		return false
	}
	for name, word := range fresh {
		names[name] = word
	}
	return true
}

// counted writes "N bytes" for the data that an answer begins with.
func counted(answer string) string {
	quoted, err := strconv.QuotedPrefix(answer)
	if err != nil {
		return answer
	}
	data, err := strconv.Unquote(quoted)
	if err != nil {
		return answer
	}
	return fmt.Sprintf("%d bytes%s", len(data), answer[len(quoted):])
}

// durations reads a list of at least two times.
func durations(s string) ([]time.Duration, bool) {
	var out []time.Duration
	for _, w := range strings.Fields(s) {
		d, err := time.ParseDuration(w)
		if err != nil {
			return nil, false
		}
		out = append(out, d)
	}
	return out, len(out) > 1 || len(out) == 1 && strings.HasSuffix(s, "s")
}

// substitute puts the words of $names, and the numbers of descriptors, into the arguments of a call.
func substitute(s string, names map[string]string, fds map[string]int) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '$' {
			b.WriteByte(s[i])
			continue
		}
		end := i + 1
		for end < len(s) && isWord(s[end]) {
			end++
		}
		name := s[i+1 : end]
		word, ok := names[name]
		if fd, isFD := fds[name]; !ok && isFD {
			word, ok = strconv.Itoa(fd), true
		}
		if !ok {
			return "", fmt.Errorf("$%s is not known: the answer that should name it was another one", name)
		}
		b.WriteString(word)
		i = end - 1
	}
	return b.String(), nil
}

// literalFD reads a descriptor that is written as a number.
func literalFD(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil
}
