// SPDX-License-Identifier: Apache-2.0

// Package netlink is AF_NETLINK on a host (netlink(7)): sockets with port numbers that send each other datagrams, and the
// kernel at port 0.
//
//	space.go     which protocols there are, and who has which port
//	socket.go    the calls that name and connect sockets
//	data.go      datagrams between sockets
//	kernel.go    the kernel's end of NETLINK_ROUTE
//
// Not here: what NETLINK_ROUTE tells. It knows no request, which it says, and its groups have no news of the host.
package netlink
