// SPDX-License-Identifier: Apache-2.0

// Package netlink is AF_NETLINK on a host (netlink(7)): sockets with port numbers that send each other datagrams, and the
// kernel at port 0.
//
//	space.go     which protocols there are, and who has which port
//	socket.go    the calls that name and connect sockets
//	data.go      datagrams between sockets
//	kernel.go    the kernel's end of NETLINK_ROUTE
//
// Not here: multicast (a group can be joined, and never has news), and what NETLINK_ROUTE tells: it knows no request, which
// it says.
package netlink
