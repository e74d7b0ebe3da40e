// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"context"
	"time"

	"dialtone/errno"
	"dialtone/socket"

	"golang.org/x/sys/unix"
)

// receiving is a receive that asks for the sender's address, or with flags
// that AF_UNIX treats otherwise: it is done on a dup of T.
type receiving struct {
	c     *call
	h     *hosted
	dup   int
	iov   []iovec
	flags int
	got   int // bytes of a stream so far (MSG_WAITALL)
	// message: it is recvmsg or recvmmsg, which tell control messages.
	message bool
	// sids are those of the sending socket and of the message.
	sids [2]uint32
	// finish stores the results beside the bytes.
	finish func(from []byte, control []socket.ControlMessage, flags int) unix.Errno
}

// recvfrom serves recvfrom(2).
func (s *Supervisor) recvfrom(c *call, h *hosted) {
	r := &receiving{c: c, h: h, dup: c.dup, iov: []iovec{{c.args[1], c.args[2]}}, flags: int(int32(c.args[3]))}
	r.finish = func(from []byte, _ []socket.ControlMessage, _ int) unix.Errno {
		if c.args[4] == 0 {
			return 0
		}
		return c.writeAddress(from, c.args[4], c.args[5])
	}
	r.run()
}

// recvmsg serves recvmsg(2).
func (s *Supervisor) recvmsg(c *call, h *hosted) {
	m, e := c.readHeader(c.args[1])
	if e != 0 {
		c.fail(e)
		return
	}
	const special = unix.MSG_ERRQUEUE | unix.MSG_TRUNC
	if h.connects() && m.name == 0 && c.args[2]&special == 0 && c.secure == nil {
		c.proceed()
		return
	}
	r := &receiving{c: c, h: h, dup: c.dup, iov: m.iov, flags: int(int32(c.args[2])), message: true}
	r.finish = func(from []byte, control []socket.ControlMessage, flags int) unix.Errno {
		return c.finishHeader(m, from, control, flags)
	}
	r.run()
}

// finishHeader stores what recvmsg tells beside the bytes. T's own control
// messages are not passed on: AF_UNIX's mean nothing to an inet socket.
func (c *call) finishHeader(m *header, from []byte, control []socket.ControlMessage, flags int) unix.Errno {
	if m.name != 0 {
		if e := c.write(m.name, from[:min(int(m.nameLen), len(from))]); e != 0 {
			return e
		}
	}
	if e := c.writeUint(m.nameLenAt, uint64(len(from)), 4); e != 0 {
		return e
	}
	truncated, e := c.writeControl(m, control)
	if e != 0 {
		return e
	}
	return c.writeUint(m.flagsAt, uint64(flags|truncated), 4)
}

// run answers the call, now or when there is something to receive.
func (r *receiving) run() {
	c, s := r.c, r.h.sup
	n, e := r.once()
	if e != unix.EAGAIN || r.flags&(unix.MSG_DONTWAIT|unix.MSG_ERRQUEUE) != 0 || nonBlocking(r.dup) {
		if r.got > 0 {
			n, e = r.got, 0
		}
		c.conclude(int64(n), e)
		return
	}
	c.dup = -1
	s.parkReceive(c, r.h, r.dup, func() (unix.Errno, bool) {
		n, e = r.once()
		return e, e != unix.EAGAIN
	}, func(e unix.Errno) {
		if e != 0 && r.got > 0 {
			n, e = r.got, 0
		}
		c.conclude(int64(n), e)
	})
}

// parkReceive tries again whenever dup has something, or h an error that dup
// can't show, until attempt is done. SO_RCVTIMEO bounds the wait. It owns dup
// from now on. The supervisor is locked.
func (s *Supervisor) parkReceive(c *call, h *hosted, dup int, attempt func() (unix.Errno, bool), answer func(unix.Errno)) {
	var late <-chan time.Time
	if d := timeout(dup, unix.SO_RCVTIMEO); d > 0 {
		late = time.After(d)
	}
	failed := h.failure()
	c.park(func(ctx context.Context) {
		defer unix.Close(dup)
		for {
			ready, stop := s.loop.once(dup, unix.EPOLLIN|unix.EPOLLRDHUP)
			timedOut := false
			select {
			case <-ctx.Done():
				stop()
				return
			case <-late:
				timedOut = true
			case <-ready:
			case <-failed:
			}
			stop()
			s.mu.Lock()
			e, done := attempt()
			failed = h.failure()
			if done || timedOut {
				answer(e)
				s.mu.Unlock()
				return
			}
			s.mu.Unlock()
		}
	})
}

