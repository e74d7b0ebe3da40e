// SPDX-License-Identifier: Apache-2.0

package socket

import (
	"dialtone/errno"
	"dialtone/sockaddr"
)

// Space is a communications space: one address family on one host.
type Space interface {
	// NewEndpoint makes what stands under a new socket s: socket(2)'s checks of type and protocol (ESOCKTNOSUPPORT,
	// EPROTONOSUPPORT), and of who may have one (EPERM, EACCES). It may set s.Protocol to the protocol that 0 stands for.
	NewEndpoint(c *Call, s *Socket) (Endpoint, errno.Errno)
	// Pair makes two endpoints connected to each other, for socketpair(2); EOPNOTSUPP where the family has none.
	Pair(c *Call, a, b *Socket) (Endpoint, Endpoint, errno.Errno)
}

// Endpoint is what a space puts under a socket: a TCP connection or listener, a UDP port, a UNIX stream. Each method
// answers at once, with the host's lock held. EAGAIN means "not now": the caller waits until the socket is ready for what
// it wants (or until [Call.WaitAt] wakes, if the endpoint set it), and asks again. When readiness grows the endpoint
// calls [Socket.Wake].
type Endpoint interface {
	// Bind is bind(2); addr are the address's bytes, already copied, of any length.
	Bind(c *Call, addr []byte) errno.Errno
	// Listen is listen(2), the first or a later one; backlog is capped already. The socket becomes Listening on OK.
	Listen(c *Call, backlog int) errno.Errno
	// Connect begins to connect, in a state that permits it. OK: connected (or, of datagrams, associated).
	// EINPROGRESS: an attempt is under way, whose end the endpoint tells by [Socket.Established] or [Socket.Fail].
	// EAGAIN: no room now. Any other error: nothing has changed that the family's rules don't say.
	Connect(c *Call, addr []byte) errno.Errno
	// Disconnect ends whatever the endpoint is part of and makes it as new, but for what an explicit bind fixed: what
	// AF_UNSPEC does, and what follows a failed attempt where the personality says so.
	Disconnect(c *Call) errno.Errno
	// Accept takes the next connection from a listener's queue and returns its endpoint, henceforth under s.
	Accept(c *Call, s *Socket) (Endpoint, errno.Errno)

	// Name and Peer are getsockname(2) and getpeername(2): Peer answers ENOTCONN without a peer.
	Name() sockaddr.Addr
	Peer() (sockaddr.Addr, errno.Errno)

	// Send takes what it can of m and returns how many bytes; Recv fills m and returns how many. On a stream, Recv's
	// 0 is the end.
	Send(c *Call, m *Message) (int, errno.Errno)
	Recv(c *Call, m *Message) (int, errno.Errno)

	// Shutdown is shutdown(2).
	Shutdown(c *Call, how How) errno.Errno
	// Option and SetOption are getsockopt(2) and setsockopt(2) for what [Socket] doesn't know itself; values are
	// as a C program passes them. ENOPROTOOPT for unknown ones.
	Option(c *Call, level, name int) ([]byte, errno.Errno)
	SetOption(c *Call, level, name int, value []byte) errno.Errno

	// Ready returns what poll(2) would say now, but for a pending SO_ERROR, which the socket adds.
	Ready() Events
	// Close is the last close(2). The endpoint may live on (TIME-WAIT), but the socket is gone.
	Close(c *Call)
}
