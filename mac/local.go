// SPDX-License-Identifier: Apache-2.0

package mac

import (
	"dialtone/errno"
	"dialtone/selinux"
	"dialtone/socket"
)

// This file is what passes between two AF_UNIX sockets.

// Join implements [socket.Access] (selinux_socket_unix_stream_connect). The client learns the SID of the server's end,
// which may be another than the listener's; a wanted SID is the listener's (connect_secure(2)).
func (m *Module) Join(c *socket.Call, client, listener *socket.Socket) (socket.Label, errno.Errno) {
	own, l := m.sid(&client.Label), &listener.Label
	server, class := m.sid(l), classOfSocket(listener)
	m.subject = subject{caller: c.Caller, socket: listener, trail: c.Trail}
	if e := m.may(own, server, class, selinux.SocketConnectto); e != errno.OK {
		return socket.Label{}, e
	}
	if w := client.Label.Wanted; !matches(selinux.SID(w), server) {
		m.decide(c.Trail, "the listener is %s, %s was wanted: EACCES", m.text(server), m.text(selinux.SID(w)))
		return socket.Label{}, errno.EACCES
	}
	fresh, e := m.childOf(l, own, class, true)
	if e != errno.OK {
		return socket.Label{}, e
	}
	if fresh != server && (l.UseClient || l.NewConn != 0) {
		if e := m.may(own, fresh, class, selinux.SocketConnectto); e != errno.OK {
			return socket.Label{}, e
		}
	}
	client.Label.Peer = uint32(fresh)
	return socket.Label{SID: uint32(fresh), Peer: uint32(own), Accepted: true}, errno.OK
}

// childOf returns the SID of a socket for a connection that a client made: what listen_secure said, or the listener's,
// with the client's range where ranged says so.
func (m *Module) childOf(l *socket.Label, client selinux.SID, class selinux.Class, ranged bool) (selinux.SID, errno.Errno) {
	listener := m.sid(l)
	switch {
	case l.UseClient && client != listener:
		return client, m.may(listener, client, class, selinux.SocketNewconn)
	case l.UseClient:
		return client, errno.OK
	case l.NewConn != 0:
		return selinux.SID(l.NewConn), errno.OK
	case !ranged:
		return listener, errno.OK
	}
	sid, err := m.server.MLSCopySID(listener, client)
	if err != nil {
		m.decide(m.subject.trail, "the label of the server's socket: %v: EACCES", err)
		return 0, errno.EACCES
	}
	return sid, errno.OK
}

// matches reports whether a socket is one that was wanted.
func matches(wanted, sid selinux.SID) bool {
	return wanted == selinux.SIDNull || wanted == selinux.InitialAnySocket || wanted == sid
}

// Deliver implements [socket.Access] (selinux_socket_unix_may_send, which is not asked about SOCK_SEQPACKET).
func (m *Module) Deliver(c *socket.Call, from *socket.Socket, to *socket.Label, msg *socket.Message) errno.Errno {
	if from.Type != socket.Dgram {
		return errno.OK
	}
	own, receiver := m.sid(&from.Label), m.sid(to)
	m.subject = subject{caller: c.Caller, socket: from, trail: c.Trail}
	if w := wanted(&from.Label, msg); !matches(w, receiver) {
		m.decide(c.Trail, "the receiver is %s, %s was wanted: EACCES", m.text(receiver), m.text(w))
		return errno.EACCES
	}
	if !matches(selinux.SID(to.Wanted), own) {
		m.decide(c.Trail, "the receiver hears %s alone: EACCES", m.text(selinux.SID(to.Wanted)))
		return errno.EACCES
	}
	return m.may(own, receiver, selinux.ClassUnixDgramSocket, selinux.SocketSendto)
}

// PeerContext implements [socket.Access] (selinux_socket_getpeersec_stream): a socket that was never connected has the
// peer unlabeled; TCP knows its peer only where packets are labelled.
func (m *Module) PeerContext(s *socket.Socket) (string, errno.Errno) {
	class := classOfSocket(s)
	peer := selinux.SID(s.Label.Peer)
	switch {
	case class != selinux.ClassTCPSocket && class != selinux.ClassUnixStreamSocket:
		return "", errno.ENOPROTOOPT
	case !s.Busy():
		peer = selinux.InitialUnlabeled
	case class == selinux.ClassTCPSocket && !m.flask && !m.labelled, peer == 0:
		return "", errno.ENOPROTOOPT
	}
	context, err := m.server.SIDToContext(peer)
	if err != nil {
		return "", errno.EINVAL
	}
	return context, errno.OK
}