// once receives what is there. EAGAIN: nothing, or not yet all of it. The
// bytes leave T only when the caller has them in its memory. The supervisor is
// locked.
func (r *receiving) once() (int, unix.Errno) {
	if r.h.sock != nil {
		if e := r.h.sock.May(r.c.layerCall(), socket.OpReceive); e != errno.OK {
			return 0, unix.Errno(e)
		}
	}
	if r.flags&unix.MSG_ERRQUEUE != 0 {
		return r.errorQueue()
	}
	if d := r.h.datagram; d != nil && d.s < 0 {
		if e := r.h.takeError(r.dup); e != 0 {
			return 0, e
		}
	}
	stream := r.h.sock != nil && r.h.sock.Type == socket.Stream
	most := maxDatagram
	if r.h.connects() {
		most = maxMessage
	}
	buf := make([]byte, total(r.iov, most)-r.got)
	flags := r.flags&^unix.MSG_WAITALL | unix.MSG_DONTWAIT
	var beside []byte
	if r.h.datagram != nil && (r.message || r.c.secure != nil || r.h.isUnix()) {
		beside = make([]byte, unix.CmsgSpace(4))
	}
	peek := flags | unix.MSG_PEEK | unix.MSG_CMSG_CLOEXEC
	n, besideN, out, from, err := unix.Recvmsg(r.dup, buf, beside, peek)
	if d := r.h.datagram; d != nil && err == unix.EAGAIN {
		d.down() // the loop may not have come to it yet
		if d.s < 0 {
			if e := r.h.takeError(r.dup); e != 0 {
				return 0, e
			}
		}
		n, besideN, out, from, err = unix.Recvmsg(r.dup, buf, beside, peek)
	}
	for err == unix.EINTR {
		n, besideN, out, from, err = unix.Recvmsg(r.dup, buf, beside, peek)
	}
	if err == unix.EAGAIN && r.c.parked && shutReceive(r.dup) {
		return 0, r.tell(nil, nil, 0) // who does not wait gets EAGAIN (__skb_wait_for_more_packets)
	}
	if err != nil {
		return 0, r.h.translate(errnoOf(err))
	}
	if len(buf) == 0 && (stream || r.flags&unix.MSG_TRUNC == 0) {
		// Package unix asks for a byte of its own where there is room for control messages alone.
		if n > 0 {
			out |= unix.MSG_TRUNC
		}
		n = 0
	}
	came := openEnvelope(beside[:besideN])
	r.sids = came.sids
	if r.h.connects() && r.c.secure != nil {
		peer := r.h.sock.PeerSID() // all that a connection carries has its socket's
		r.sids = [2]uint32{peer, peer}
	}
	if r.h.ofRecords() {
		came.from = r.h.unixPeer()
	}
	result, e := n, unix.Errno(0)
	if stream {
		result, e = r.gotStream(buf[:n])
	} else {
		name := netlinkKernel
		switch {
		case r.h.isUnix():
			name = came.from
		case r.h.sock != nil:
			a, aside := r.h.sourceOf(from)
			name = a.Append(nil)
			if aside != 0 {
				came.control = r.h.sup.asides.control(aside)
			}
		}
		// With MSG_TRUNC n is the datagram's length, which may exceed buf.
		if e = r.c.scatter(r.iov, buf[:min(n, len(buf))]); e == 0 {
			e = r.tell(name, came.control, out&unix.MSG_TRUNC)
		}
	}
	if r.flags&unix.MSG_PEEK == 0 && !r.c.gone {
		r.consume(buf[:min(n, len(buf))], flags)
	}
	return result, e
}

// tell stores what is told beside the bytes.
func (r *receiving) tell(from []byte, control []socket.ControlMessage, flags int) unix.Errno {
	if e := r.finish(from, control, flags); e != 0 {
		return e
	}
	return r.c.tellSIDs(r.sids[0], r.sids[1])
}

// consume takes what was peeked at from T.
func (r *receiving) consume(b []byte, flags int) {
	_, _, _ = unix.Recvfrom(r.dup, b, flags&^unix.MSG_TRUNC) // EAGAIN: another thread was quicker
	if d := r.h.datagram; d != nil && d.held != nil {
		d.down() // there is room again
	}
}

// gotStream takes the bytes of a stream. TCP tells no address, and with
// MSG_TRUNC drops the bytes (tcp(7)).
func (r *receiving) gotStream(b []byte) (int, unix.Errno) {
	if r.flags&unix.MSG_TRUNC == 0 {
		if e := r.c.scatter(skip(r.iov, r.got), b); e != 0 {
			return 0, e
		}
	}
	name := r.h.unixPeer()
	if r.flags&unix.MSG_PEEK != 0 {
		return len(b), r.tell(name, nil, 0)
	}
	r.got += len(b)
	if r.flags&unix.MSG_WAITALL != 0 && len(b) > 0 && r.got < total(r.iov, maxMessage) {
		return 0, unix.EAGAIN
	}
	return r.got, r.tell(name, nil, 0)
}

// skip returns the pieces after the first n bytes.
func skip(iov []iovec, n int) []iovec {
	var rest []iovec
	for _, v := range iov {
		k := min(uint64(n), v.len)
		n -= int(k)
		if v.len > k {
			rest = append(rest, iovec{v.base + k, v.len - k})
		}
	}
	return rest
}
