// SPDX-License-Identifier: Apache-2.0

package unixdomain

import (
	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// endpoint is a socket's part in AF_UNIX. It implements [socket.Endpoint]; the host's lock guards it.
//
// A connection of SOCK_STREAM or SOCK_SEQPACKET is two endpoints that are each other's peer, for good: a peer that was
// closed is still there, dead. The connecting side gets its peer at once, and writes to it, before anybody accepts: until
// then the peer waits in the listener's clients, without a socket. Of SOCK_DGRAM, peer is where datagrams go and, if the
// personality says so, the only one they are heard from.
type endpoint struct {
	space *Space
	sock  *socket.Socket // nil until accepted
	peer  *endpoint

	name  string // as in [sockaddr.Addr]; "": unnamed
	inode *inode // the socket file, if it made one

	queue  packetQueue // sent here, and not read yet
	unread int         // what packets of this sender weigh that are in others' queues; SO_SNDBUF bounds it

	backlog *listenQueue // nil: it does not listen
	mailbox *mailbox     // nil but for SOCK_DGRAM

	peerCred socket.Credentials // SO_PEERCRED: whose the peer is
	own      socket.Label       // while there is no socket

	before, after *endpoint // in the space's roll

	typ        socket.Type
	inAbstract bool // the name is in the space's table: it is not the listener's that accepted, nor a path
	dead       bool // closed
	shutRead   bool
	shutWrite  bool
	passCred   bool // SO_PASSCRED of the listener, for who is accepted
	// unreadElsewhere: what was received here has not been read where it was passed on to.
	unreadElsewhere bool
}

// listenQueue is what a listener has.
type listenQueue struct {
	clients queue[*endpoint] // the other ends of connections that nobody has accepted yet
	admits  int              // how many may wait
	room    socket.Queue     // where those wait who found it full
	owner   socket.Credentials
}

// mailbox is what only a datagram socket has.
type mailbox struct {
	admits     int          // how many datagrams of others may be in the queue
	room       socket.Queue // where those wait who found it full
	waiting    socket.Watch // at the peer's room, while poll wants to know
	associates []*endpoint  // who is connected here, where the personality asks for them
}

// credentialsOf returns those of who makes the call.
func credentialsOf(c *socket.Call) socket.Credentials {
	if c.Caller == nil {
		return socket.Credentials{}
	}
	return socket.Credentials{PID: c.Caller.PID, UID: c.Caller.UID, GID: c.Caller.GID}
}

// Name implements [socket.Endpoint].
func (e *endpoint) Name() sockaddr.Addr { return sockaddr.OfUnix(e.name) }

// Peer implements [socket.Endpoint]. The peer's name is the one it has now.
func (e *endpoint) Peer() (sockaddr.Addr, errno.Errno) {
	if e.peer == nil {
		return sockaddr.Addr{}, errno.ENOTCONN
	}
	return e.peer.Name(), errno.OK
}

// Remote implements [socket.Remote]: a peer that was closed keeps its name.
func (e *endpoint) Remote() sockaddr.Addr {
	a, _ := e.Peer() // the zero Addr if it has none
	return a
}

// label returns the label of e's socket, or of the one it will have.
func (e *endpoint) label() *socket.Label {
	if e.sock != nil {
		return &e.sock.Label
	}
	return &e.own
}

// named reports whether e has a name of its own, or shares its listener's.
func (e *endpoint) named() bool { return e.name != "" }

// wake tells e's socket, if it has one yet, that its readiness grew.
func (e *endpoint) wake(ev socket.Events) {
	if e.sock != nil {
		e.sock.Wake(ev)
	}
}

// wakeAll is for changes that end what anybody may wait for.
func (e *endpoint) wakeAll() { e.wake(socket.In | socket.Out | socket.Hup | socket.RdHup) }

// fail makes err pending at e's socket.
func (e *endpoint) fail(err errno.Errno) {
	if e.sock != nil {
		e.sock.SetError(err)
	}
}

// Send implements [socket.Endpoint].
func (e *endpoint) Send(c *socket.Call, m *socket.Message) (int, errno.Errno) {
	if e.typ == socket.Stream {
		return e.sendBytes(c, m)
	}
	return e.sendRecord(c, m)
}

// Recv implements [socket.Endpoint].
func (e *endpoint) Recv(c *socket.Call, m *socket.Message) (int, errno.Errno) {
	if e.typ == socket.Stream {
		return e.recvBytes(m)
	}
	return e.recvRecord(c, m)
}

// Ready implements [socket.Endpoint] (unix_poll and unix_dgram_poll).
func (e *endpoint) Ready() socket.Events {
	var ev socket.Events
	if e.shutRead {
		ev |= socket.In | socket.RdHup
	}
	if e.shutRead && e.shutWrite {
		ev |= socket.Hup
	}
	if e.queue.len > 0 || e.backlog != nil && e.backlog.clients.len() > 0 {
		ev |= socket.In
	}
	switch {
	case e.backlog != nil:
	case e.typ.ConnectionOriented() && e.peer == nil:
		if e.space.core.Personality.Poll.FreshHangup {
			ev |= socket.Out | socket.Hup
		}
	case e.writable():
		ev |= socket.Out
	}
	return ev
}

// writable reports whether poll says that e can send: a quarter of SO_SNDBUF is used at most (unix_writable), and the
// receiver of its datagrams has room. If it has not, e is told once it has.
func (e *endpoint) writable() bool {
	if 4*e.unread > e.sock.SendBuffer() {
		return false
	}
	waits := e.space.core.Personality.Unix.QueueFull == errno.OK
	if e.typ == socket.Dgram && waits && e.peer != nil && e.peer.full(e) {
		e.watchRoom()
		return false
	}
	return true
}

// watchRoom has e's socket woken once its peer has room.
func (e *endpoint) watchRoom() {
	w := &e.mailbox.waiting
	w.Remove()
	if w.Func == nil {
		w.Events = socket.Out
		w.Func = func(socket.Events) {
			w.Remove()
			e.wake(socket.Out)
		}
	}
	e.peer.mailbox.room.Add(w)
}

// Shutdown implements [socket.Endpoint]. On a socket without a peer it sticks: a later connection has the half shut from
// the start, and a listener that was shut for reading refuses for ever (unix_shutdown).
func (e *endpoint) Shutdown(_ *socket.Call, how socket.How) errno.Errno {
	e.shutRead = e.shutRead || how.Reads()
	e.shutWrite = e.shutWrite || how.Writes()
	e.wakeAll()
	if p := e.peer; p != nil && e.typ.ConnectionOriented() {
		p.shutRead = p.shutRead || how.Writes()
		p.shutWrite = p.shutWrite || how.Reads()
		p.wakeAll()
	}
	return errno.OK
}

// Disconnect implements [socket.Endpoint]. Nothing of AF_UNIX's stays half-way, so there is nothing to end.
func (e *endpoint) Disconnect(*socket.Call) errno.Errno { return errno.OK }

// Close implements [socket.Endpoint] (unix_release_sock). The socket file stays; who looks it up finds nobody.
func (e *endpoint) Close(c *socket.Call) {
	e.dead = true
	e.shutRead, e.shutWrite = true, true
	e.space.live.remove(e)
	e.unbind()
	if e.typ.ConnectionOriented() {
		e.hangUp(e.queue.len > 0 || e.unreadElsewhere)
	} else {
		e.leave()
	}
	if e.backlog != nil {
		e.backlog.close(c)
	}
	e.discard(c)
	if e.mailbox != nil {
		e.mailbox.room.Wake(socket.Out | socket.Hup)
	}
}

// LeftUnread tells that what was received here, and passed on, is not read there and never will be: Close is then as with
// something in the queue. The host is locked.
func (e *endpoint) LeftUnread() { e.unreadElsewhere = true }

// close ends the connections that nobody accepted.
func (b *listenQueue) close(c *socket.Call) {
	for b.clients.len() > 0 {
		client := b.clients.take()
		client.dead = true
		client.space.live.remove(client)
		client.hangUp(true)
		client.discard(c)
	}
	b.room.Wake(socket.Out | socket.Hup)
}

// hangUp tells the peer of a connection that this end is gone; reset: with something unread, so that it is an error.
func (e *endpoint) hangUp(reset bool) {
	p := e.peer
	if p == nil {
		return
	}
	p.shutRead, p.shutWrite = true, true
	if reset {
		p.fail(errno.ECONNRESET)
	}
	p.wakeAll()
}

// discard throws away what is in e's queue. Its senders get their room back.
func (e *endpoint) discard(c *socket.Call) {
	for e.queue.len > 0 {
		e.queue.take().release(c)
	}
}
