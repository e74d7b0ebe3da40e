// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// fake is an arm that plays back answers, one per call, and notes what it was asked.
type fake struct {
	answers []Result
	errs    map[int]error // by call
	asked   []string
}

func (f *fake) Name() string                                    { return "fake" }
func (f *fake) Slack(time.Duration) (early, late time.Duration) { return 0, 0 }
func (f *fake) Open(*Case, string) (World, error)               { return f, nil }
func (f *fake) Close() error                                    { return nil }
func (f *fake) Do(a Action) error                               { f.asked = append(f.asked, fmt.Sprintf("%T", a)); return nil }
func (f *fake) Start(c Call) (Thread, error)                    { return fakeThread{f, c}, nil }
func (f *fake) Call(c Call) (Result, error) {
	words := []string{c.Process, c.Name}
	for _, a := range c.Args {
		words = append(words, fmt.Sprint(a.Text, "/", a.Int))
	}
	f.asked = append(f.asked, strings.Join(words, " "))
	n := len(f.asked) - 1
	if err := f.errs[n]; err != nil {
		return Result{}, err
	}
	return f.answers[n], nil
}

type fakeThread struct {
	f *fake
	c Call
}

func (t fakeThread) Wait() (Result, error)  { return t.f.Call(t.c) }
func (t fakeThread) Blocked() (bool, error) { return true, nil }
func (t fakeThread) Interrupt(bool) error   { return nil }

func TestRun_bindsDescriptorsAndNames(t *testing.T) {
	c := parseOne(t, `
case x: names
  s = socket(INET, STREAM)
  getsockname(s) = 127.0.0.1:$p
  connect(s, unix:/proc/self/fd/$s) = ECONNREFUSED
  bind(s, 127.0.0.1:$p) = EADDRINUSE
  getsockname(s) = 127.0.0.1:$p
`)
	f := &fake{answers: []Result{
		{FDs: []int{7}},
		{Value: "127.0.0.1:40000"},
		{Errno: "ECONNREFUSED"},
		{Errno: "EADDRINUSE"},
		{Value: "127.0.0.1:40001"},
	}}
	r, err := Run(f, c, Linux)
	if err != nil {
		t.Fatal(err)
	}
	want := "a getsockname s/7|a connect s/7 unix:/proc/self/fd/7/0|a bind s/7 127.0.0.1:40000/0"
	if got := strings.Join(f.asked[1:4], "|"); got != want {
		t.Errorf("asked %s\nwant  %s", got, want)
	}
	if r.Pass || !r.Lines[4].Different || r.Lines[3].Different {
		t.Errorf("only the last line differs:\n%v", r)
	}
}

func TestRun_judgesTheTime(t *testing.T) {
	c := parseOne(t, "case x: t\n  socket(INET, STREAM) = 0 after 1s\n  socket(INET, STREAM) = 0\n  socket(INET, STREAM) = 0 after any\n")
	for _, tt := range []struct {
		times [3]time.Duration
		pass  bool
	}{
		{[3]time.Duration{time.Second, 0, 0}, true},
		{[3]time.Duration{time.Second, 0, time.Hour}, true},
		{[3]time.Duration{time.Second + 1, 0, 0}, false},
		{[3]time.Duration{time.Second - 1, 0, 0}, false},
		{[3]time.Duration{time.Second, 1, 0}, false},
	} {
		f := &fake{}
		for _, d := range tt.times {
			f.answers = append(f.answers, Result{Elapsed: d})
		}
		r, err := Run(f, c, Linux)
		if err != nil || r.Pass != tt.pass {
			t.Errorf("%v: pass is %v, %v", tt.times, r.Pass, err)
		}
	}
}

func TestRun_otherPersonalities(t *testing.T) {
	c := parseOne(t, "case x: t\n  systems linux freebsd\n  socket(INET, STREAM) = 0\n  on freebsd = EINVAL\n")
	for personality, pass := range map[string]bool{Linux: false, "freebsd": true} {
		r, err := Run(&fake{answers: []Result{{Errno: "EINVAL"}}}, c, personality)
		if err != nil || r.Pass != pass {
			t.Errorf("%s: pass is %v, %v", personality, r.Pass, err)
		}
	}
}

func TestRun_whatCantBeExpressedHasNotPassed(t *testing.T) {
	c := parseOne(t, "case x: t\n  socket(INET, STREAM)\n")
	r, err := Run(&fake{errs: map[int]error{0: NotRun("no sockets today")}}, c, Linux)
	if err != nil || r.Pass || r.NotRun != "no sockets today" {
		t.Errorf("got %+v, %v", r, err)
	}
	if !strings.Contains(r.String(), "not run, no sockets today") {
		t.Errorf("transcript:\n%v", r)
	}
}

func TestRun_aBrokenArmIsAnError(t *testing.T) {
	c := parseOne(t, "case x: t\n  socket(INET, STREAM)\n")
	broken := errors.New("broken")
	if r, err := Run(&fake{errs: map[int]error{0: broken}}, c, Linux); !errors.Is(err, broken) || r.Pass {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestRun_aCallThatDoesNotReturnEndsTheCase(t *testing.T) {
	c := parseOne(t, "case x: t\n  socket(INET, STREAM)\n  socket(INET, STREAM)\n")
	r, err := Run(&fake{errs: map[int]error{0: ErrBlocked}}, c, Linux)
	if err != nil || r.Pass || len(r.Lines) != 1 || r.Lines[0].Got != "no return" {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestRun_transcript(t *testing.T) {
	c := parseOne(t, `
case x: a transcript
  s = socket(INET, STREAM); listen(s, 1)
  connect(s, 10.0.0.2:1) = 0 after 1s   # a note
  start w: connect(s, 10.0.0.2:1)
  sleep 2s
  wait w = ?
`)
	f := &fake{answers: []Result{
		{FDs: []int{3}}, {}, {Errno: "EISCONN", Elapsed: time.Second}, {}, {Value: "0"},
	}}
	r, err := Run(f, c, Linux)
	if err != nil {
		t.Fatal(err)
	}
	want := `x: a transcript
  x.txt:2, on fake as linux: DIFFERS
     3  s = socket(INET, STREAM)
     3  listen(s, 1)
!    4  connect(s, 10.0.0.2:1) = EISCONN   EXPECTED 0 after 1s [1000 ms]   # a note
     5  start w: connect(s, 10.0.0.2:1)
     6  sleep 2s
     7  wait w = 0
`
	if r.String() != want {
		t.Errorf("got\n%swant\n%s", r, want)
	}
	rec := r.Record()
	if len(rec.Expected) != 4 || rec.Expected[2] != "connect(s, 10.0.0.2:1) = 0 after 1s" ||
		rec.Got[2] != "connect(s, 10.0.0.2:1) = EISCONN" || rec.Pass {
		t.Errorf("record is %+v", rec)
	}
}

func TestRunAll_keepsTheOrder(t *testing.T) {
	cases, err := Parse("x.txt", "case a: 1\n  sleep 1s\ncase b: 2\n  sleep 3s\ncase c: 3\n  sleep 2s\n")
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	reports, err := RunAll(&fake{}, cases, Linux, 1, func(r *Report) { seen = append(seen, r.Case.ID) })
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(seen, ""); got != "bca" { // the longest first
		t.Errorf("ran %s", got)
	}
	for i, r := range reports {
		if r.Case != cases[i] {
			t.Errorf("report %d is about %s", i, r.Case.ID)
		}
	}
}
