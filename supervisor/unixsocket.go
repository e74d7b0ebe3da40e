// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"context"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"

	"golang.org/x/sys/unix"
)

// AF_UNIX sockets are the real machine's, but for those that socket_secure
// made: they are the virtual host's, since a kernel's know no SIDs. Their names
// are the virtual host's too: abstract ones, and paths in its file tree, where
// there is /tmp. The two kinds don't meet. Descriptors are not passed over
// them, and a message's own credentials (SO_PASSCRED) are the supervisor's.
// SO_PEERCRED has the real number of a process and its IDs on the virtual host.

// isUnix reports whether a socket is the virtual host's AF_UNIX.
func (h *hosted) isUnix() bool { return h.sock != nil && h.sock.Family == sockaddr.Unix }

// unixPeer is the name that a receive on a connection tells: of AF_UNIX the
// peer's if it has one, else none.
func (h *hosted) unixPeer() []byte {
	if !h.isUnix() {
		return nil
	}
	if a := h.sock.From(); a.Name != "" {
		return a.Append(nil)
	}
	return nil
}

// identify gives a call that SO_PEERCRED will tell of the number of its process,
// which is not known yet on a host whose access control began with the call.
func (c *call) identify(h *hosted) {
	if !h.isUnix() || c.target.proc.labelled {
		return
	}
	if pid, err := threadGroup(c.tid); err == nil { // else it is gone
		c.caller = c.caller.Fork()
		c.caller.PID = pid
	}
}

// maxUnixDatagram is above the longest datagram that is carried, in bytes.
const maxUnixDatagram = pumpChunk

// unreader is an endpoint that is told what its queue can't show at close.
type unreader interface{ LeftUnread() }

// parkConnectUnix waits for room in the listener's queue (connect(2), EAGAIN).
func (s *Supervisor) parkConnectUnix(c *call, h *hosted, x *explaining, raw sockaddr.Raw) {
	dup := c.dup
	c.dup = -1
	h.setOption(socket.SolSocket, socket.SoSndTimeo, socket.Timeval(timeout(dup, unix.SO_SNDTIMEO)))
	core := h.sock.Core
	c.park(func(ctx context.Context) {
		defer unix.Close(dup)
		wait := c.layerCall()
		wait.NonBlocking, wait.Trail = false, x.trail()
		stop := context.AfterFunc(ctx, func() { wait.Cancel(core) })
		e := socket.Connect(wait, core.Personality, h.sock, raw)
		stop()
		s.mu.Lock()
		defer s.mu.Unlock()
		if e == errno.ECANCELED {
			return
		}
		if e == errno.OK {
			e = errno.Errno(h.join(dup, x))
		}
		c.concludeTold(x, e, e)
	})
}

// parkSendUnix waits for room at the receiver of a datagram (unix(7)).
func (s *Supervisor) parkSendUnix(c *call, h *hosted, data []byte, raw sockaddr.Raw) {
	to, le := socket.Destination(h.sock.Core.Personality, raw)
	if le != errno.OK {
		c.fail(unix.Errno(le))
		return
	}
	m := socket.Message{Data: data, To: to}
	c.label(&m)
	c.park(func(ctx context.Context) {
		wait := c.layerCall()
		wait.NonBlocking = false
		stop := context.AfterFunc(ctx, func() { wait.Cancel(h.sock.Core) })
		n, e := h.sock.Send(wait, &m)
		stop()
		s.mu.Lock()
		defer s.mu.Unlock()
		if e != errno.ECANCELED {
			c.conclude(int64(n), unix.Errno(e))
		}
	})
}

// sendWhenRoom sends what T has sent natively once the receiver has room;
// meanwhile nothing more is taken from T, whose send waits in its turn. The
// supervisor is locked.
func (d *datagram) sendWhenRoom(data []byte) {
	h := d.h
	wait := h.dataCall()
	wait.NonBlocking = false
	d.waiting = wait
	go func() {
		_, e := h.sock.Send(wait, &socket.Message{Data: data})
		h.sup.mu.Lock()
		defer h.sup.mu.Unlock()
		d.waiting = nil
		if h.datagram != d || d.s < 0 {
			return // closed meanwhile
		}
		if e != errno.OK && e != errno.ECANCELED {
			d.reset(unix.Errno(e))
		}
		d.up()
	}()
}
