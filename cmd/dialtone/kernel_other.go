// SPDX-License-Identifier: Apache-2.0

//go:build !linux || !amd64

package main

import (
	"errors"

	"dialtone/conformance"
)

func serveKernelArm() {}

func openKernel() (conformance.Arm, func(), error) {
	return nil, nil, errors.New("--kernel: cases are put to Linux kernels on x86-64 only")
}
