// SPDX-License-Identifier: Apache-2.0

package dialtonearm_test

import (
	"os"
	"path"
	"strings"
	"testing"
	"time"

	"dialtone/conformance"
	"dialtone/conformance/dialtonearm"
)

// TestCorpus runs the whole corpus. CASE=t4-* runs some of it, and prints their transcripts.
func TestCorpus(t *testing.T) {
	cases, err := conformance.Corpus()
	if err != nil {
		t.Fatal(err)
	}
	pattern := os.Getenv("CASE")
	begin := time.Now()
	agree, differ, notRun := 0, 0, 0
	var bad []string
	for _, c := range cases {
		if ok, _ := path.Match(pattern, c.ID); pattern != "" && !ok {
			continue
		}
		r, err := conformance.Run(dialtonearm.Arm{}, c, conformance.Linux)
		switch {
		case err != nil:
			t.Error(err)
			differ++
			bad = append(bad, c.ID)
		case r.NotRun != "":
			notRun++
			t.Logf("%s: not run: %s", c.ID, r.NotRun)
		case r.Pass:
			agree++
			if pattern != "" {
				t.Logf("\n%s", r)
			}
		default:
			differ++
			bad = append(bad, c.ID)
			t.Errorf("\n%s", r)
		}
	}
	t.Logf("%d cases agree, %d differ, %d not run, in %v\n%s", agree, differ, notRun, time.Since(begin).Round(time.Millisecond), strings.Join(bad, " "))
}
