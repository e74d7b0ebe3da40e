// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"encoding/binary"
	"time"

	"dialtone/socket"

	"golang.org/x/sys/unix"
)

// recvmmsg serves recvmmsg(2): the first message is waited for, the others are
// taken if they are there.
func (s *Supervisor) recvmmsg(c *call, h *hosted) {
	if h.connects() {
		c.proceed()
		return
	}
	size, lenAt := uint64(mmsghdrSize), uint64(headerSize)
	if c.compat {
		size, lenAt = mmsghdrSize32, headerSize32
	}
	began := time.Now()
	limit, e := c.mmsgTimeout()
	if e != 0 {
		c.fail(e)
		return
	}
	flags := int(int32(c.args[3])) &^ unix.MSG_WAITFORONE
	count := min(uint64(uint32(c.args[2])), maxIovecs)
	quota := newQuota()
	take := func(dup int, i uint64) unix.Errno {
		at := c.args[1] + i*size
		m, e := c.readHeader(at)
		if e != 0 {
			return e
		}
		r := &receiving{c: c, h: h, dup: dup, iov: m.iov, flags: flags, message: true}
		r.finish = func(from []byte, control []socket.ControlMessage, flags int) unix.Errno {
			return c.finishHeader(m, from, control, flags)
		}
		n, e := r.once()
		if e != 0 {
			return e
		}
		quota.take(n, m.iov)
		return c.writeUint(at+lenAt, uint64(n), 4)
	}
	dup, got := c.dup, uint64(0)
	attempt := func() (unix.Errno, bool) {
		var e unix.Errno
		for got < count && quota.left() {
			if e = take(dup, got); e != 0 {
				break
			}
			got++
			// It is looked at after each datagram, and ends no wait (recvmmsg(2), BUGS).
			if limit != nil && *limit.less(time.Since(began)) == (timespec{}) {
				break
			}
		}
		// recvmmsg(2) waits on for all of them unless MSG_WAITFORONE; a
		// program that relies on that gets fewer, as after a signal.
		return e, got > 0 || e != unix.EAGAIN
	}
	answer := func(e unix.Errno) {
		if got > 0 {
			e = 0
			if limit != nil {
				e = c.writeTimespec(c.args[4], limit.less(time.Since(began))) // what is left
			}
		}
		c.conclude(int64(got), e)
	}
	e, done := attempt()
	if done || flags&unix.MSG_DONTWAIT != 0 || nonBlocking(dup) || count == 0 {
		answer(e)
		return
	}
	c.dup = -1
	s.parkReceive(c, h, dup, attempt, answer)
}

// timespec is a struct timespec.
type timespec struct{ sec, nsec int64 }

// less is what is left of t after d; zero if nothing is.
func (t *timespec) less(d time.Duration) *timespec {
	left := timespec{t.sec - int64(d/time.Second), t.nsec - int64(d%time.Second)}
	if left.nsec < 0 {
		left.sec, left.nsec = left.sec-1, left.nsec+int64(time.Second)
	}
	if left.sec < 0 {
		return &timespec{}
	}
	return &left
}

// mmsgTimeout reads recvmmsg's struct timespec; nil: there is none.
func (c *call) mmsgTimeout() (*timespec, unix.Errno) {
	if c.args[4] == 0 {
		return nil, 0
	}
	var b [16]byte
	if c.compat && !c.time64 {
		if e := c.read(c.args[4], b[:8]); e != 0 {
			return nil, e
		}
		t := &timespec{int64(int32(le32(b[0:]))), int64(int32(le32(b[4:])))}
		return t, t.check()
	}
	if e := c.read(c.args[4], b[:]); e != 0 {
		return nil, e
	}
	t := &timespec{int64(le64(b[0:])), int64(le64(b[8:]))}
	if c.compat {
		t.nsec = int64(le32(b[8:])) // the upper half is padding (get_timespec64)
	}
	return t, t.check()
}

// check is timespec64_valid of the kernel.
func (t *timespec) check() unix.Errno {
	if t.sec < 0 || t.nsec < 0 || t.nsec >= int64(time.Second) {
		return unix.EINVAL
	}
	return 0
}

// writeTimespec stores a struct timespec of the caller's kind.
func (c *call) writeTimespec(ptr uint64, t *timespec) unix.Errno {
	if c.compat && !c.time64 {
		return c.writeUint(ptr, uint64(uint32(t.sec))|uint64(t.nsec)<<32, 8)
	}
	var b [16]byte
	binary.LittleEndian.PutUint64(b[0:], uint64(t.sec))
	binary.LittleEndian.PutUint64(b[8:], uint64(t.nsec))
	return c.write(ptr, b[:])
}
