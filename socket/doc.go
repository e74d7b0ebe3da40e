// SPDX-License-Identifier: Apache-2.0

// Package socket is the socket layer: sockets, their states and errors, and the calls on them, for all address families.
//
// It knows no family. A [Space] interprets the addresses of one and makes an [Endpoint] for each socket; an endpoint
// answers at once and never blocks. Everything about waiting (blocking sockets, O_NONBLOCK, SO_SNDTIMEO and SO_RCVTIMEO,
// EINTR) is in wait.go; everything about a socket's connection state is the table in personality/state.go and the one
// function that changes it, in state.go.
//
// # One lock a host
//
// All sockets of a host share its [Core] and the Core's lock. Each call here takes it, and so does a packet that comes
// in. An Endpoint's and a Space's methods are called with it held and don't unlock it. It is never held while a call
// waits, and nobody holds two at once: packets that a call causes leave when its lock is let go, in [Core.Unlock].
//
// # A call's path
//
//	connect.go   copies the address, asks the state table and access control, waits
//	space.go     the contract: what an endpoint is asked
//	inet/, unixdomain/, netlink/, packet/, vsock/   the families
package socket
