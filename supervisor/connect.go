// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"context"

	"dialtone/errno"
	"dialtone/personality"
	"dialtone/sockaddr"
	"dialtone/socket"

	"golang.org/x/sys/unix"
)

// connect serves connect(2). The layer is always asked without waiting, since
// on a link without latency the attempt ends within the call; a target that
// blocks is parked when it has not.
func (s *Supervisor) connect(c *call, h *hosted) {
	raw := c.rawAddress(c.args[1], c.args[2])
	if h.sock == nil {
		c.succeed(0) // AF_NETLINK: there is one peer
		return
	}
	c.nameCaller(h.sock.Core)
	if !h.connects() {
		s.connectDatagram(c, h, raw)
		return
	}
	c.identify(h)
	blocks := !nonBlocking(c.dup)
	state := h.state()
	if h.phase == filled && state != personality.Connecting {
		h.tellOutcome(nil)
		h.showOutcome()
	}
	if blocks && state == personality.Connecting {
		s.parkConnect(c, h, s.explains(c, h, raw), errno.EALREADY)
		return
	}
	if e := s.refresh(c, h); e != 0 {
		c.fail(e)
		return
	}
	if h.isUnix() {
		s.harvest() // a listener closed a moment ago
	} else {
		s.harvestPort(portOf(raw))
	}
	x := s.explains(c, h, raw)
	call := c.layerCall()
	call.Trail = x.trail()
	s.arrivals.hold()
	defer s.arrivals.release()
	e := socket.Connect(call, h.sock.Core.Personality, h.sock, raw)
	if e == errno.EADDRNOTAVAIL {
		s.harvest() // ports of sockets closed a moment ago
		x.forgetTrail()
		e = socket.Connect(call, h.sock.Core.Personality, h.sock, raw)
	}
	if e == errno.EINPROGRESS {
		s.connectStarted(c, h, x, blocks)
		return
	}
	if e == errno.EAGAIN && blocks {
		s.parkConnectUnix(c, h, x, raw)
		return
	}
	if e == errno.OK && h.phase == fresh && h.state() == personality.Connected {
		e = errno.Errno(h.join(c.dup, x))
	} else if h.phase != fresh && h.state() == personality.Fresh {
		h.part(c.dup)
	}
	c.concludeTold(x, e, e)
}

// connectStarted goes on after the first step of an attempt.
func (s *Supervisor) connectStarted(c *call, h *hosted, x *explaining, blocks bool) {
	result, outcome := errno.EINPROGRESS, errno.OK
	switch state := h.state(); {
	case state == personality.Connecting && blocks:
		s.parkConnect(c, h, x, errno.EINPROGRESS)
		return
	case state == personality.Connecting:
		if e := h.startFilled(c.dup, x); e != 0 {
			c.concludeTold(x, errno.Errno(e), errno.Errno(e))
			return
		}
		h.explaining = x
		c.conclude(0, unix.EINPROGRESS)
		return
	case blocks:
		result = h.sock.Await(c.layerCall()) // the attempt has ended already
		if result == errno.OK {
			result = errno.Errno(h.join(c.dup, x))
		}
		outcome = result
	case state == personality.Unreported:
		if e := h.join(c.dup, x); e != 0 {
			result, outcome = errno.Errno(e), errno.Errno(e)
		}
	default:
		if e := h.startFilled(c.dup, x); e != 0 {
			c.concludeTold(x, errno.Errno(e), errno.Errno(e))
			return
		}
		h.explaining = x
		outcome = h.pendingError()
		h.showOutcome()
	}
	c.concludeTold(x, result, outcome)
}

