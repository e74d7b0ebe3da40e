// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package dialtonearm_test

import (
	"os"
	"strconv"
	"testing"

	"dialtone/conformance"
	"dialtone/conformance/dialtonearm"
	"dialtone/conformance/kernelarm"
)

func TestMain(m *testing.M) {
	kernelarm.Serve()
	os.Exit(m.Run())
}

// TestRandom_agreesWithTheKernel makes random calls here and on the running kernel, and compares each answer. SEEDS in the
// environment says how many sequences there are.
func TestRandom_agreesWithTheKernel(t *testing.T) { agreeWithKernel(t, 100, conformance.Random) }

// TestRandomAddresses_agreeWithTheKernel does the same with all kinds of addresses and options.
func TestRandomAddresses_agreeWithTheKernel(t *testing.T) { agreeWithKernel(t, 60, randomAddresses) }

// agreeWithKernel puts random cases to both arms. One that differs is run on the kernel once more: time is real there.
func agreeWithKernel(t *testing.T, seeds uint64, random func(seed uint64) (*conformance.Case, error)) {
	kernel, err := kernelarm.New()
	if err != nil {
		if os.Getenv("DIALTONE_KERNEL_ARM") != "" {
			t.Fatalf("the kernel arm can't run here: %v", err)
		}
		t.Skipf("the kernel arm can't run here: %v", err)
	}
	defer func() {
		if err := kernel.Close(); err != nil {
			t.Error(err)
		}
	}()
	if s := os.Getenv("SEEDS"); s != "" {
		if seeds, err = strconv.ParseUint(s, 10, 32); err != nil {
			t.Fatal(err)
		}
	}
	var cases []*conformance.Case
	for seed := range seeds {
		c, err := random(seed)
		if err != nil {
			t.Fatal(err)
		}
		cases = append(cases, c)
	}
	ours, err := conformance.RunAll(dialtonearm.Arm{}, cases, conformance.Linux, 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := conformance.RunAll(kernel, cases, conformance.Linux, 16, nil)
	if err != nil {
		t.Fatal(err)
	}
	mine := map[*conformance.Case]*conformance.Report{}
	for i, c := range cases {
		mine[c] = ours[i]
	}
	compare := func(r *conformance.Report) []conformance.Difference {
		return conformance.Compare(mine[r.Case], r, dialtonearm.Arm{}, kernel)
	}
	err = conformance.Retry(kernel, theirs, func(r *conformance.Report) bool { return len(compare(r)) > 0 })
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range cases {
		for _, r := range []*conformance.Report{ours[i], theirs[i]} {
			if r.NotRun != "" {
				t.Errorf("%s: not run on %s: %s", c.ID, r.Arm, r.NotRun)
			}
		}
		if different := compare(theirs[i]); len(different) > 0 { // what follows the first one may follow from it
			t.Errorf("%s: %v\non the kernel\n%v", c.ID, different[0], theirs[i])
		}
	}
}
