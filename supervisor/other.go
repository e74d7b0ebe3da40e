// SPDX-License-Identifier: Apache-2.0

//go:build !(linux && amd64)

package supervisor

import (
	"context"
	"fmt"
	"runtime"
)

// A Supervisor hosts programs; there is none on this system.
type Supervisor struct{}

func errNotHere() error {
	return fmt.Errorf("programs can be hosted on linux/amd64 only, and this is %s/%s", runtime.GOOS, runtime.GOARCH)
}

// New says that there is no supervisor on this system.
func New(Options) (*Supervisor, error) { return nil, errNotHere() }

// Run says that there is no supervisor on this system.
func (*Supervisor) Run(context.Context, Program) (int, error) { return 125, errNotHere() }

// Close does nothing.
func (*Supervisor) Close() {}
