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

// TestRandom_agreesWithTheKernel makes random calls here and on the running kernel, and compares each answer. A sequence
// that differs is run on the kernel once more: time is real there. SEEDS in the environment says how many.
func TestRandom_agreesWithTheKernel(t *testing.T) {
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
	seeds := uint64(60)
	if s := os.Getenv("SEEDS"); s != "" {
		if seeds, err = strconv.ParseUint(s, 10, 32); err != nil {
			t.Fatal(err)
		}
	}
	var cases []*conformance.Case
	for seed := range seeds {
		c, err := conformance.Random(seed)
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
	for i, c := range cases {
		different := conformance.Compare(ours[i], theirs[i], dialtonearm.Arm{}, kernel)
		if len(different) > 0 {
			if theirs[i], err = conformance.Run(kernel, c, conformance.Linux); err != nil {
				t.Fatal(err)
			}
			different = conformance.Compare(ours[i], theirs[i], dialtonearm.Arm{}, kernel)
		}
		for k, d := range different {
			t.Errorf("%s: %v", c.ID, d)
			if k == len(different)-1 {
				t.Logf("on the kernel\n%v", theirs[i])
			}
		}
	}
}
