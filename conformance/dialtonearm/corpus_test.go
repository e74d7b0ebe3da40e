// SPDX-License-Identifier: Apache-2.0

package dialtonearm_test

import (
	"os"
	"path"
	"runtime"
	"slices"
	"testing"
	"time"

	"dialtone/conformance"
	"dialtone/conformance/dialtonearm"
)

// corpus returns the cases and the differences that are explained. If CASE chooses some, they are those alone.
func corpus(t *testing.T) (cases []*conformance.Case, known map[conformance.Key]string, chosen bool) {
	t.Helper()
	cases, err := conformance.Corpus()
	if err != nil {
		t.Fatal(err)
	}
	if known, err = conformance.Differences(); err != nil {
		t.Fatal(err)
	}
	pattern := os.Getenv("CASE")
	if pattern == "" {
		return cases, known, false
	}
	return slices.DeleteFunc(cases, func(c *conformance.Case) bool {
		ok, err := path.Match(pattern, c.ID)
		return !ok || err != nil
	}), known, true
}

// TestCorpus runs every case for personality linux. A difference fails it unless differences.txt explains it; so does an
// explained one that is none any more. Cases that the arm can't express are listed with the reason.
//
// CASE='t4-*' in the environment runs those cases alone and prints their transcripts.
func TestCorpus(t *testing.T) {
	cases, known, chosen := corpus(t)
	begin := time.Now()
	reports, err := conformance.RunAll(dialtonearm.Arm{}, cases, conformance.Linux, runtime.NumCPU(), nil)
	if err != nil {
		t.Error(err)
	}
	agree, differ, notRun := 0, 0, 0
	for _, r := range reports {
		reason, explained := known[r.Key()]
		switch {
		case r.NotRun != "":
			notRun++
			t.Logf("%s: not run: %s", r.Case.ID, r.NotRun)
		case r.Pass && explained:
			agree++
			t.Errorf("%s agrees; differences.txt says that it does not: %s", r.Case.ID, reason)
		case r.Pass:
			agree++
			if chosen {
				t.Logf("\n%s", r)
			}
		default:
			differ++
			if !explained {
				t.Errorf("\n%s", r)
			}
		}
	}
	took := time.Since(begin)
	t.Logf("%d cases agree, %d differ, %d not run, in %v", agree, differ, notRun, took.Round(time.Millisecond))
	if limit := 10 * time.Second; took > limit {
		t.Errorf("the corpus took %v, want less than %v", took, limit)
	}
}
