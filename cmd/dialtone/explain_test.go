// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"dialtone/supervisor"
	"dialtone/trail"
)

// refused is an explanation of a connect that did not wait.
func refused() supervisor.Explanation {
	t := new(trail.Trail)
	t.Add(5*time.Second, trail.Route, "by eth0")
	t.Add(5*time.Second+time.Microsecond, trail.Call, "connect: EINPROGRESS")
	t.Decide(5*time.Second+1234567*time.Nanosecond, trail.Received, "RST")
	return supervisor.Explanation{
		Program: "curl", PID: 7, Call: "connect(3) = -1 EINPROGRESS (Operation now in progress)", Errno: "ECONNREFUSED",
		Took: 1300 * time.Microsecond, Trail: t,
	}
}

func TestExplanationText(t *testing.T) {
	x := refused()
	const want = `curl[7] connect(3) = -1 EINPROGRESS (Operation now in progress), then ECONNREFUSED <1.300ms>
        0.000ms  route      by eth0
=>      1.234ms  received   RST
`
	if got := explanationText(&x); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	for _, test := range []struct{ call, errno, want string }{
		{"connect(3) = 0", "", "connect(3) = 0"},
		{"connect(3) = -1 EACCES (Permission denied)", "EACCES", "connect(3) = -1 EACCES (Permission denied)"},
		{"connect(3) = -1 EINPROGRESS (...)", "", "connect(3) = -1 EINPROGRESS (...), then success"},
		{"connect(3) = -1 EINPROGRESS (...)", "EINPROGRESS", "connect(3) = -1 EINPROGRESS (...), given up"},
	} {
		if got := outcome(&supervisor.Explanation{Call: test.call, Errno: test.errno}); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

func TestWhatIsExplained(t *testing.T) {
	failed, succeeded := refused(), refused()
	succeeded.Errno = ""
	for _, test := range []struct {
		mode       explainMode
		text, json int // how many of the two are written
	}{
		{explainNone, 0, 1},
		{explainFailed, 1, 1},
		{explainAll, 2, 2},
	} {
		var text, lines strings.Builder
		e := newExplainer(test.mode, &text, &lines)
		e.explain(failed)
		e.explain(succeeded)
		if got := strings.Count(text.String(), "curl[7]"); got != test.text {
			t.Errorf("mode %d: %d as text, want %d", test.mode, got, test.text)
		}
		if got := strings.Count(lines.String(), "\n"); got != test.json {
			t.Errorf("mode %d: %d as JSON, want %d", test.mode, got, test.json)
		}
		if err := e.Err(); err != nil {
			t.Error(err)
		}
	}
	if e := newExplainer(explainNone, &strings.Builder{}, nil); e != nil {
		t.Error("an explainer that has nothing to write")
	}
}

func TestRecordAsJSON(t *testing.T) {
	var lines strings.Builder
	newExplainer(explainNone, nil, &lines).explain(refused())
	var got, want any
	if err := json.Unmarshal([]byte(lines.String()), &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(`{
		"program": "curl", "pid": 7, "call": "connect(3) = -1 EINPROGRESS (Operation now in progress)",
		"errno": "ECONNREFUSED", "took": 1300000, "decisions": [
			{"at": 5000000000, "layer": "route", "text": "by eth0"},
			{"at": 5001234567, "layer": "received", "text": "RST", "decided": true}
		]
	}`), &want); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestFailedWriteIsTold: it does not disturb the program, and it is not forgotten.
func TestFailedWriteIsTold(t *testing.T) {
	failure := errors.New("full")
	e := newExplainer(explainAll, failingWriter{failure}, nil)
	e.explain(refused())
	if err := e.Err(); !errors.Is(err, failure) {
		t.Errorf("%v, want %v", err, failure)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

// TestExplanationIsDocumented looks for each layer and each field of a record in the documentation.
func TestExplanationIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/explanation.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("../../trail/trail.go")
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, constant := range regexp.MustCompile(`(?m)^\t\w+ +Layer = "(\w+)"`).FindAllStringSubmatch(string(source), -1) {
		if word := constant[1]; trail.Layer(word) != trail.Call { // told by the first line
			words = append(words, word)
		}
	}
	if len(words) == 0 {
		t.Fatal("no layers found in trail.go")
	}
	for _, typ := range []reflect.Type{reflect.TypeFor[record](), reflect.TypeFor[recordDecision]()} {
		for i := range typ.NumField() {
			word, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			words = append(words, word)
		}
	}
	for _, word := range words {
		if !strings.Contains(string(page), "`"+word+"`") {
			t.Errorf("docs/explanation.md says nothing of %q", word)
		}
	}
}
