// SPDX-License-Identifier: Apache-2.0

package main

import (
	"dialtone/conformance"
	"dialtone/conformance/kernelarm"
)

// serveKernelArm becomes a process of a case, if that is what this one was started for.
func serveKernelArm() { kernelarm.Serve() }

// openKernel returns the arm that is the running kernel; done gives back what it holds.
func openKernel() (arm conformance.Arm, done func(), err error) {
	k, err := kernelarm.New()
	if err != nil {
		return nil, nil, err
	}
	return k, func() { k.Close() }, nil
}
