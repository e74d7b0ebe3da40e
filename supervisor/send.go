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

// maxDatagram is above the longest datagram: the layer says EMSGSIZE.
const maxDatagram = 65536

// urgent refuses urgent data on a connection, as the layer does: AF_UNIX has a
// byte out of band, too, which no pump would see. It reports whether it did.
func (c *call) urgent(h *hosted, flags uint64) bool {
	if !h.connects() || flags&unix.MSG_OOB == 0 {
		return false
	}
	c.fail(unix.EOPNOTSUPP)
	return true
}

// outgoing is a message that a call sends.
type outgoing struct {
	data    []byte
	raw     sockaddr.Raw // where to
	control []socket.ControlMessage
	flags   int
}

// sendto serves sendto(2) with an address; without one it is native.
func (s *Supervisor) sendto(c *call, h *hosted) {
	if c.urgent(h, c.args[3]) {
		return
	}
	if c.args[4] == 0 && c.secure == nil {
		c.proceed()
		return
	}
	raw := c.rawAddress(c.args[4], c.args[5])
	s.send(c, h, []iovec{{c.args[1], c.args[2]}}, &outgoing{raw: raw, flags: int(int32(c.args[3]))})
}

// sendmsg serves sendmsg(2).
func (s *Supervisor) sendmsg(c *call, h *hosted) {
	m, e := c.readHeader(c.args[1])
	if e != 0 {
		c.fail(e)
		return
	}
	if h.isUnix() && m.controlLen > 0 {
		c.fail(unix.EINVAL) // descriptors don't travel over the virtual host's sockets
		return
	}
	if c.urgent(h, c.args[2]) {
		return
	}
	if h.connects() && m.name == 0 && c.secure == nil {
		c.proceed() // the bytes and what goes with them are T's
		return
	}
	control, e := c.readControl(m)
	if e != 0 {
		c.fail(e)
		return
	}
	s.send(c, h, m.iov, &outgoing{raw: c.rawAddress(m.name, uint64(m.nameLen)), control: control, flags: int(int32(c.args[2]))})
}

// send is sendto and sendmsg.
func (s *Supervisor) send(c *call, h *hosted, iov []iovec, o *outgoing) {
	if h.connects() {
		if e := c.maySend(h.sock); e != errno.OK {
			c.fail(unix.Errno(e))
			return
		}
		s.sendStream(c, iov, o.flags)
		return
	}
	var e unix.Errno
	if o.data, e = c.gather(iov, maxDatagram); e != 0 {
		c.conclude(0, e)
		return
	}
	n, e := s.sendOne(c, h, o)
	if e == unix.EAGAIN && h.isUnix() && o.flags&unix.MSG_DONTWAIT == 0 && !nonBlocking(c.dup) {
		s.parkSendUnix(c, h, o.data, o.raw)
		return
	}
	c.conclude(int64(n), e)
}

// sendOne sends one datagram.
func (s *Supervisor) sendOne(c *call, h *hosted, o *outgoing) (int, unix.Errno) {
	if h.sock == nil {
		h.netlinkRequest(o.data)
		return len(o.data), 0
	}
	if h.isUnix() && len(o.data) > maxUnixDatagram-32 {
		return 0, unix.EMSGSIZE
	}
	if e := h.takeError(c.dup); e != 0 {
		return 0, e
	}
	to, le := socket.Destination(h.sock.Core.Personality, o.raw)
	if le != errno.OK {
		return 0, unix.Errno(le)
	}
	m := socket.Message{Data: o.data, Flags: o.flags, To: to, Control: o.control}
	c.label(&m)
	n, le := h.sock.Send(c.layerCall(), &m)
	if le == errno.EACCES {
		// SO_BROADCAST is T's; the layer learns of it when it matters.
		if on, err := unix.GetsockoptInt(c.dup, unix.SOL_SOCKET, unix.SO_BROADCAST); err == nil && on != 0 {
			h.setOption(socket.SolSocket, socket.SoBroadcast, socket.Int(1))
			n, le = h.sock.Send(c.layerCall(), &m)
		}
	}
	return n, unix.Errno(le)
}

