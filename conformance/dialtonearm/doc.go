// SPDX-License-Identifier: Apache-2.0

// Package dialtonearm puts conformance cases to Dialtone's own sockets, in this process and in virtual time: a case that
// waits two minutes takes none, and each call takes exactly as long as the case says.
//
//	arm.go      the arm
//	world.go    hosts, cables, processes; calls in threads; time
//	calls.go    one call: what it is given and what it answers
//	secure.go   the same of connect_secure(2)'s family
//	actions.go  changes of hosts, links, firewalls and files
//	access.go   policies and labels; what was audited
//	tap.go      what a host has sent, for "syns" and "icmp"
package dialtonearm
