// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"os"
	"runtime"
)

// A target is started through two copies of the own binary, told from the
// program itself by argv[0]:
//
//	supervisor -> keeper -> shim, which execs the target
//
// The keeper outlives whatever befalls the supervisor and ends every process
// that descends from the target; the shim puts itself under the filter.
const (
	keeperName = "dialtone:keeper"
	shimName   = "dialtone:shim"
)

// init runs before main and before any goroutine of the program, on the main
// thread: a copy started as keeper or shim never comes to be anything else.
func init() {
	if len(os.Args) == 0 {
		return
	}
	switch os.Args[0] {
	case keeperName:
		runtime.LockOSThread() // the target's parent-death signal follows this thread
		os.Exit(keeperMain(os.Args[1:]))
	case shimName:
		runtime.LockOSThread() // the filter holds for this thread, which then execs
		os.Exit(shimMain(os.Args[1:]))
	}
}
