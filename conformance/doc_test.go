// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"os"
	"strings"
	"testing"
)

const page = "../docs/conformance-format.md"

// The page names every call, every action and every word of the set-up.
func TestPage_isComplete(t *testing.T) {
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for name := range signatures {
		if !strings.Contains(string(b), name+"(") {
			t.Errorf("%s does not explain the call %s", page, name)
		}
	}
	words := append([]string{"host", "cable", "process", "systems", "start", "wait", "blocked", "interrupt"}, actionWords...)
	for _, word := range append(words, Descriptors...) {
		if !strings.Contains(string(b), "`"+word+" ") && !strings.Contains(string(b), " "+word) {
			t.Errorf("%s does not explain %q", page, word)
		}
	}
}

// Its examples are cases.
func TestPage_examplesParse(t *testing.T) {
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for i, block := range strings.Split(string(b), "\n```\n") {
		if i%2 == 0 || !strings.Contains(block, "case ") {
			continue
		}
		if _, err := Parse(page, block); err != nil {
			t.Errorf("%v in\n%s", err, block)
		}
		n++
	}
	if n < 2 {
		t.Errorf("found %d examples", n)
	}
}
