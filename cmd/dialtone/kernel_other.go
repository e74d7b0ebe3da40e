// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package main

import (
	"errors"

	"dialtone/conformance"
)

func serveKernelArm() {}

func openKernel() (conformance.Arm, func(), error) {
	return nil, nil, errors.New("--kernel: cases are put to Linux kernels only")
}
