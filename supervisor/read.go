// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"dialtone/socket"

	"golang.org/x/sys/unix"
)

// A call is one system call of a target that waits for its answer. tid is the
// calling thread.
type call struct {
	target *Target
	id     uint64
	tid    int
	nr     int
	args   [6]uint64
	compat bool           // made by a 32-bit program
	time64 bool           // though compat, with a struct timespec of 64 bits
	dup    int            // of the descriptor in the first argument; see withSocket
	caller *socket.Caller // who calls, on the virtual host
	secure *secure        // of the _secure family; nil: a plain call
	at     *hosted        // the socket that the call is made on, once known
	parked bool           // served by a goroutine other than the reader
	gone   bool           // the caller was found to wait no more: what was read of it is void
	layer  socket.Call    // see layerCall
}

// read takes the calls of a target's processes until the last one is gone,
// and serves each in turn. What would wait is parked, so that it holds up
// nobody.
func (t *Target) read() {
	quiet := quietSignals()
	without(&quiet, wakeSignal) // monitor sends it to this thread
	defer blockSignals(quiet)()
	t.reader.Store(int64(unix.Gettid()))
	defer t.reader.Store(0)
	var n seccompNotif
	c := new(call)
	for {
		switch e := t.proc.listener.recv(&n); e {
		case 0:
			t.parking.superseded(int(n.pid))
			if c.parked { // it lives on
				c = new(call)
			}
			*c = call{
				target: t, id: n.id, tid: int(n.pid), nr: int(n.data.nr), args: n.data.args, dup: -1,
				caller: t.caller, compat: n.data.arch == unix.AUDIT_ARCH_I386,
			}
			t.sup.serve(c)
		case unix.EINTR, unix.ENOENT:
			if t.ended.Load() || t.proc.listener.hungUp() {
				return
			}
		default:
			// EINVAL, EBADF, EFAULT: our own mistake, and the target would
			// wait for an answer for ever.
			panic("supervisor: SECCOMP_IOCTL_NOTIF_RECV: " + e.Error())
		}
	}
}

// hungUp reports whether no process is left under the filter.
func (l listener) hungUp() bool {
	p := []unix.PollFd{{Fd: int32(l.fd)}}
	n, err := unix.Poll(p, 0)
	return err == nil && n == 1 && p[0].Revents&unix.POLLHUP != 0
}

func (c *call) valid() bool { return c.target.proc.listener.valid(c.id) }

// proceed lets the kernel do the call. It has none of the _secure family.
func (c *call) proceed() { c.target.proc.listener.proceed(c.id) }

// succeed answers the call with val. It reports whether the caller got it.
func (c *call) succeed(val int64) bool { return c.target.proc.listener.answer(c.id, val, 0) == 0 }

// fail answers the call with an errno. It reports whether the caller got it.
func (c *call) fail(e unix.Errno) bool { return c.target.proc.listener.answer(c.id, 0, e) == 0 }

// getfd duplicates descriptor fd of the caller. ENOENT: the call is gone.
func (c *call) getfd(fd int) (int, unix.Errno) {
	dup, known, err := c.target.callers.getfd(c.tid, fd)
	if err == nil && !known && !c.valid() {
		unix.Close(dup)
		return -1, unix.ENOENT
	}
	switch err {
	case nil:
		return dup, 0
	case unix.EPERM:
		c.target.sup.warnUnreachable(c.tid, "pidfd_getfd")
		return -1, unix.EPERM
	case unix.ESRCH:
		return -1, unix.ENOENT
	default:
		return -1, unix.EBADF
	}
}
