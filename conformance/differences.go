// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"fmt"
	"strings"
)

// Key names one run of a case.
type Key struct{ ID, Arm, Personality string }

// Differences reads differences.txt: the known differences, each with its reason.
func Differences() (map[Key]string, error) {
	b, err := corpus.ReadFile("differences.txt")
	if err != nil {
		return nil, err
	}
	return parseDifferences("differences.txt", string(b))
}

func parseDifferences(name, s string) (map[Key]string, error) {
	out := map[Key]string{}
	for i, line := range strings.Split(s, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		key, reason, ok := strings.Cut(line, ":")
		words := strings.Fields(key)
		if !ok || len(words) != 3 || strings.TrimSpace(reason) == "" {
			return nil, fmt.Errorf("%s:%d: expected \"ID arm personality: reason\", got %q", name, i+1, line)
		}
		out[Key{words[0], words[1], words[2]}] = strings.TrimSpace(reason)
	}
	return out, nil
}

// Key of a report.
func (r *Report) Key() Key { return Key{r.Case.ID, r.Arm, r.Personality} }

// KnownIDs reads ids.txt: cases that must be in the corpus.
func KnownIDs() ([]string, error) {
	b, err := corpus.ReadFile("ids.txt")
	if err != nil {
		return nil, err
	}
	var out []string
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			out = append(out, line)
		}
	}
	return out, nil
}
