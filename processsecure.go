// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"dialtone/errno"
	"dialtone/mac"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/trail"
)

// This file is Flask's family of socket calls (connect_secure(2), October 1998): each is the plain call with security
// identifiers beside. A SID is a number of the process's host; 0 asks for what the plain call does. Errors are those of the
// plain call, and
//
//   - EACCES: the policy does not permit it; or a wanted AF_UNIX peer has another SID;
//   - ECONNREFUSED: a wanted internet peer has another SID;
//   - EINVAL: a SID that the host does not know, or one where there may be none;
//   - ENOSYS: access control is off on the host.
//
// On a network where nobody has set a policy the first of these calls puts all hosts under the default one.

// secureSocket finds the socket of a call that needs access control.
func (p *Process) secureSocket(fd int) (*socket.Socket, errno.Errno) {
	if _, e := p.host.secure(); e != errno.OK {
		return nil, e
	}
	return p.socket(fd)
}

// SocketSecure is socket_secure: a socket with the given SID.
func (p *Process) SocketSecure(family sockaddr.Family, typ, protocol int, sid uint32) (fd int, err error) {
	if _, e := p.host.secure(); e != errno.OK {
		return -1, e.Err()
	}
	return p.newSocket(family, typ, protocol, sid)
}

// ConnectSecure is connect_secure(2): it connects to a socket with the SID peer and no other. Of a stream it is the
// listening socket that must have it; of datagrams it holds for sending and receiving until the next connect.
func (p *Process) ConnectSecure(fd int, addr sockaddr.Raw, peer uint32) error {
	return p.ConnectSecureExplained(fd, addr, peer, nil)
}

// ConnectSecureExplained is connect_secure(2), and t takes what was decided on the way: see [Process.ConnectExplained].
func (p *Process) ConnectSecureExplained(fd int, addr sockaddr.Raw, peer uint32, t *trail.Trail) error {
	if _, e := p.host.secure(); e != errno.OK {
		return e.Err()
	}
	c := p.call()
	c.Trail = t
	return socket.ConnectSecure(c, p.host.core.Personality, p.file(fd), addr, peer).Err()
}

// ListenSecure is listen_secure: sockets for new connections have the SID newconn, or with useClient that of their client.
func (p *Process) ListenSecure(fd, backlog int, newconn uint32, useClient bool) error {
	s, e := p.secureSocket(fd)
	if e == errno.OK {
		e = s.ListenSecure(p.call(), backlog, newconn, useClient)
	}
	return e.Err()
}

// AcceptSecure is accept_secure: it also returns the SID of the peer. flags may be SOCK_NONBLOCK.
func (p *Process) AcceptSecure(fd, flags int) (int, sockaddr.Addr, uint32, error) {
	s, e := p.secureSocket(fd)
	if e != errno.OK {
		return -1, sockaddr.Addr{}, 0, e.Err()
	}
	fresh, sid, e := s.AcceptSecure(p.call())
	if e != errno.OK {
		return -1, sockaddr.Addr{}, 0, e.Err()
	}
	peer, _ := fresh.Peer(p.call()) // one that has gone since is no reason to fail
	nfd, err := p.install(fresh, flags)
	return nfd, peer, sid, err
}

// GetsocknameSecure is getsockname_secure: it also returns the SID of the socket.
func (p *Process) GetsocknameSecure(fd int) (sockaddr.Addr, uint32, error) {
	s, e := p.secureSocket(fd)
	if e != errno.OK {
		return sockaddr.Addr{}, 0, e.Err()
	}
	a, sid, e := s.NameSecure(p.call())
	return a, sid, e.Err()
}

// GetpeernameSecure is getpeername_secure: it also returns the SID of the peer. A datagram socket's peer is any (8) unless
// connect_secure wanted one.
func (p *Process) GetpeernameSecure(fd int) (sockaddr.Addr, uint32, error) {
	s, e := p.secureSocket(fd)
	if e != errno.OK {
		return sockaddr.Addr{}, 0, e.Err()
	}
	a, sid, e := s.PeerSecure(p.call())
	return a, sid, e.Err()
}

// SendtoSecure is sendto_secure: the receiving socket must have the SID receiver, and the message gets the SID message.
func (p *Process) SendtoSecure(fd int, data []byte, flags int, to sockaddr.Raw, receiver, message uint32) (int, error) {
	addr, e := socket.Destination(p.host.core.Personality, to)
	if e != errno.OK {
		return 0, e.Err()
	}
	m := socket.Message{Data: data, Flags: flags, To: addr, Receiver: receiver, SID: message}
	return p.SendmsgSecure(fd, &m)
}

// SendmsgSecure is sendmsg_secure: m.Receiver and m.SID are the SIDs that SendtoSecure is given.
func (p *Process) SendmsgSecure(fd int, m *socket.Message) (int, error) {
	s, e := p.secureSocket(fd)
	if e != errno.OK {
		return 0, e.Err()
	}
	n, e := s.Send(p.call(), m)
	return n, e.Err()
}

// RecvfromSecure is recvfrom_secure: it also returns the SIDs of the sending socket and of the message.
func (p *Process) RecvfromSecure(fd int, data []byte, flags int) (n int, from sockaddr.Addr, sender, message uint32, err error) {
	m := socket.Message{Data: data, Flags: flags}
	n, err = p.RecvmsgSecure(fd, &m)
	return n, m.From, m.Sender, m.SID, err
}

// RecvmsgSecure is recvmsg_secure: m.Sender and m.SID get the SIDs of the sending socket and of the message.
func (p *Process) RecvmsgSecure(fd int, m *socket.Message) (int, error) {
	s, e := p.secureSocket(fd)
	if e != errno.OK {
		return 0, e.Err()
	}
	n, e := s.Recv(p.call(), m)
	return n, e.Err()
}

// SecurityContextToSID is security_context_to_sid: the host's SID of a context.
func (p *Process) SecurityContextToSID(context string) (uint32, error) {
	m, e := p.host.secure()
	if e != errno.OK {
		return 0, e.Err()
	}
	sid, e := m.ContextToSID(p.caller, context)
	return sid, e.Err()
}

// SecuritySIDToContext is security_sid_to_context: the context that a SID of the host stands for.
func (p *Process) SecuritySIDToContext(sid uint32) (string, error) {
	m, e := p.host.secure()
	if e != errno.OK {
		return "", e.Err()
	}
	context, e := m.SIDToContext(p.caller, sid)
	return context, e.Err()
}

// SetContext labels the process. It is its owner's to do, and asks nothing of the policy but to know the context.
func (p *Process) SetContext(context string) error {
	m, e := p.host.secure()
	if e != errno.OK {
		return e.Err()
	}
	sid, err := m.SID(context)
	if err != nil {
		return err
	}
	p.caller.SID = sid
	return nil
}

// SetSocketCreateContext is setsockcreatecon(3): the context of the sockets that the process makes from now on; an empty
// one leaves it to the policy again.
func (p *Process) SetSocketCreateContext(context string) error {
	m, e := p.host.secure()
	if e != errno.OK {
		return e.Err()
	}
	return m.SetSocketContext(p.caller, context).Err()
}

// Context returns the context of the process, empty without access control.
func (p *Process) Context() string {
	m := p.host.Access()
	if m == nil || m.Mode() == mac.Off {
		return ""
	}
	return m.ProcessContext(p.caller)
}
