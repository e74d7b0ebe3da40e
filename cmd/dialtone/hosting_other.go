// SPDX-License-Identifier: Apache-2.0

//go:build !(linux && amd64)

package main

import (
	"fmt"
	"runtime"
)

type runVerb struct {
	Args []string `arg:"" passthrough:"partial" name:"program" help:"The program and its arguments."`
}

// Run says why it can't.
func (runVerb) Run() error { return errNotHere() }

type upVerb struct {
	File string `arg:"" help:"The scenario file, with the programs to start."`
}

// Run says why it can't.
func (upVerb) Run() error { return errNotHere() }

func errNotHere() error {
	return fmt.Errorf("programs can be hosted on linux/amd64 only, and this is %s/%s", runtime.GOOS, runtime.GOARCH)
}
