// SPDX-License-Identifier: Apache-2.0

//go:build linux

package kernelarm

import (
	"testing"

	"dialtone/conformance"
)

// Random calls have no answer that anybody wrote down. But the kernel agrees with itself, so that a difference to
// another arm is one of the arm, not of the time of day.
func TestRandom_theKernelAgreesWithItself(t *testing.T) {
	arm := newArm(t)
	var cases []*conformance.Case
	for seed := range uint64(60) {
		c, err := conformance.Random(seed)
		if err != nil {
			t.Fatal(err)
		}
		cases = append(cases, c)
	}
	first, err := conformance.RunAll(arm, cases, conformance.Linux, 16, nil)
	if err != nil {
		t.Fatal(err)
	}
	second, err := conformance.RunAll(arm, cases, conformance.Linux, 16, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range cases {
		for _, d := range conformance.Compare(first[i], second[i], arm, arm) {
			t.Errorf("%s: %v\n%v", cases[i].ID, d, first[i])
		}
	}
}
