// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"net/netip"

	"dialtone/errno"
	"dialtone/personality"
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
	if l, n := h.hostedListener(); l != nil {
		if e := connectNative(dup, l.name); e == 0 {
			l.listen.add(&presented{ticket: n, s: -1})
			h.phase = direct
			x.path(h)
			return 0
		}
	}
	s, e := h.plug(dup)
	if e == 0 {
		if e = h.startPump(s); e == 0 {
			x.path(h)
			return 0
		}
	}
	h.abandon(x, e)
	return e
}

// abandon ends what the layer has begun or established for a T that can't show
// it, because the supervisor lacks descriptors or memory. The next connect puts
// another T there.
func (h *hosted) abandon(x *explaining, e unix.Errno) {
	x.note("the supervisor has no kernel socket for the bytes (%v), and ends the attempt", e)
	if le := h.sock.Abandon(ownCall(), "the supervisor could not serve it"); le != errno.OK {
		h.sup.warn("a connection that can't be served stays: %v", le)
	}
	h.phase = failed
}

// hostedListener finds the listener, hosted here too, in whose queue the
// connection waits, if nothing between the two needs to see the bytes. nil:
// there is none.
func (h *hosted) hostedListener() (l *hosted, n ticket) {
	if h.sup.opts.NeverDirect || h.isUnix() || h.lingersNot() {
		return nil, 0
	}
	core := h.sock.Core
	core.Lock()
	local := h.sock.Endpoint.Name()
	peer, e := h.sock.Endpoint.Peer()
	controlled := core.Access != nil
	core.Unlock()
	if e != errno.OK || controlled {
		return nil, 0
	}
	for l := range h.sup.listeners {
		if l.listen.port != peer.Port || l.listen.full() || l.lingersNot() || !h.clearTo(l, local.IP, peer.IP) {
			continue
		}
		if n, ok := l.ticketOf(plain(local)); ok && !l.listen.presented[n] {
			return l, n
		}
	}
	return nil, 0
}

// clearTo reports whether nothing acts on bytes between h and a listener's
// host, whose addresses local and peer are.
func (h *hosted) clearTo(l *hosted, local, peer netip.Addr) bool {
	if l.stack == h.stack {
		return true
	}
	return h.sup.opts.Settled && !l.controlled() && h.stack.ClearTo(l.stack, peer.Unmap()) && l.stack.ClearTo(h.stack, local.Unmap())
}

// startFilled makes T look like a connection under way, and has the layer's
// event end that.
func (h *hosted) startFilled(dup int, x *explaining) unix.Errno {
	s, e := h.plug(dup)
	if e != 0 {
		h.abandon(x, e)
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
			h.err = e // for SO_ERROR; T reads an end
			h.abandon(nil, e)
		}
	default:
		// S is closed with bytes unread: T polls ERR and HUP, and connect or
		// SO_ERROR ask the layer for the reason. Without, T polls an end.
		if h.sock.Core.Personality.Poll.ErrorReads {
			_ = unix.Shutdown(h.pump.s, unix.SHUT_RDWR) // first, lest T be seen writable alone; ENOTCONN: it is closed
			drain(h.pump.s, h.pump.filled)
		}
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
func (s *Supervisor) harvestPort(port uint16) {
	for l := range s.listeners {
		if l.listen.port != port {
			continue
		}
		s.giveUp(l)
		if !s.plugs.taken(l.name) {
			s.harvest()
			return
		}
	}
}
