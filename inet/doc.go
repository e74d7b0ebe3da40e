// SPDX-License-Identifier: Apache-2.0

// Package inet is AF_INET and AF_INET6 on a host: TCP and UDP sockets over routes, neighbours, a firewall and
// interfaces.
//
//	stream*.go      TCP sockets: connect, data, poll (over package tcp)
//	listener.go     listening ones and their queues
//	datagram*.go    UDP sockets
//	port.go         who holds which local port
//	route.go        where a packet goes; source.go: which address it comes from
//	output.go       firewall, neighbour, interface: the way out
//	input.go        interface, firewall, demultiplexer: the way in
//	icmp.go         errors sent and heard
//
// Everything here runs under the lock of the host's [socket.Core]; nothing blocks.
package inet
