// SPDX-License-Identifier: Apache-2.0

// Package dialtone is connect(2) in user space: hosts with sockets, joined by links in memory.
//
// A [Network] has hosts. A [Host] dials and listens like package net, over TCP, UDP and UNIX sockets of its own, and its
// errors are the ones the operating system would give:
//
//	n := dialtone.NewNetwork()
//	web, client := n.Host("web.test"), n.Host("client.test")
//	l, err := web.Listen("tcp", ":80")
//	...
//	c, err := client.Dial("tcp", "web.test:81")
//	errors.Is(err, syscall.ECONNREFUSED) // true
//
// Everything happens in memory, in the goroutines of the callers, and all time comes from one clock: inside a
// testing/synctest bubble a connection attempt that nobody answers times out after its 131 seconds, at once.
//
// # Layers
//
//	Host.Dial, net.Conn         dial.go, conn.go        what Go programs use
//	Process                     process.go              descriptors, and the calls with the manual's names and results
//	socket.Socket               socket/                 states, errors, waiting
//	unixdomain, inet            the address families
//	tcp, firewall, link, wire   the mechanisms below
//
// docs/how-connect-travels.md follows one connect through all of them.
package dialtone
