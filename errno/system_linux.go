// SPDX-License-Identifier: Apache-2.0

//go:build linux && !mips && !mipsle && !mips64 && !mips64le

package errno

import "syscall"

// toSystem needs no table: the numbers are Linux's own.
func toSystem(e Errno) syscall.Errno { return syscall.Errno(e) }
