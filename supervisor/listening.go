// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"dialtone/errno"
	"dialtone/personality"
	"dialtone/sockaddr"
	"dialtone/socket"

	"golang.org/x/sys/unix"
)

// nativeBacklog is how many connections can wait at T: as many as the kernel
// has at all (listen(2), somaxconn). The virtual host may allow more; those have
// to wait until there is room, for a connect to T that finds none would hold up
// everything. A variable for a test's sake.
var nativeBacklog = somaxconn()

func somaxconn() int {
	const usual = 4096
	b, err := os.ReadFile("/proc/sys/net/core/somaxconn")
	if err != nil {
		return usual
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return usual
	}
	return n
}

// waiter is an endpoint of AF_INET or AF_INET6, which tells who waits in its
// accept queue; queuer is one of AF_UNIX, where they have no names as a rule.
// Both queues are first in, first out.
type (
	waiter interface{ Waiting() []sockaddr.Addr }
	queuer interface{ Queued() int }
)

// A ticket is the number of a connection among all that the layer's queue of a
// listener has held. Addresses don't tell them apart: the port of a connection
// that was reset while it waits may be used again.
type ticket uint64

// listening is what a hosted listener has beside the layer's queue: for each
// connection that waits there, one natively connected socket waits at T, so
// that poll, epoll and accept see it. The two queues need not have one order.
type listening struct {
	port uint16
	// presented are the connections that wait at T; order has them in T's
	// order, which is the one of our connects: AF_UNIX queues are first in,
	// first out.
	presented map[ticket]bool
	order     []*presented
	// unshown: T had no room for all who wait in the layer's queue.
	unshown bool
	// mourned: who waits at T has been told that nothing listens any more.
	mourned bool
	// next is the ticket of the first in the layer's queue.
	next ticket
	// early are those that the layer's queue gave before T's did.
	early map[ticket]*socket.Socket
	// undelivered were accepted for callers who never got them.
	undelivered []*accepted
	// arrival is closed when a connection was presented; nil: nobody waits.
	arrival chan struct{}
}

// presented is a connection that waits at a hosted listener.
type presented struct {
	ticket ticket
	s      int // S, to be pumped; -1: the native peer is another target's T
}

// accepted is a connection taken from both queues.
type accepted struct {
	sock   *socket.Socket
	ticket ticket
	t      int // T, in our own table until a caller has it
	s      int // S, -1 for a direct pair
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
		presented: map[ticket]bool{},
		early:     map[ticket]*socket.Socket{},
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

// waiting returns how many wait in the layer's queue.
func (h *hosted) waiting() int {
	h.sock.Core.Lock()
	defer h.sock.Core.Unlock()
	switch e := h.sock.Endpoint.(type) {
	case waiter:
		return len(e.Waiting())
	case queuer:
		return e.Queued()
	}
	return 0
}

// ticketOf returns the ticket of the connection from peer that came last.
func (h *hosted) ticketOf(peer netip.AddrPort) (_ ticket, ok bool) {
	h.sock.Core.Lock()
	defer h.sock.Core.Unlock()
	e, ok := h.sock.Endpoint.(waiter)
	if !ok {
		return 0, false
	}
	all := e.Waiting()
	for i := len(all) - 1; i >= 0; i-- {
		if plain(all[i]) == peer {
			return h.listen.next + ticket(i), true
		}
	}
	return 0, false
}

// present gives T a native connection for each one in the layer's queue. The
// supervisor is locked.
func (h *hosted) present() {
	if h.state() != personality.Listening {
		h.mourn()
		return
	}
	l := h.listen
	for n, end := l.next, l.next+ticket(h.waiting()); n < end; n++ {
		if l.presented[n] {
			continue
		}
		if l.full() {
			l.unshown = true
			return
		}
		switch e := h.presentPumped(n); e {
		case 0:
		case unix.ECONNREFUSED: // T was closed a moment ago; the harvest ends the listener
			return
		case unix.EAGAIN: // others on the real machine have found T's name, and filled its queue
			l.unshown = true
			return
		default:
			h.sup.warn("a connection could not be shown to its listener: %v", e)
			return
		}
	}
}

// mourn tells who waits at T that nothing listens any more: the host has
// crashed, or another thread has stopped it. A native connection that nobody is
// behind has T poll readable from now on, and accept is refused.
func (h *hosted) mourn() {
	if h.listen.mourned {
		return
	}
	h.listen.mourned = true
	h.listen.announce()
	s, e := nativeSocket(h.nativeType() | unix.SOCK_NONBLOCK)
	if e == 0 {
		e = connectNative(s, h.name)
		unix.Close(s)
	}
	switch e {
	case 0, unix.ECONNREFUSED: // the program has shut T down, or closed it
	case unix.EAGAIN: // T is full, and so polls readable
	default:
		h.sup.warn("a listener could not be told that nothing listens any more: %v", e)
	}
}

// presentPumped connects an S to T for a connection.
func (h *hosted) presentPumped(n ticket) unix.Errno {
	s, e := nativeSocket(h.nativeType() | unix.SOCK_NONBLOCK)
	if e != 0 {
		return e
	}
	if e := connectNative(s, h.name); e != 0 {
		unix.Close(s)
		return e
	}
	h.listen.add(&presented{ticket: n, s: s})
	return 0
}

// full reports whether T has room for no more.
func (l *listening) full() bool { return len(l.order) >= nativeBacklog }

func (l *listening) add(p *presented) {
	l.presented[p.ticket] = true
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
	if h.listen.unshown && !h.listen.full() {
		h.listen.unshown = false
		h.present()
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
		delete(l.presented, p.ticket)
		if sock := h.takeFromLayer(p.ticket); sock != nil {
			return &accepted{sock: sock, ticket: p.ticket, t: t, s: p.s}, 0
		}
		unix.Close(t) // the layer listens no more: its host has crashed
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
	if a.s >= 0 && h.presentPumped(a.ticket) == 0 {
		unix.Close(a.t)
		unix.Close(a.s)
		l.early[a.ticket] = a.sock
		return
	}
	l.undelivered = slices.Insert(l.undelivered, 0, a)
	l.announce()
}

// takeFromLayer accepts a connection, and keeps those before it; nil: the layer
// does not have it any more.
func (h *hosted) takeFromLayer(n ticket) *socket.Socket {
	l := h.listen
	for call := ownCall(); l.next <= n; l.next++ {
		sock, e := h.sock.Accept(call)
		if e != errno.OK {
			return nil
		}
		l.early[l.next] = sock
	}
	sock := l.early[n]
	delete(l.early, n)
	return sock
}

// close ends the listener's share; the layer resets who waits in its queue.
func (l *listening) close() {
	for _, p := range l.order {
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
