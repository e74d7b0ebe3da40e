// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"net/netip"
	"slices"

	"dialtone/errno"
	"dialtone/personality"
	"dialtone/sockaddr"
	"dialtone/socket"

	"golang.org/x/sys/unix"
)

// nativeBacklog is above every virtual backlog (somaxconn): the layer alone
// decides when a queue is full.
const nativeBacklog = 4096

// waiter is an endpoint that tells who waits in its accept queue.
type waiter interface{ Waiting() []sockaddr.Addr }

// listening is what a hosted listener has beside the layer's queue: for each
// connection that waits there, one natively connected socket waits at T, so
// that poll, epoll and accept see it. The two queues need not have one order.
type listening struct {
	port uint16
	// presented are the connections that wait at T, by peer; order has them in
	// T's order, which is the one of our connects: AF_UNIX queues are first in,
	// first out.
	presented map[netip.AddrPort]*presented
	order     []*presented
	// early are those that the layer's queue gave before T's did.
	early map[netip.AddrPort]*socket.Socket
	// undelivered were accepted for callers who never got them.
	undelivered []*accepted
	// tickets is how many connections the layer's queue has given; see ticket.
	tickets uint64
	// arrival is closed when a connection was presented; nil: nobody waits.
	arrival chan struct{}
}

// presented is a connection that waits at a hosted listener.
type presented struct {
	peer sockaddr.Addr
	s    int // S, to be pumped; -1: the native peer is another target's T
}

// accepted is a connection taken from both queues.
type accepted struct {
	sock *socket.Socket
	peer sockaddr.Addr
	t    int // T, in our own table until a caller has it
	s    int // S, -1 for a direct pair
}

// startListening makes T a native listener. The supervisor is locked.
func (h *hosted) startListening(dup int) unix.Errno {
	if e := h.bindT(dup); e != 0 {
		return e
	}
	if e := errnoOf(unix.Listen(dup, nativeBacklog)); e != 0 {
		return e
	}
	name, e := h.sock.Name(ownCall())
	if e != errno.OK {
		return unix.Errno(e)
	}
	h.phase = inListen
	h.listen = &listening{
		port:      name.Port,
		presented: map[netip.AddrPort]*presented{},
		early:     map[netip.AddrPort]*socket.Socket{},
	}
	h.sup.listeners[h] = true
	core := h.sock.Core
	core.Lock()
	h.watch.Events, h.watch.Func = socket.In, func(socket.Events) { h.sup.arrivals.came(h) }
	h.sock.Watch(&h.watch)
	core.Unlock()
	h.present()
	return 0
}

// stopListening drops what a listener has beside the layer's queue. The
// supervisor is locked.
func (h *hosted) stopListening() {
	if h.listen == nil {
		return
	}
	h.unwatchLayer()
	h.listen.close()
	h.listen = nil
	delete(h.sup.listeners, h)
}

// waiting returns who waits in the layer's queue.
func (h *hosted) waiting() []sockaddr.Addr {
	h.sock.Core.Lock()
	defer h.sock.Core.Unlock()
	switch e := h.sock.Endpoint.(type) {
	case waiter:
		return e.Waiting()
	case queuer:
		return h.listen.waitingUnix(e.Queued())
	}
	return nil
}

// present gives T a native connection for each one in the layer's queue. The
// supervisor is locked.
func (h *hosted) present() {
	if h.state() != personality.Listening {
		h.mourn()
		return
	}
	for _, a := range h.waiting() {
		peer := plain(a)
		if h.listen.presented[peer] != nil || h.listen.early[peer] != nil {
			continue
		}
		switch e := h.presentPumped(a); e {
		case 0:
		case unix.ECONNREFUSED: // T was closed a moment ago; the harvest ends the listener
			return
		default:
			h.sup.warn("a connection could not be shown to its listener: %v", e)
			return
		}
	}
}

// mourn tells who waits at T that nothing listens any more: the host has
// crashed. A native connection that nobody is behind has T poll readable from
// now on, and accept is refused.
func (h *hosted) mourn() {
	h.listen.announce()
	s, e := nativeSocket(h.nativeType() | unix.SOCK_NONBLOCK)
	if e == 0 {
		e = connectNative(s, h.name)
		unix.Close(s)
	}
	if e != 0 && e != unix.ECONNREFUSED { // the program has shut T down, or closed it
		h.sup.warn("a listener could not be told that its host has crashed: %v", e)
	}
}

