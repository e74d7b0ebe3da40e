// SPDX-License-Identifier: Apache-2.0

package dialtonearm_test

import (
	"bytes"
	"os"
	"testing"

	"dialtone/conformance"
	"dialtone/conformance/dialtonearm"
)

// docs/conformance.md is what `dialtone conform --markdown` prints.
func TestDocumentIsCurrent(t *testing.T) {
	cases, err := conformance.Corpus()
	if err != nil {
		t.Fatal(err)
	}
	var all []*conformance.Report
	for _, p := range conformance.Personalities(cases) {
		reports, err := conformance.RunAll(dialtonearm.Arm{}, conformance.Of(cases, p), p, 2, nil)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, reports...)
	}
	var want bytes.Buffer
	if err := conformance.WriteDocument(&want, cases, all); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../docs/conformance.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Error("docs/conformance.md is not current: go run ./cmd/dialtone conform --markdown >docs/conformance.md")
	}
}
