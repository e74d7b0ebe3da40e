// SPDX-License-Identifier: Apache-2.0

package unixdomain

import (
	"dialtone/errno"
	"dialtone/socket"
	"dialtone/trail"
)

// Connect implements [socket.Endpoint].
func (e *endpoint) Connect(c *socket.Call, addr []byte) errno.Errno {
	if e.typ == socket.Dgram {
		return e.associate(c, addr)
	}
	name, err := e.space.parse(c, addr)
	if err != errno.OK {
		return err
	}
	if err := e.autobindForCredentials(); err != errno.OK {
		return err
	}
	listener, err := e.space.find(c, e, name)
	if err != errno.OK {
		return err
	}
	if err := e.admission(c, listener); err != errno.OK {
		return err
	}
	label, err := e.permission(c, listener)
	if err != errno.OK {
		return err
	}
	e.join(c, listener).own = label
	return errno.OK
}

// inScope asks the caller's sandbox whether the socket found by an abstract name is within it (hook_unix_stream_connect,
// hook_unix_may_send).
func (e *endpoint) inScope(c *socket.Call, other *endpoint) errno.Errno {
	if c.Caller == nil || c.Caller.Domain == nil || !other.named() || other.name[0] != 0 || other == e.peer {
		return errno.OK
	}
	if c.Caller.Domain.Reaches(other.sock.Options().Domain()) {
		return errno.OK
	}
	if c.Trail != nil {
		c.Trail.Decide(e.space.core.Now(), trail.Access, "%v was made outside of the caller's sandbox (landlock): EPERM", other.Name())
	}
	return errno.EPERM
}

// permission asks access control whether e may connect to the listener, and which label the server's end gets
// (security_unix_stream_connect, the last check there).
func (e *endpoint) permission(c *socket.Call, l *endpoint) (socket.Label, errno.Errno) {
	if err := e.inScope(c, l); err != errno.OK {
		return socket.Label{}, err
	}
	a := e.space.core.Access
	if a == nil {
		return socket.Label{}, errno.OK
	}
	e.sock.Label.Associate(c.Wanted)
	return a.Join(c, e.sock, l.sock)
}

// autobindForCredentials gives an unnamed socket a name if it asks for credentials: who answers to them shall have an
// address to answer to (unix(7), SO_PASSCRED).
func (e *endpoint) autobindForCredentials() errno.Errno {
	if !e.sock.Options().PassCred || e.named() || !e.space.core.Personality.Unix.Abstract {
		return errno.OK
	}
	return e.space.autobind(e)
}

// admission is the one place that decides whether e may connect to the listener found, in the order of Linux's
// unix_stream_connect: it listens, it has room, e may still connect.
func (e *endpoint) admission(c *socket.Call, l *endpoint) errno.Errno {
	u := &e.space.core.Personality.Unix
	b := l.backlog
	if b == nil || l.shutRead {
		if c.Trail != nil {
			why := "is bound but does not listen"
			if b != nil {
				why = "was shut down for reading"
			}
			c.Trail.Decide(e.space.core.Now(), trail.Backlog, "the socket at %v %s: ECONNREFUSED", l.Name(), why)
		}
		return errno.ECONNREFUSED
	}
	if b.clients.len() >= b.admits {
		if u.FullWaits {
			c.WaitAt = &b.room
		}
		if c.Trail != nil {
			c.Trail.Decide(e.space.core.Now(), trail.Backlog, "all %d places of the listener's queue are taken: %s", b.admits, u.Full.Name())
		}
		return u.Full
	}
	if err := e.sock.Refused(c); err != errno.OK {
		if c.Trail != nil {
			c.Trail.Decide(e.space.core.Now(), trail.State, "the peer has room, but the socket is %v: %s", e.sock.State(), err.Name())
		}
		return err
	}
	return errno.OK
}

// join connects e to a new endpoint and puts that into the listener's queue.
func (e *endpoint) join(c *socket.Call, l *endpoint) *endpoint {
	server := l.space.newEndpoint(nil, e.typ)
	server.name = l.name
	server.passCred = l.sock.Options().PassCred
	server.peerCred = credentialsOf(c)
	server.peer, e.peer = e, server
	b := l.backlog
	e.peerCred = b.owner
	b.clients.add(server)
	if c.Trail != nil {
		c.Trail.Decide(e.space.core.Now(), trail.Backlog, "place %d of %d in the listener's queue", b.clients.len(), b.admits)
	}
	l.wake(socket.In)
	return server
}

// Listen implements [socket.Endpoint]. A later listen sets the backlog anew, and lets in who waits for room.
func (e *endpoint) Listen(c *socket.Call, backlog int) errno.Errno {
	if !e.named() || e.peer != nil {
		return errno.EINVAL
	}
	if e.backlog == nil {
		e.backlog = &listenQueue{}
	}
	b := e.backlog
	b.admits = e.space.core.Personality.Stream.Admits(backlog)
	b.owner = credentialsOf(c)
	e.peerCred = b.owner
	b.room.Wake(socket.Out)
	return errno.OK
}

// Queued returns how many connections wait to be accepted, first in, first out. The host is locked.
func (e *endpoint) Queued() int {
	if e.backlog == nil {
		return 0
	}
	return e.backlog.clients.len()
}

// Accept implements [socket.Endpoint]. A listener shut down for reading gives out whom it has let in already; then who
// would wait gets EINVAL (skb_recv_datagram).
func (e *endpoint) Accept(c *socket.Call, s *socket.Socket) (socket.Endpoint, errno.Errno) {
	b := e.backlog
	switch {
	case b == nil:
		return nil, errno.EINVAL
	case b.clients.len() > 0:
	case e.shutRead && e.sock.Blocks(c):
		return nil, errno.EINVAL
	default:
		return nil, errno.EAGAIN
	}
	server := b.clients.take()
	s.Label = server.own
	server.sock = s
	s.Options().PassCred = server.passCred
	b.room.WakeOne(socket.Out)
	return server, errno.OK
}
