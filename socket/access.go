// SPDX-License-Identifier: Apache-2.0

package socket

import (
	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/trail"
	"dialtone/wire"
)

// Op is a call that access control may refuse.
type Op uint8

// The operations, one for each kind of call; create, listen, send and what passes between two sockets have their own
// methods in [Access].
const (
	OpBind Op = iota
	OpConnect
	OpAccept
	OpReceive
	OpGetOption
	OpSetOption
	OpName
	OpShutdown
)

// Access is mandatory access control (SELinux's hooks in the socket calls). With none, nothing is asked. All methods are
// called with the host's lock held.
type Access interface {
	// Create is asked before a socket is made, and says which label it gets.
	Create(c *Call, family sockaddr.Family, typ Type, protocol int) (Label, errno.Errno)
	// Check is asked before an operation on s; addr are the bytes of the address it names, if it names one.
	Check(c *Call, s *Socket, op Op, addr []byte) errno.Errno
	// Listen is asked before s listens: the sockets of its connections shall have the SID newconn, 0 for s's own, or
	// that of their client with useClient.
	Listen(c *Call, s *Socket, newconn uint32, useClient bool) errno.Errno
	// Send is asked before s sends m.
	Send(c *Call, s *Socket, m *Message) errno.Errno
	// PeerContext is getsockopt(2) of SO_PEERSEC.
	PeerContext(s *Socket) (string, errno.Errno)

	// Join is asked when the client has found an AF_UNIX listener with room. It says which label the socket at the
	// server's end gets.
	Join(c *Call, client, listener *Socket) (Label, errno.Errno)
	// Deliver is asked before an AF_UNIX record goes from one socket to another, and when an AF_UNIX datagram socket
	// is associated with another: then m is nil.
	Deliver(c *Call, from *Socket, to *Label, m *Message) errno.Errno

	// Leave is asked before p leaves by the interface called netif, and writes labels on it. m is what a datagram
	// carries; nil: a segment of a connection. False: it must not leave.
	Leave(l *Label, p *wire.Packet, netif string, m *Message, t *trail.Trail) bool
	// Offer is asked about a SYN that a listener could accept, and says which label the connection's socket gets.
	Offer(listener *Label, p *wire.Packet, netif string) (Label, Admission)
	// Arrive is asked about a segment or datagram for the socket labelled l that came in by netif. The SIDs are those
	// of the sender and of the message.
	Arrive(l *Label, p *wire.Packet, netif string, t *trail.Trail) (sender, message uint32, a Admission)
}

// Admission is what becomes of a packet that came in.
type Admission uint8

// What becomes of it.
const (
	Admit  Admission = iota
	Lose             // dropped without a word
	Refuse           // dropped, and the sender is told as if nobody listened
)

// Label is what access control knows of a socket. Its zero value is that of a socket which was made before there was
// any.
type Label struct {
	SID  uint32 // the socket's own
	Peer uint32 // that of the connection's other end; 0: none, or not known
	// Wanted is the SID that the peer must have (connect_secure); 0: any.
	Wanted uint32
	// NewConn is the SID of sockets made for a listener's connections, 0 its own; with UseClient it is the client's.
	NewConn   uint32
	UseClient bool
	Accepted  bool // this is the server's end of a connection
}

// Associate begins a conversation with a peer that must have the SID wanted, 0 for any.
func (l *Label) Associate(wanted uint32) { l.Peer, l.Wanted = 0, wanted }

func (c *Core) checkCreate(call *Call, family sockaddr.Family, typ Type, protocol int) (Label, errno.Errno) {
	if c.Access == nil {
		return Label{}, errno.OK
	}
	return c.Access.Create(call, family, typ, protocol)
}

// Faults says which calls fail though nothing is wrong, to rehearse what happens then. With none, nothing is asked.
type Faults interface {
	// Connect is asked before s connects, once access control has permitted it; addr are the bytes of the address.
	Connect(c *Call, s *Socket, addr []byte) errno.Errno
}

// check asks the caller's sandbox, access control, then the faults, where there are any.
func (s *Socket) check(c *Call, op Op, addr []byte) errno.Errno {
	if c.Caller != nil && c.Caller.Domain != nil {
		if e := c.Caller.Domain.check(s, op, addr); e != errno.OK {
			if c.Trail != nil {
				c.Trail.Decide(s.Core.NowLocked(), trail.Access, "the caller's sandbox (landlock): %s", e.Name())
			}
			return e
		}
	}
	if s.Core.Access != nil {
		if e := s.Core.Access.Check(c, s, op, addr); e != errno.OK {
			return e
		}
	}
	if s.Core.Faults != nil && op == OpConnect {
		return s.Core.Faults.Connect(c, s, addr)
	}
	return errno.OK
}
