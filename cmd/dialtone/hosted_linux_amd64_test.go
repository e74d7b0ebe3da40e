// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"testing"

	"dialtone/scenario"
	"dialtone/supervisor"
)

// TestHosted runs the scripts that host programs.
func TestHosted(t *testing.T) {
	needHosting(t)
	runScripts(t, "hosted")
}

// needHosting skips the test where the kernel or a container forbids to host programs.
func needHosting(t *testing.T) {
	t.Helper()
	r, err := scenario.Default().Start()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	s, err := supervisor.New(supervisor.Options{})
	if err != nil {
		t.Skipf("programs can't be hosted here: %v", err)
	}
	defer s.Close()
	if status, err := s.Run(context.Background(), supervisor.Program{Argv: []string{"true"}, Stack: r.Host("").Stack()}); err != nil || status != 0 {
		t.Skipf("programs can't be hosted here: exit status %d, %v", status, err)
	}
}