// parkConnect makes a call that waits for the end of the attempt under way.
// late is its error if SO_SNDTIMEO ends the wait before.
func (s *Supervisor) parkConnect(c *call, h *hosted, x *explaining, late errno.Errno) {
	dup := c.dup
	c.dup = -1
	core := h.sock.Core
	// SO_SNDTIMEO bounds a connect, too (socket(7)); T keeps it.
	h.setOption(socket.SolSocket, socket.SoSndTimeo, socket.Timeval(timeout(dup, unix.SO_SNDTIMEO)))
	// A signal can end the wait at any time, unseen: from now on T looks like what it is.
	if h.phase == fresh {
		if e := h.startFilled(dup, x); e != 0 {
			unix.Close(dup)
			c.concludeTold(x, errno.Errno(e), errno.Errno(e))
			return
		}
	}
	c.park(func(ctx context.Context) {
		defer func() { unix.Close(dup) }()
		wait := &socket.Call{Caller: c.caller}
		stop := context.AfterFunc(ctx, func() { wait.Cancel(core) })
		ended, e := h.sock.AwaitEnd(wait, late)
		stop()
		s.mu.Lock()
		defer s.mu.Unlock()
		switch {
		case ended && ctx.Err() != nil:
			e = errno.ECANCELED // whoever asks next is told, this call again above all
		case ended:
			e = h.sock.Await(c.layerCall())
		}
		if e == errno.ECANCELED || e == late {
			// The attempt goes on without a waiter (connect(2), EINTR).
			if h.phase == filled {
				h.explaining = x
			}
			if e == late {
				c.conclude(0, unix.Errno(e))
			}
			return
		}
		h.explaining.ended(h, e, nil)
		h.showOutcome()
		switch {
		case e == errno.OK:
			x.path(h)
		case h.phase == failed: // the target finds its socket as it was
			c.dup = dup
			if e := s.renewT(c, h); e != 0 && e != unix.ENOENT && e != unix.EBADF {
				s.warn("a socket stays unusable after a failed connect: %v", e)
			}
			dup, c.dup = c.dup, -1
		}
		c.concludeTold(x, e, e)
	})
}

// refresh renews the T of a socket that is fresh again, where the old one has
// been used up: by an attempt, a connection, or because it listened.
func (s *Supervisor) refresh(c *call, h *hosted) unix.Errno {
	if h.phase == fresh || h.state() != personality.Fresh {
		return 0
	}
	switch h.phase {
	case inListen:
		h.stopListening()
	case filled: // settle has not come to it yet
		h.tellOutcome(nil)
		h.showOutcome()
	default:
		h.part(c.dup)
	}
	return s.renewT(c, h)
}

// part ends what T carried: the connection was dissolved (AF_UNSPEC), and what
// is under way in T is lost with it.
func (h *hosted) part(dup int) {
	switch h.phase {
	case pumped:
		h.pump.close()
		h.pump = nil
		h.unwatchLayer()
	case direct:
		h.unkeep()
		_ = unix.Shutdown(dup, unix.SHUT_RDWR) // ENOTCONN: the peer has closed its T
	default:
		return
	}
	h.phase = failed
}

// renewT puts a fresh native socket under the target's number: T was used up
// by an attempt that failed. Duplicates of the descriptor keep the old one.
func (s *Supervisor) renewT(c *call, h *hosted) unix.Errno {
	typ := h.nativeType()
	if nonBlocking(c.dup) {
		typ |= unix.SOCK_NONBLOCK
	}
	fd, e := nativeSocket(typ)
	if e != 0 {
		return e
	}
	at := int(int32(c.args[0]))
	var cloexec bool
	if e = c.names(at, h); e == 0 {
		cloexec, e = closeOnExec(c.tid, at)
	}
	if e == 0 {
		e = c.replaceFD(fd, at, cloexec)
	}
	if e == 0 {
		e = h.replaceT(fd)
	}
	if e != 0 {
		unix.Close(fd)
		return e
	}
	unix.Close(c.dup)
	c.dup = fd
	return 0
}

// names says with EBADF that the caller's descriptor fd does not lead to h any
// more: another thread may close it while the call waits, and use its number
// for something else.
func (c *call) names(fd int, h *hosted) unix.Errno {
	dup, e := c.getfd(fd)
	if e != 0 {
		return e
	}
	defer unix.Close(dup)
	if id, ok := cookie(dup); !ok || id != h.cookie {
		return unix.EBADF
	}
	return 0
}

// connectDatagram serves connect(2) on SOCK_DGRAM and SOCK_RAW.
func (s *Supervisor) connectDatagram(c *call, h *hosted, raw sockaddr.Raw) {
	x := s.explains(c, h, raw)
	call := c.layerCall()
	call.Trail = x.trail()
	e := socket.Connect(call, h.sock.Core.Personality, h.sock, raw)
	if e == errno.EADDRNOTAVAIL || e == errno.EAGAIN {
		s.harvest()
		x.forgetTrail()
		e = socket.Connect(call, h.sock.Core.Personality, h.sock, raw)
	}
	if e == errno.OK {
		e = errno.Errno(h.datagram.follow(c.dup))
	}
	c.concludeTold(x, e, e)
}
