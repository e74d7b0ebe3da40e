// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"fmt"
	"net/netip"
	"slices"

	"dialtone/errno"
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
// that poll, epoll and accept see it. The two queues need not have one order;
// the name of the native one's other end says which connection it is.
type listening struct {
	// presented are the connections that wait at T, by peer.
	presented map[netip.AddrPort]*presented
	byName    map[string]*presented
	// early are those that the layer's queue gave before T's did.
	early map[netip.AddrPort]*socket.Socket
	// undelivered were accepted for callers who never got them.
	undelivered []*accepted
	// arrival is closed, and made anew, when a connection was presented.
	arrival chan struct{}
}

// presented is a connection that waits at a hosted listener.
type presented struct {
	peer sockaddr.Addr
	name string // that the native peer is bound to
	s    int    // S, to be pumped; -1: the native peer is another target's T
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
	h.phase = inListen
	h.listen = &listening{
		presented: map[netip.AddrPort]*presented{},
		byName:    map[string]*presented{},
		early:     map[netip.AddrPort]*socket.Socket{},
		arrival:   make(chan struct{}),
	}
	h.sup.listeners[h] = true
	h.watchLayer(socket.In, h.presentAll)
	h.sup.loop.post(h.presentAll)
	return 0
}

// waiting returns who waits in the layer's queue.
func (h *hosted) waiting() []sockaddr.Addr {
	h.sock.Core.Lock()
	defer h.sock.Core.Unlock()
	if w, ok := h.sock.Endpoint.(waiter); ok {
		return w.Waiting()
	}
	return nil
}

// presentAll gives T a native connection for each one in the layer's queue.
func (h *hosted) presentAll() {
	h.sup.mu.Lock()
	defer h.sup.mu.Unlock()
	if h.listen != nil {
		h.present()
	}
}

// present is presentAll with the supervisor locked.
func (h *hosted) present() {
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

// presentPumped connects an S to T for the connection from peer.
func (h *hosted) presentPumped(peer sockaddr.Addr) unix.Errno {
	s, e := nativeSocket(unix.SOCK_STREAM)
	if e != 0 {
		return e
	}
	h.sup.lastID++
	name := fmt.Sprintf("%ss%d", h.sup.prefix, h.sup.lastID)
	if e = bindNative(s, name); e == 0 {
		e = connectNative(s, h.name)
	}
	if e != 0 {
		unix.Close(s)
		return e
	}
	h.listen.add(&presented{peer: peer, name: name, s: s})
	return 0
}

func (l *listening) add(p *presented) {
	l.presented[plain(p.peer)] = p
	l.byName[p.name] = p
	l.announce()
}

// announce has everyone who waits in accept look again.
func (l *listening) announce() {
	close(l.arrival)
	l.arrival = make(chan struct{})
}

// take accepts one connection, if there is one: EAGAIN otherwise. The
// supervisor is locked.
func (h *hosted) take(dup int) (*accepted, unix.Errno) {
	a, e := h.takePresented(dup)
	if e == unix.EAGAIN {
		h.present() // the loop may not have come to it yet
		a, e = h.takePresented(dup)
	}
	return a, e
}

// takePresented accepts a connection that waits at T. Nothing waits in here:
// T's queue is looked at before, and nobody else accepts from it.
func (h *hosted) takePresented(dup int) (*accepted, unix.Errno) {
	l := h.listen
	if n := len(l.undelivered); n > 0 {
		a := l.undelivered[0]
		l.undelivered = l.undelivered[1:]
		return a, 0
	}
	for {
		fds := []unix.PollFd{{Fd: int32(dup), Events: unix.POLLIN}}
		if n, err := unix.Poll(fds, 0); err != nil || n == 0 || fds[0].Revents&unix.POLLIN == 0 {
			return nil, unix.EAGAIN
		}
		t, from, err := unix.Accept4(dup, unix.SOCK_CLOEXEC)
		if err != nil {
			return nil, errnoOf(err)
		}
		p := l.byName[abstractName(from)]
		if p == nil { // somebody on the real machine found T's name: not ours
			unix.Close(t)
			continue
		}
		delete(l.byName, p.name)
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
	for {
		sock, e := h.sock.Accept(ownCall())
		if e != errno.OK {
			return nil
		}
		from, _ := sock.Peer(ownCall())
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
