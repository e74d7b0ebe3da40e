// SPDX-License-Identifier: Apache-2.0

package mac

import (
	"dialtone/errno"
	"dialtone/selinux"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// The permissions that calls need, by [socket.Op].
var needed = [...]selinux.Perm{
	socket.OpBind:      selinux.SocketBind,
	socket.OpConnect:   selinux.SocketConnect,
	socket.OpAccept:    selinux.SocketAccept,
	socket.OpReceive:   selinux.SocketRead,
	socket.OpGetOption: selinux.SocketGetopt,
	socket.OpSetOption: selinux.SocketSetopt,
	socket.OpName:      selinux.SocketGetattr,
	socket.OpShutdown:  selinux.SocketShutdown,
}

// Create implements [socket.Access] (selinux_socket_create). The SID is the call's own (socket_secure), that which the
// process set for its sockets (setsockcreatecon), or what the policy says.
func (m *Module) Create(c *socket.Call, family sockaddr.Family, typ socket.Type, protocol int) (socket.Label, errno.Errno) {
	class := classOf(family, typ, protocol)
	process := m.process(c.Caller)
	m.subject = subject{caller: c.Caller, trail: c.Trail}
	sid := selinux.SID(c.SID)
	switch {
	case c.SID != 0 && !m.known(c.SID):
		return socket.Label{}, errno.EINVAL
	case c.SID != 0:
	case m.socketSID(c.Caller) != 0:
		sid = m.socketSID(c.Caller)
	default:
		var err error
		if sid, err = m.server.TransitionSID(process, process, class); err != nil {
			m.decide(c.Trail, "the socket's label: %v: EACCES", err)
			return socket.Label{}, errno.EACCES
		}
	}
	if e := m.may(process, sid, class, selinux.SocketCreate); e != errno.OK {
		return socket.Label{}, e
	}
	return socket.Label{SID: uint32(sid)}, errno.OK
}

// socketSID returns the SID that the caller's sockets shall have, 0 if that is the policy's to say.
func (m *Module) socketSID(c *socket.Caller) selinux.SID {
	switch {
	case c == nil:
		return 0
	case c.SocketSID != 0:
		return selinux.SID(c.SocketSID)
	case c.SID == 0 && len(m.programs) > 0:
		return m.programs[c.Name].sockets
	}
	return 0
}

// Check implements [socket.Access].
func (m *Module) Check(c *socket.Call, s *socket.Socket, op socket.Op, addr []byte) errno.Errno {
	if e := m.use(c, s, needed[op]); e != errno.OK {
		return e
	}
	switch op {
	case socket.OpBind:
		return m.bind(s, addr)
	case socket.OpConnect:
		if e := m.connect(s, addr); e != errno.OK || c.Wanted == 0 {
			return e
		}
		return m.connectSecure(s, addr, c.Wanted)
	}
	return errno.OK
}

// use checks what a process does with a socket (sock_has_perm). The kernel's own sockets are everybody's to use.
func (m *Module) use(c *socket.Call, s *socket.Socket, perm selinux.Perm) errno.Errno {
	if c.Caller == System {
		return errno.OK
	}
	sid := m.sid(&s.Label)
	m.subject = subject{caller: c.Caller, socket: s, trail: c.Trail}
	if sid == selinux.InitialKernel ||
		sid == selinux.InitialInit && !m.server.Policy().Has(selinux.CapabilityUserspaceInitialContext) {
		return errno.OK
	}
	return m.may(m.process(c.Caller), sid, classOfSocket(s), perm)
}

// Listen implements [socket.Access]. Sockets of connections may have another SID than the listener if the listener may
// make such (newconn); which of the two ways says which one is an invalid argument together.
func (m *Module) Listen(c *socket.Call, s *socket.Socket, newconn uint32, useClient bool) errno.Errno {
	if e := m.use(c, s, selinux.SocketListen); e != errno.OK {
		return e
	}
	own := m.sid(&s.Label)
	switch {
	case newconn != 0 && useClient:
		return errno.EINVAL
	case newconn == 0 || selinux.SID(newconn) == own:
		return errno.OK
	case !m.known(newconn):
		return errno.EINVAL
	}
	return m.may(own, selinux.SID(newconn), classOfSocket(s), selinux.SocketNewconn)
}

// Send implements [socket.Access]. Of a connection, all bytes have the socket's SID and are for its peer.
func (m *Module) Send(c *socket.Call, s *socket.Socket, msg *socket.Message) errno.Errno {
	if e := m.use(c, s, selinux.SocketWrite); e != errno.OK {
		return e
	}
	own, class := m.sid(&s.Label), classOfSocket(s)
	if s.Type.ConnectionOriented() {
		switch {
		case msg.SID != 0 && msg.SID != uint32(own):
			return errno.EINVAL
		case msg.Receiver != 0 && msg.Receiver != s.Label.Peer:
			return errno.EACCES
		case class == selinux.ClassTCPSocket && m.flask && s.Label.Peer != 0:
			return m.may(own, selinux.SID(s.Label.Peer), class, connection(&s.Label))
		}
		return errno.OK
	}
	if msg.Receiver != 0 {
		if e := m.sendSecure(s, msg); e != errno.OK {
			return e
		}
	}
	if internet(s) && m.flask {
		if e := m.may(own, wanted(&s.Label, msg), class, selinux.SocketSendto); e != errno.OK {
			return e
		}
	}
	if msg.SID != 0 && msg.SID != uint32(own) {
		if !m.known(msg.SID) {
			return errno.EINVAL
		}
		return m.may(own, selinux.SID(msg.SID), class, selinux.SocketSendMsg)
	}
	return errno.OK
}

// wanted returns the SID that a datagram's receiver must have, or that which stands for any.
func wanted(l *socket.Label, msg *socket.Message) selinux.SID {
	switch {
	case msg != nil && msg.Receiver != 0:
		return selinux.SID(msg.Receiver)
	case l.Wanted != 0:
		return selinux.SID(l.Wanted)
	}
	return selinux.InitialAnySocket
}

// connection returns the permission that a connection needs at one of its ends.
func connection(l *socket.Label) selinux.Perm {
	if l.Accepted {
		return selinux.SocketAcceptfrom
	}
	return selinux.SocketConnectto
}
