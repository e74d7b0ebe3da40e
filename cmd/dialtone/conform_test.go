// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"

	"dialtone/conformance"
	"dialtone/conformance/dialtonearm"
)

// TestConform_explained: what is known to differ is said to be explained, with the reason, and the rest is not.
func TestConform_explained(t *testing.T) {
	cases, err := conformance.Parse("wrong.txt", `
case known: nobody listens
  s = socket(INET, STREAM)
  connect(s, 127.0.0.1:7001) = EISCONN
case unknown: nobody listens
  s = socket(INET, STREAM)
  connect(s, 127.0.0.1:7001) = EISCONN
case right: nobody listens
  s = socket(INET, STREAM)
  connect(s, 127.0.0.1:7001) = ECONNREFUSED
`)
	if err != nil {
		t.Fatal(err)
	}
	reports, err := conformance.RunAll(dialtonearm.Arm{}, cases, conformance.Linux, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	known := map[conformance.Key]string{{ID: "known", Arm: "dialtone", Personality: "linux"}: "the page is wrong"}
	var b strings.Builder
	if err := writeMatrix(&b, reports, known); err != nil {
		t.Fatal(err)
	}
	if want := "dialtone: 1 runs agree, 2 differ (1 explained), 0 could not be run\n"; !strings.Contains(b.String(), want) {
		t.Errorf("%s\nwant %s", b.String(), want)
	}
	b.Reset()
	if err := writeExplained(&b, reports, known); err != nil {
		t.Fatal(err)
	}
	if got, want := b.String(), "known differs on dialtone as linux, as explained: the page is wrong\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if left := unexplained(reports, known); len(left) != 1 || left[0].Case.ID != "unknown" {
		t.Errorf("%d are unexplained, want the unknown one", len(left))
	}
}
