// SPDX-License-Identifier: Apache-2.0

package dialtonearm_test

import (
	"runtime"
	"slices"
	"testing"

	"dialtone/conformance"
	"dialtone/conformance/dialtonearm"
	"dialtone/personality"
)

// TestPersonalities runs every case that knows other systems than linux as each of these systems. Differences are as in
// TestCorpus, and so is CASE.
func TestPersonalities(t *testing.T) {
	cases, known, chosen := corpus(t)
	for _, p := range personality.All {
		if p == personality.Linux {
			continue
		}
		t.Run(p.Name, func(t *testing.T) {
			mine := slices.DeleteFunc(slices.Clone(cases), func(c *conformance.Case) bool {
				return !slices.Contains(c.Systems, p.Name)
			})
			if len(mine) == 0 && !chosen {
				t.Fatal("no case knows the answers of this system")
			}
			reports, err := conformance.RunAll(dialtonearm.Arm{}, mine, p.Name, runtime.NumCPU(), nil)
			if err != nil {
				t.Error(err)
			}
			for _, r := range reports {
				reason, explained := known[r.Key()]
				switch {
				case r.NotRun != "":
					t.Errorf("%s: not run: %s", r.Case.ID, r.NotRun)
				case r.Pass && explained:
					t.Errorf("%s agrees; differences.txt says that it does not: %s", r.Case.ID, reason)
				case !r.Pass && !explained:
					t.Errorf("\n%s", r)
				case chosen:
					t.Logf("\n%s", r)
				}
			}
			t.Logf("%d cases", len(mine))
		})
	}
}
