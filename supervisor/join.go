// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"fmt"

	"dialtone/errno"
	"dialtone/personality"
	"dialtone/sockaddr"
	"dialtone/socket"

	"golang.org/x/sys/unix"
)

// A connection that the layer has established becomes one of the native
// sockets, too: T is joined either directly to the peer's T, or to an S whose
// bytes are pumped.

// join connects T natively, after the layer has connected. The supervisor is
// locked, and has been since before the layer did, so that no listener has
// presented the connection meanwhile.
func (h *hosted) join(dup int, x *explaining) unix.Errno {
	if e := h.bindT(dup); e != 0 {
		return e
	}
	if l, self := h.hostedListener(); l != nil {
		if e := connectNative(dup, l.name); e == 0 {
			l.listen.add(&presented{peer: self, name: h.name, s: -1})
			h.phase = direct
			x.path(h)
			return 0
		}
	}
	s, e := h.plug(dup)
	if e != 0 {
		return e
	}
	x.path(h)
	return h.startPump(s)
}

// hostedListener finds the listener of the same host, hosted here too, in
// whose queue the connection waits: between the two nothing needs to see the
// bytes. nil: there is none.
func (h *hosted) hostedListener() (l *hosted, self sockaddr.Addr) {
	if h.sup.opts.NeverDirect || h.controlled() {
		return nil, self
	}
	peer, e := h.sock.Peer(ownCall())
	if e != errno.OK {
		return nil, self
	}
	local, e := h.sock.Name(ownCall())
	if e != errno.OK {
		return nil, self
	}
	for l := range h.sup.listeners {
		if l.stack != h.stack {
			continue
		}
		if name, _ := l.sock.Name(ownCall()); name.Port != peer.Port {
			continue
		}
		for _, w := range l.waiting() {
			if plain(w) == plain(local) && l.listen.presented[plain(w)] == nil {
				return l, w
			}
		}
	}
	return nil, self
}

// plug connects T to an S of our own.
func (h *hosted) plug(dup int) (s int, e unix.Errno) {
	l, e := nativeSocket(unix.SOCK_STREAM)
	if e != 0 {
		return -1, e
	}
	defer unix.Close(l)
	h.sup.lastID++
	name := fmt.Sprintf("%sl%d", h.sup.prefix, h.sup.lastID)
	if e = bindNative(l, name); e != 0 {
		return -1, e
	}
	if e = errnoOf(unix.Listen(l, 1)); e != 0 {
		return -1, e
	}
	if e = connectNative(dup, name); e != 0 {
		return -1, e
	}
	for {
		s, from, err := unix.Accept4(l, unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
		if err != nil {
			return -1, errnoOf(err)
		}
		if abstractName(from) == h.name {
			return s, 0
		}
		unix.Close(s) // somebody on the real machine found the name
	}
}

// startFilled makes T look like a connection under way, and has the layer's
// event end that.
func (h *hosted) startFilled(dup int) unix.Errno {
	s, e := h.plug(dup)
	if e != 0 {
		return e
	}
	h.pump = &pump{h: h, s: s, filled: fill(dup)}
	h.phase = filled
	h.watchLayer(socket.Out, h.settle)
	h.sup.loop.post(h.settle) // the attempt may have ended meanwhile
	return 0
}

// settle looks whether the attempt under way has ended, and shows it once it
// is told why.
func (h *hosted) settle() {
	h.sup.mu.Lock()
	defer h.sup.mu.Unlock()
	if h.phase == filled && h.state() != personality.Connecting {
		h.tellOutcome(h.showOutcome)
	}
}

// tellOutcome tells how the attempt ended, before the target has asked. The
// supervisor is locked.
func (h *hosted) tellOutcome(then func()) { h.explaining.ended(h, h.pendingError(), then) }

// showOutcome has T look like what the attempt came to. The supervisor is
// locked.
func (h *hosted) showOutcome() {
	if h.phase != filled {
		return
	}
	switch h.state() {
	case personality.Connecting:
	case personality.Unreported, personality.Connected:
		s, n := h.pump.s, h.pump.filled
		h.pump = nil
		h.unwatchLayer()
		drain(s, n) // exactly one edge of POLLOUT follows
		if e := h.startPump(s); e != 0 {
			h.sup.warn("a connection could not be served: %v", e)
		}
	default:
		// S is closed with bytes unread: T polls ERR and HUP, and connect or
		// SO_ERROR ask the layer for the reason.
		unix.Close(h.pump.s)
		h.pump = nil
		h.unwatchLayer()
		h.phase = failed
	}
}

func (h *hosted) pendingError() errno.Errno {
	h.sock.Core.Lock()
	defer h.sock.Core.Unlock()
	return h.sock.PendingError()
}

// state returns the layer's view of the connection.
func (h *hosted) state() personality.State {
	h.sock.Core.Lock()
	defer h.sock.Core.Unlock()
	return h.sock.State()
}

// harvestPort notices listeners on the port that were closed a moment ago, so
// that the layer refuses what nobody would accept. The supervisor is locked.
func (s *Supervisor) harvestPort(t *Target, port uint16) {
	for l := range s.listeners {
		if l.stack != t.program.Stack {
			continue
		}
		if name, _ := l.sock.Name(ownCall()); name.Port == port && !l.nameAlive() {
			s.harvest()
			return
		}
	}
}

// nameAlive reports whether T is open somewhere: its name is taken then.
func (h *hosted) nameAlive() bool {
	probe, e := nativeSocket(unix.SOCK_STREAM)
	if e != 0 {
		return true
	}
	defer unix.Close(probe)
	return bindNative(probe, h.name) == unix.EADDRINUSE
}