// presentPumped connects an S to T for the connection from peer.
func (h *hosted) presentPumped(peer sockaddr.Addr) unix.Errno {
	s, e := nativeSocket(h.nativeType() | unix.SOCK_NONBLOCK)
	if e != 0 {
		return e
	}
	if e := connectNative(s, h.name); e != 0 {
		unix.Close(s)
		return e
	}
	h.listen.add(&presented{peer: peer, s: s})
	return 0
}

func (l *listening) add(p *presented) {
	l.presented[plain(p.peer)] = p
	l.order = append(l.order, p)
	l.announce()
}

// announce has everyone who waits in accept look again.
func (l *listening) announce() {
	if l.arrival != nil {
		close(l.arrival)
		l.arrival = nil
	}
}

// awaitArrival returns a channel that announce closes.
func (l *listening) awaitArrival() <-chan struct{} {
	if l.arrival == nil {
		l.arrival = make(chan struct{})
	}
	return l.arrival
}

// take accepts one connection, if there is one: EAGAIN otherwise. flags may
// have SOCK_NONBLOCK. The supervisor is locked.
func (h *hosted) take(dup, flags int) (*accepted, unix.Errno) {
	a, e := h.takePresented(dup, flags)
	if e == unix.EAGAIN {
		h.present() // the loop may not have come to it yet
		a, e = h.takePresented(dup, flags)
	}
	return a, e
}

// takePresented accepts a connection that waits at T. Nothing waits in here:
// T's queue is looked at before, and nobody else accepts from it.
func (h *hosted) takePresented(dup, flags int) (*accepted, unix.Errno) {
	l := h.listen
	if n := len(l.undelivered); n > 0 {
		a := l.undelivered[0]
		l.undelivered = l.undelivered[1:]
		return a, errnoOf(unix.SetNonblock(a.t, flags&unix.SOCK_NONBLOCK != 0))
	}
	for {
		fds := []unix.PollFd{{Fd: int32(dup), Events: unix.POLLIN}}
		if n, err := unix.Poll(fds, 0); err != nil || n == 0 || fds[0].Revents&unix.POLLIN == 0 {
			return nil, unix.EAGAIN
		}
		t, e := acceptNative(dup, flags&unix.SOCK_NONBLOCK)
		if e != 0 {
			return nil, e
		}
		if len(l.order) == 0 || !connectedByUs(t) { // somebody on the real machine found T's name
			unix.Close(t)
			continue
		}
		p := l.order[0]
		l.order = l.order[1:]
		delete(l.presented, plain(p.peer))
		if sock := h.takeFromLayer(plain(p.peer)); sock != nil {
			return &accepted{sock: sock, peer: p.peer, t: t, s: p.s}, 0
		}
		unix.Close(t) // the connection left the layer's queue before
		if p.s >= 0 {
			unix.Close(p.s)
		}
	}
}

// giveBack keeps a connection whose caller did not get it for the next accept.
// A pumped one is presented again, so that T polls readable; the native peer of
// a direct one cannot be put back into T's queue, and waits here.
func (h *hosted) giveBack(a *accepted) {
	l := h.listen
	if a.s >= 0 && h.presentPumped(a.peer) == 0 {
		unix.Close(a.t)
		unix.Close(a.s)
		l.early[plain(a.peer)] = a.sock
		return
	}
	l.undelivered = slices.Insert(l.undelivered, 0, a)
	l.announce()
}

// takeFromLayer accepts the connection from peer, and keeps those before it.
func (h *hosted) takeFromLayer(peer netip.AddrPort) *socket.Socket {
	l := h.listen
	if sock := l.early[peer]; sock != nil {
		delete(l.early, peer)
		return sock
	}
	for call := ownCall(); ; {
		sock, e := h.sock.Accept(call)
		if e != errno.OK {
			return nil
		}
		from := sock.From()
		if h.isUnix() {
			from = ticket(l.tickets)
			l.tickets++
		}
		if plain(from) == peer {
			return sock
		}
		l.early[plain(from)] = sock
	}
}

// close ends the listener's share; the layer resets who waits in its queue.
func (l *listening) close() {
	for _, p := range l.presented {
		if p.s >= 0 {
			unix.Close(p.s)
		}
	}
	for _, sock := range l.early {
		sock.Close(&socket.Call{})
	}
	for _, a := range l.undelivered {
		a.close()
	}
	l.announce()
}

func (a *accepted) close() {
	unix.Close(a.t)
	if a.s >= 0 {
		unix.Close(a.s)
	}
	a.sock.Close(&socket.Call{})
}
