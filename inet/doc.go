// SPDX-License-Identifier: Apache-2.0

// Package inet is AF_INET and AF_INET6 on a host: TCP and UDP sockets over routes, neighbours, a firewall and
// interfaces.
//
//	stream*.go      TCP sockets: connect, data, poll, what happens meanwhile (over package tcp)
//	fastopen.go     bytes and cookies in the SYN
//	signature.go    signed segments (TCP_MD5SIG)
//	listener.go     listening ones and their queues
//	datagram*.go    UDP and UDP-Lite sockets
//	raw*.go         raw sockets; ping.go: ping sockets
//	ipoption.go     options below SOL_SOCKET; optiontable.go: what they read and take
//	mtu.go          what is too long for the way (streammtu.go)
//	errorqueue.go   what recv(MSG_ERRQUEUE) takes
//	port.go         who holds which local port
//	route.go        the routes; rule.go: what comes before them
//	lookup.go       where a packet goes, and which address it comes from
//	output.go       firewall, neighbour, interface: the way out
//	input.go        interface, firewall, demultiplexer: the way in
//	neighbour.go    who does not answer yet; contact.go: who has answered before
//	forward.go      the way through, on a router
//	icmp.go         errors sent and heard
//	tap.go          who looks on
//
// Not here: fragments, limits on how many ICMP errors are sent, more than one path (IPPROTO_MPTCP is TCP), a firewall chain for
// what is forwarded.
//
// Everything here runs under the lock of the host's [socket.Core]; nothing blocks.
package inet
