// SPDX-License-Identifier: Apache-2.0

// Package landlock is what landlock(7) does in socket calls: a process gives up rights, for itself and for good, and needs
// no privilege to do so. A [Ruleset] says which: TCP ports that it may bind or connect to, and whether AF_UNIX sockets
// outside of its sandbox can be reached by an abstract name.
//
//	Ruleset --Restrict--> socket.Domain of a caller --asked by--> socket.Bind, socket.Connect; unixdomain
//
// In the order of calls it comes before mandatory access control and before the socket's state, as the kernel's hooks do
// (security/landlock/net.c and task.c of Linux 6.18; conformance case x-landlock). What it asks of the address comes
// first, so a short one is EINVAL even where its port is forbidden.
//
// It knows TCP alone: UDP and Multipath TCP are not restricted, nor, on Linux 6.18, is a connect by MSG_FASTOPEN (one by
// TCP_FASTOPEN_CONNECT is; conformance case x-landlock-fastopen).
package landlock
