// SPDX-License-Identifier: Apache-2.0

package socket

import (
	"dialtone/errno"
	"dialtone/personality"
	"dialtone/sockaddr"
)

// This file is Flask's socket calls, those with a SID beside the plain arguments (connect_secure(2), October 1998). Without
// access control they are ENOSYS. A SID of 0 asks for what the plain call does.

// ConnectSecure is connect_secure(2): the peer must have the SID wanted.
func ConnectSecure(c *Call, p *personality.Personality, f File, raw sockaddr.Raw, wanted uint32) errno.Errno {
	addr, s, e := argument(p, f, raw)
	if e != errno.OK {
		return e
	}
	if !s.Core.controlled() {
		return errno.ENOSYS
	}
	c.Wanted = wanted
	return s.Connect(c, addr)
}

// ListenSecure is listen_secure(2): sockets made for connections have the SID newconn, or that of their client.
func (s *Socket) ListenSecure(c *Call, backlog int, newconn uint32, useClient bool) errno.Errno {
	if !s.Core.controlled() {
		return errno.ENOSYS
	}
	return s.listen(c, backlog, newconn, useClient)
}

// AcceptSecure is accept_secure(2): it also returns the SID of the peer.
func (s *Socket) AcceptSecure(c *Call) (*Socket, uint32, errno.Errno) {
	if !s.Core.controlled() {
		return nil, 0, errno.ENOSYS
	}
	fresh, e := s.Accept(c)
	if e != errno.OK {
		return nil, 0, e
	}
	return fresh, fresh.PeerSID(), errno.OK
}

// NameSecure is getsockname_secure(2): it also returns the SID of the socket.
func (s *Socket) NameSecure(c *Call) (sockaddr.Addr, uint32, errno.Errno) {
	if !s.Core.controlled() {
		return sockaddr.Addr{}, 0, errno.ENOSYS
	}
	a, e := s.Name(c)
	return a, s.OwnSID(), e
}

// PeerSecure is getpeername_secure(2): it also returns the SID of the peer.
func (s *Socket) PeerSecure(c *Call) (sockaddr.Addr, uint32, errno.Errno) {
	if !s.Core.controlled() {
		return sockaddr.Addr{}, 0, errno.ENOSYS
	}
	a, e := s.Peer(c)
	return a, s.PeerSID(), e
}

// OwnSID returns the SID of the socket.
func (s *Socket) OwnSID() uint32 {
	s.Core.Lock()
	defer s.Core.Unlock()
	return s.Label.SID
}

// anySocket is the SID of a peer that may be anyone (Flask's SECINITSID_ANY_SOCKET).
const anySocket = 8

// PeerSID returns the SID of the peer. That of a datagram socket's is the one that connect_secure gave; if none is known it
// stands for any.
func (s *Socket) PeerSID() uint32 {
	s.Core.Lock()
	defer s.Core.Unlock()
	switch l := &s.Label; {
	case l.Peer != 0:
		return l.Peer
	case l.Wanted != 0:
		return l.Wanted
	}
	return anySocket
}

// MaySend asks access control about a send whose bytes take another way than [Socket.Send].
func (s *Socket) MaySend(c *Call, m *Message) errno.Errno {
	s.Core.Lock()
	defer s.Core.Unlock()
	if s.Core.Access == nil {
		return errno.OK
	}
	return s.Core.Access.Send(c, s, m)
}

// May asks access control about an operation that is done by other means, or later, than by the call itself.
func (s *Socket) May(c *Call, op Op) errno.Errno {
	s.Core.Lock()
	defer s.Core.Unlock()
	if s.Core.Access == nil {
		return errno.OK
	}
	return s.Core.Access.Check(c, s, op, nil)
}

// controlled reports whether there is access control.
func (c *Core) controlled() bool {
	c.Lock()
	defer c.Unlock()
	return c.Access != nil
}