// sendmmsg serves sendmmsg(2).
func (s *Supervisor) sendmmsg(c *call, h *hosted) {
	size, lenAt := uint64(mmsghdrSize), uint64(headerSize)
	if c.compat {
		size, lenAt = mmsghdrSize32, headerSize32
	}
	count := min(uint64(uint32(c.args[2])), maxIovecs)
	if h.isUnix() {
		for i := range count {
			// As for sendmsg. Headers that can't be read are told of in their turn.
			if m, _, e := c.readFields(c.args[1] + i*size); e == 0 && m.controlLen > 0 {
				c.fail(unix.EINVAL)
				return
			}
		}
	}
	if c.urgent(h, c.args[3]) {
		return
	}
	if h.connects() {
		c.proceed()
		return
	}
	sent, e := 0, unix.Errno(0)
	quota := newQuota()
	one := func(at uint64) unix.Errno {
		o, iov, e := s.readMessage(c, at)
		if e != 0 {
			return e
		}
		quota.take(len(o.data), iov)
		n, e := s.sendOne(c, h, o)
		if e != 0 {
			return e
		}
		return c.writeUint(at+lenAt, uint64(n), 4)
	}
	for i := range count {
		if e = one(c.args[1] + i*size); e != 0 {
			break
		}
		if sent++; !quota.left() {
			break
		}
	}
	if sent > 0 { // an error after the first datagram is the next call's
		e = 0
	}
	c.conclude(int64(sent), e)
}

// readMessage copies one message of sendmmsg, and says what it was made of.
// Meanwhile the supervisor is not locked: others have their turn.
func (s *Supervisor) readMessage(c *call, at uint64) (o *outgoing, iov []iovec, e unix.Errno) {
	s.mu.Unlock()
	defer s.mu.Lock()
	m, e := c.readHeader(at)
	if e != 0 {
		return nil, nil, e
	}
	o = &outgoing{raw: c.rawAddress(m.name, uint64(m.nameLen)), flags: int(int32(c.args[3]))}
	if o.data, e = c.gather(m.iov, maxDatagram); e == 0 {
		o.control, e = c.readControl(m)
	}
	return o, m.iov, e
}

// sendStream serves a send with an address on TCP, which ignores it where
// AF_UNIX would answer EISCONN, and with a SID on a connection.
func (s *Supervisor) sendStream(c *call, iov []iovec, flags int) {
	data, e := c.gather(iov, maxMessage)
	if e != 0 {
		c.fail(e)
		return
	}
	if flags&unix.MSG_FASTOPEN != 0 {
		// As with bit 0 of net.ipv4.tcp_fastopen clear, which is a case that
		// programs are made for: they connect then. With TCP_FASTOPEN_CONNECT the
		// first bytes would come by a write(2), which is not caught; and the two
		// are allowed together or not at all.
		c.fail(unix.EOPNOTSUPP)
		return
	}
	dup, sent := c.dup, 0
	try := func() (unix.Errno, bool) {
		for {
			n, err := unix.SendmsgN(dup, data[sent:], nil, nil, flags|unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
			if err != nil {
				return errnoOf(err), err != unix.EAGAIN
			}
			if sent += n; sent >= len(data) {
				return 0, true
			}
		}
	}
	finish := func(e unix.Errno) {
		if sent > 0 {
			e = 0
		}
		if e == unix.EPIPE && flags&unix.MSG_NOSIGNAL == 0 {
			if pid, err := threadGroup(c.tid); err == nil {
				_ = unix.Tgkill(pid, c.tid, unix.SIGPIPE) // ESRCH: it is gone
			}
		}
		c.conclude(int64(sent), e)
	}
	e, done := try()
	if done || flags&unix.MSG_DONTWAIT != 0 || nonBlocking(dup) {
		finish(e)
		return
	}
	c.dup = -1
	c.park(func(ctx context.Context) {
		defer unix.Close(dup)
		for {
			ready, stop := s.loop.once(dup, unix.EPOLLOUT)
			select {
			case <-ctx.Done():
				stop()
				return
			case <-ready:
			}
			stop()
			if e, done := try(); done {
				s.mu.Lock()
				finish(e)
				s.mu.Unlock()
				return
			}
		}
	})
}
