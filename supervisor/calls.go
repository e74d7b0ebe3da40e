// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"context"
	"time"

	"dialtone/errno"
	"dialtone/personality"
	"dialtone/sockaddr"
	"dialtone/socket"

	"golang.org/x/sys/unix"
)

// The calls that make and name sockets. Each is answered by the socket layer;
// what happens natively follows.

const typeFlags = unix.SOCK_CLOEXEC | unix.SOCK_NONBLOCK

// socket serves socket(2).
func (s *Supervisor) socket(c *call) {
	family, typ, proto := sockaddr.Family(c.args[0]), int(int32(c.args[1])), int(int32(c.args[2]))
	flags := typ & typeFlags
	if family == sockaddr.Netlink {
		s.netlinkSocket(c, flags)
		return
	}
	sock, e := c.target.program.Stack.Core().NewSocket(c.layerCall(), family, socket.Type(typ&^typeFlags), proto)
	if e != errno.OK {
		c.fail(unix.Errno(e))
		return
	}
	native := typ &^ typeFlags
	if native == unix.SOCK_RAW {
		native = unix.SOCK_DGRAM
	}
	if e := s.inject(c, sock, native, 0, flags); e != 0 {
		sock.Close(c.layerCall())
		c.fail(e)
	}
}

// inject gives the target a native socket of the type for the layer's, or for
// none, and answers the call. After an error sock is still the caller's.
func (s *Supervisor) inject(c *call, sock *socket.Socket, typ, netlink, flags int) unix.Errno {
	fd, e := nativeSocket(typ | flags&unix.SOCK_NONBLOCK)
	if e != 0 {
		return e
	}
	defer unix.Close(fd)
	s.mu.Lock()
	defer s.mu.Unlock()
	h, e := s.adopt(c.target, sock, fd)
	if e != 0 {
		return e
	}
	h.netlink = netlink
	if typ == unix.SOCK_DGRAM {
		e = h.startDatagram(fd)
	}
	n := 0
	if e == 0 {
		n, e = c.addFD(fd, flags&unix.SOCK_CLOEXEC != 0)
	}
	switch e {
	case 0:
		h.seen(c, n)
	case unix.ENOENT: // the caller is gone, its socket with it
		h.forget()
		e = 0
	default: // EMFILE
		h.unwatchLayer()
		h.sock = nil
		h.forget()
	}
	return e
}

// bind serves bind(2).
func (s *Supervisor) bind(c *call, h *hosted) {
	if h.sock == nil {
		s.netlinkBind(c, h)
		return
	}
	raw := c.rawAddress(c.args[1], c.args[2])
	core := h.sock.Core
	e := socket.Bind(c.layerCall(), core.Personality, h.sock, raw)
	if e == errno.EADDRINUSE {
		s.harvestLeft() // whoever has the port may have closed it a moment ago
		e = socket.Bind(c.layerCall(), core.Personality, h.sock, raw)
	}
	if e != errno.OK {
		c.conclude(0, unix.Errno(e))
		return
	}
	c.conclude(0, 0)
}

// listen serves listen(2).
func (s *Supervisor) listen(c *call, h *hosted) {
	if h.sock == nil {
		c.fail(unix.EOPNOTSUPP)
		return
	}
	c.identify(h)
	if h.connects() {
		if e := s.refresh(c, h); e != 0 {
			c.fail(e)
			return
		}
	}
	e := c.listenLayer(h.sock)
	if e == errno.EADDRINUSE {
		s.harvestLeft()
		e = c.listenLayer(h.sock)
	}
	if e != errno.OK {
		c.fail(unix.Errno(e))
		return
	}
	if h.phase == fresh {
		if e := h.startListening(c.dup); e != 0 {
			c.fail(e)
			return
		}
	}
	c.succeed(0)
}

// accept serves accept4(2), and accept(2) without flags.
func (s *Supervisor) accept(c *call, h *hosted) {
	flags := int(int32(c.args[3]))
	if flags&^typeFlags != 0 {
		c.fail(unix.EINVAL)
		return
	}
	if h.listen == nil || h.state() != personality.Listening {
		s.acceptRefused(c, h)
		return
	}
	if e := h.sock.May(c.layerCall(), socket.OpAccept); e != errno.OK {
		c.fail(unix.Errno(e))
		return
	}
	if s.acceptNow(c, h, c.dup) {
		return
	}
	if nonBlocking(c.dup) {
		c.fail(unix.EAGAIN)
		return
	}
	dup := c.dup
	c.dup = -1
	var late <-chan time.Time
	if d := timeout(dup, unix.SO_RCVTIMEO); d > 0 {
		late = time.After(d)
	}
	arrival := h.listen.awaitArrival()
	c.park(func(ctx context.Context) {
		defer unix.Close(dup)
		for {
			select {
			case <-ctx.Done():
				return
			case <-late:
				c.fail(unix.EAGAIN)
				return
			case <-arrival:
			}
			s.mu.Lock()
			if h.listen == nil || h.state() != personality.Listening {
				s.acceptRefused(c, h)
				s.mu.Unlock()
				return
			}
			done := s.acceptNow(c, h, dup)
			if !done {
				arrival = h.listen.awaitArrival()
			}
			s.mu.Unlock()
			if done {
				return
			}
		}
	})
}

