// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package kernelarm

import (
	"os"
	"strings"
	"testing"
	"time"

	"dialtone/conformance"
)

func TestMain(m *testing.M) {
	Serve()
	os.Exit(m.Run())
}

// required is the environment variable that makes a missing right or program a failure instead of a skip.
const required = "DIALTONE_KERNEL_ARM"

// shortest is the time that a case may take by its own account to be run with -short.
const shortest = 5 * time.Second

// newArm makes the arm, or skips the test with the reason.
func newArm(t *testing.T) *Arm {
	t.Helper()
	arm, err := New()
	if err != nil {
		if os.Getenv(required) != "" {
			t.Fatalf("%s is set, and the kernel arm can't run here: %v", required, err)
		}
		t.Skipf("the kernel arm can't run here: %v", err)
	}
	t.Cleanup(func() {
		if err := arm.Close(); err != nil {
			t.Error(err)
		}
	})
	return arm
}

// The corpus is what the running kernel does. Time is real here and the machine may be busy, so a case that differs is
// run again beside few others; it fails if it differs each time.
func TestCorpus_holdsOnTheRunningKernel(t *testing.T) {
	arm := newArm(t)
	all, err := conformance.Corpus()
	if err != nil {
		t.Fatal(err)
	}
	known, err := conformance.Differences()
	if err != nil {
		t.Fatal(err)
	}
	var cases []*conformance.Case
	for _, c := range all {
		if !testing.Short() || c.Duration() < shortest {
			cases = append(cases, c)
		}
	}
	reports, err := conformance.RunAll(arm, cases, conformance.Linux, 24, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = conformance.Retry(arm, reports, func(r *conformance.Report) bool {
		_, isKnown := known[r.Key()]
		again := r.Differs() && !isKnown
		if again {
			t.Logf("differed, is run again:\n%v", r)
		}
		return again
	})
	if err != nil {
		t.Fatal(err)
	}
	agree := 0
	notRun := map[string][]string{} // the cases, by the reason
	for _, r := range reports {
		reason, isKnown := known[r.Key()]
		switch {
		case r.NotRun != "":
			notRun[r.NotRun] = append(notRun[r.NotRun], r.Case.ID)
		case r.Pass && isKnown:
			t.Errorf("%s agrees, but differences.txt says: %s", r.Case.ID, reason)
		case r.Pass:
			agree++
		case !isKnown:
			t.Errorf("%v", r)
		}
	}
	for reason, ids := range notRun {
		t.Logf("%d not run, %s: %s", len(ids), reason, strings.Join(ids, " "))
	}
	t.Logf("%d of %d cases agree, %d are left out by -short", agree, len(all), len(all)-len(cases))
}

func TestWorld_aBlockedCallIsSeenAsBlocked(t *testing.T) {
	arm := newArm(t)
	cases, err := conformance.Parse("x.txt", `
case x: who waits
  l = socket(UNIX, STREAM); bind(l, unix:/s); listen(l, 0)
  start w: accept(l)
  blocked w
  s = socket(UNIX, STREAM); connect(s, unix:/s)
  wait w = unnamed
  start w: connect(s, unix:/s)
  wait w = EISCONN
`)
	if err != nil {
		t.Fatal(err)
	}
	r, err := conformance.Run(arm, cases[0], conformance.Linux)
	if err != nil || !r.Pass {
		t.Errorf("%v%v", r, err)
	}
}

// Worlds are apart from each other and from the machine, and leave nothing behind.
func TestWorld_seesNothingOfOthers(t *testing.T) {
	arm := newArm(t)
	cases, err := conformance.Parse("x.txt", `
case one: binds
  l = socket(INET, STREAM); bind(l, 10.0.0.1:7000) = 0; listen(l, 1) = 0
  u = socket(UNIX, STREAM); bind(u, unix:/s) = 0; bind(u, unix:@n) = EINVAL
  firewall a input tcp drop

case two: binds the same, and no firewall is there
  l = socket(INET, STREAM); bind(l, 10.0.0.1:7000) = 0; listen(l, 1) = 0
  u = socket(UNIX, STREAM); bind(u, unix:/s) = 0
  b: s = socket(INET, STREAM)
  connect(s, 10.0.0.1:7000) = 0
`)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		reports, err := conformance.RunAll(arm, cases, conformance.Linux, 2, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range reports {
			if !r.Pass {
				t.Errorf("%v", r)
			}
		}
	}
	left, err := os.ReadDir(arm.root)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestOpen_otherPersonalitiesAreNotRun(t *testing.T) {
	arm := newArm(t)
	cases, err := conformance.Parse("x.txt", "case x: y\n  socket(INET, STREAM)\n")
	if err != nil {
		t.Fatal(err)
	}
	r, err := conformance.Run(arm, cases[0], "freebsd")
	if err != nil || r.Pass || r.NotRun == "" {
		t.Errorf("got %+v, %v", r, err)
	}
}
