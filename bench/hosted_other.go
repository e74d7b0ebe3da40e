// SPDX-License-Identifier: Apache-2.0

//go:build !linux || !amd64

package main

// hostedOperations: the supervisor is for Linux on x86-64.
var hostedOperations []operation

func playRole([]string) bool { return false }