// acceptRefused answers an accept on what does not listen.
func (s *Supervisor) acceptRefused(c *call, h *hosted) {
	if h.sock == nil {
		c.fail(unix.EOPNOTSUPP)
		return
	}
	sock, e := h.sock.Accept(c.layerCall())
	if e == errno.OK { // it listens after all: the state changed under way
		sock.Close(c.layerCall())
		e = errno.ECONNABORTED
	}
	c.fail(unix.Errno(e))
}

// acceptNow hands one connection over, if one waits. It reports whether the
// call has been answered, or its caller is gone.
func (s *Supervisor) acceptNow(c *call, h *hosted, dup int) bool {
	if c.parked && !c.valid() {
		return true // it has waited, and may be gone: before anything leaves the queue
	}
	a, e := h.take(dup, int(int32(c.args[3])))
	if e == unix.EAGAIN {
		return false
	}
	if e != 0 {
		c.fail(e)
		return true
	}
	if e := s.deliver(c, h, a); e != 0 {
		h.giveBack(a)
		c.fail(e)
	}
	return true
}

// deliver puts an accepted connection into the target's table and answers.
func (s *Supervisor) deliver(c *call, h *hosted, a *accepted) unix.Errno {
	if c.args[1] != 0 {
		// Reset before it was accepted, it has no peer any more, but accept(2)
		// still tells from where it came.
		if e := c.writeAddress(a.sock.From().Append(nil), c.args[1], c.args[2]); e != 0 {
			return e
		}
	}
	if e := c.tellSID(a.sock.PeerSID()); e != 0 {
		return e
	}
	n, e := c.addFD(a.t, int(int32(c.args[3]))&unix.SOCK_CLOEXEC != 0)
	if e != 0 {
		return e
	}
	child, e := s.adopt(c.target, a.sock, a.t)
	unix.Close(a.t)
	if e != 0 {
		s.warn("an accepted connection is lost: %v", e)
		a.sock.Close(c.layerCall())
		return 0
	}
	child.seen(c, n)
	if a.s < 0 {
		child.phase = direct
	} else if e := child.startPump(a.s); e != 0 {
		s.warn("an accepted connection is lost: %v", e)
	}
	return 0
}

// getsockname serves getsockname(2).
func (s *Supervisor) getsockname(c *call, h *hosted) {
	if h.sock == nil {
		c.answerAddress(h.netlinkName())
		return
	}
	a, e := h.sock.Name(c.layerCall())
	if e != errno.OK {
		c.fail(unix.Errno(e))
		return
	}
	if e := c.tellSID(h.sock.OwnSID()); e != 0 {
		c.fail(e)
		return
	}
	c.answerAddress(a.Append(nil))
}

// getpeername serves getpeername(2).
func (s *Supervisor) getpeername(c *call, h *hosted) {
	if h.sock == nil {
		c.answerAddress(netlinkKernel)
		return
	}
	a, e := h.sock.Peer(c.layerCall())
	if e != errno.OK {
		c.fail(unix.Errno(e))
		return
	}
	if e := c.tellSID(h.sock.PeerSID()); e != 0 {
		c.fail(e)
		return
	}
	c.answerAddress(a.Append(nil))
}

// answerAddress answers getsockname and its like.
func (c *call) answerAddress(b []byte) {
	if e := c.writeAddress(b, c.args[1], c.args[2]); e != 0 {
		c.fail(e)
		return
	}
	c.succeed(0)
}

// shutdown serves shutdown(2). What the target has written is still in T: the
// pump passes it on, and then the end.
func (s *Supervisor) shutdown(c *call, h *hosted) {
	if h.sock == nil {
		c.fail(unix.EOPNOTSUPP)
		return
	}
	how := socket.How(int32(c.args[1]))
	if h.phase == pumped && how >= socket.ShutRD && how <= socket.ShutRDWR {
		e := h.sock.May(c.layerCall(), socket.OpShutdown)
		if e == errno.OK {
			_, e = h.sock.Peer(ownCall())
		}
		if e != errno.OK {
			c.fail(unix.Errno(e))
			return
		}
		c.conclude(0, errnoOf(unix.Shutdown(c.dup, int(how))))
		return
	}
	e := h.sock.Shutdown(c.layerCall(), how)
	if e != errno.OK && (e != errno.ENOTCONN || h.datagram == nil) {
		c.fail(unix.Errno(e))
		return
	}
	_ = unix.Shutdown(c.dup, int(how)) // without a peer, too: whoever waits in a receive reads the end (inet_shutdown)
	if h.listen != nil {
		h.listen.announce()
	}
	c.conclude(0, unix.Errno(e))
}

// timeout reads SO_RCVTIMEO or SO_SNDTIMEO, which T itself keeps; 0 is none.
func timeout(fd, option int) time.Duration {
	tv, err := unix.GetsockoptTimeval(fd, unix.SOL_SOCKET, option)
	if err != nil {
		return 0
	}
	return time.Duration(tv.Nano())
}
