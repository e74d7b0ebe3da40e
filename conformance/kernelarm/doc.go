// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

// Package kernelarm runs conformance cases on the running Linux kernel: the oracle.
//
// Each host of a case is a network namespace and a mount namespace, entered by one locked thread of this program
// (host.go). Cables are veth pairs; firewalls are nftables; ICMP errors are written to raw sockets (icmp.go). Each
// process of a case is a child process: this program, started anew (agent.go), which makes the calls and reports what
// they answered. So a caller of this package must call [Serve] first thing in main or TestMain.
//
// Time is real here: a case that waits 131 seconds takes 131 seconds. [conformance.RunAll] runs cases beside each other.
//
// It takes root (or the right to make network and mount namespaces), and the programs ip and nft: see [Available].
package kernelarm
