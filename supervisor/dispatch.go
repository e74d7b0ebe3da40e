// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"encoding/binary"

	"dialtone/socket"

	"golang.org/x/sys/unix"
)

// dispatch serves one call. It runs on the target's reader and does not wait.
func (s *Supervisor) dispatch(c *call) {
	if c.compat && !c.fromI386() {
		return
	}
	if c.target.proc.labelled {
		c.caller = c.target.lineage.who(c.tid)
	}
	if c.nr == sysSecurity && !s.security(c) {
		return
	}
	switch c.nr {
	case unix.SYS_SOCKET:
		s.socket(c)
	case unix.SYS_BIND:
		s.withSocket(c, s.bind)
	case unix.SYS_CONNECT:
		s.withSocket(c, s.connect)
	case unix.SYS_LISTEN:
		s.withSocket(c, s.listen)
	case unix.SYS_ACCEPT:
		c.args[3] = 0
		s.withSocket(c, s.accept)
	case unix.SYS_ACCEPT4:
		s.withSocket(c, s.accept)
	case unix.SYS_GETSOCKNAME:
		s.withSocket(c, s.getsockname)
	case unix.SYS_GETPEERNAME:
		s.withSocket(c, s.getpeername)
	case unix.SYS_SHUTDOWN:
		s.withSocket(c, s.shutdown)
	case unix.SYS_GETSOCKOPT:
		s.withSocket(c, s.getsockopt)
	case unix.SYS_SETSOCKOPT:
		s.withSocket(c, s.setsockopt)
	case unix.SYS_SENDTO:
		s.withSocket(c, s.sendto)
	case unix.SYS_SENDMSG:
		s.withSocket(c, s.sendmsg)
	case unix.SYS_SENDMMSG:
		s.withSocket(c, s.sendmmsg)
	case unix.SYS_RECVFROM:
		s.withSocket(c, s.recvfrom)
	case unix.SYS_RECVMSG:
		s.withSocket(c, s.recvmsg)
	case unix.SYS_RECVMMSG:
		s.withSocket(c, s.recvmmsg)
	case unix.SYS_IOCTL:
		s.withSocket(c, s.ioctl)
	case unix.SYS_OPEN, unix.SYS_OPENAT, unix.SYS_OPENAT2:
		s.open(c)
	case unix.SYS_WRITE, unix.SYS_WRITEV, unix.SYS_PWRITE64:
		s.write(c)
	case unix.SYS_EXECVE, unix.SYS_EXECVEAT:
		s.exec(c)
	default:
		c.proceed()
	}
}

// withSocket finds the hosted socket that the call's first argument names and
// runs f with the supervisor locked. dup is a duplicate of T that is closed
// when f returns, unless f keeps it by setting c.dup to -1. Other descriptors
// are the kernel's business, but for the names that lead to real services.
func (s *Supervisor) withSocket(c *call, f func(c *call, h *hosted)) {
	dup, e := c.getfd(int(int32(c.args[0])))
	switch e {
	case 0:
	case unix.ENOENT:
		return
	case unix.EPERM:
		c.fail(unix.EPERM)
		return
	default: // EBADF, EMFILE of our own: the kernel says the same or better
		if c.secure != nil {
			c.fail(e)
			return
		}
		c.proceed()
		return
	}
	c.dup = dup
	defer func() {
		if c.dup >= 0 {
			unix.Close(c.dup)
		}
	}()
	id, ok := cookie(dup)
	if !ok && c.secure != nil {
		c.fail(unix.ENOTSOCK)
		return
	}
	if !ok {
		c.proceed()
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.byCookie[id]
	if h == nil {
		s.foreign(c)
		return
	}
	c.at = h
	h.seen(c, int(int32(c.args[0])))
	if c.replay() {
		return
	}
	if h.datagram != nil {
		h.datagram.up() // what was sent natively goes first
	}
	f(c, h)
}

// layerCall is the call as the socket layer sees it. It never waits: what has
// to wait is parked. The next one takes its place.
func (c *call) layerCall() *socket.Call {
	call := &c.layer
	if c.parked { // the one before may still be being cancelled
		call = new(socket.Call)
	}
	*call = socket.Call{Caller: c.caller, NonBlocking: true}
	switch {
	case c.secure == nil:
	case c.nr == unix.SYS_SOCKET:
		call.SID = c.secure.sids[0]
	case c.nr == unix.SYS_CONNECT:
		call.Wanted = c.secure.sids[0]
	}
	return call
}

// nameCaller gives the caller the name of the program that it is now, by which
// a host's faults may know it. Under access control lineage.go has named it.
func (c *call) nameCaller(core *socket.Core) {
	core.Lock()
	defer core.Unlock()
	if core.Faults == nil || c.target.proc.labelled {
		return
	}
	if pid, err := threadGroup(c.tid); err == nil {
		c.caller = c.caller.Fork()
		c.caller.Name = programName(pid)
	}
}

// socketcall's numbers (linux/net.h), as x86-64 calls.
var socketcalls = map[uint64]int{
	1: unix.SYS_SOCKET, 2: unix.SYS_BIND, 3: unix.SYS_CONNECT, 4: unix.SYS_LISTEN, 5: unix.SYS_ACCEPT,
	6: unix.SYS_GETSOCKNAME, 7: unix.SYS_GETPEERNAME, 9: sysSendI386, 10: sysRecvI386,
	11: unix.SYS_SENDTO, 12: unix.SYS_RECVFROM, 13: unix.SYS_SHUTDOWN, 14: unix.SYS_SETSOCKOPT,
	15: unix.SYS_GETSOCKOPT, 16: unix.SYS_SENDMSG, 17: unix.SYS_RECVMSG, 18: unix.SYS_ACCEPT4,
	19: unix.SYS_RECVMMSG, 20: unix.SYS_SENDMMSG,
}

// send(2) and recv(2) exist in socketcall(2) alone; they are left to the kernel.
const (
	sysSendI386 = -1
	sysRecvI386 = -2
)

// direct32 are the i386 numbers of calls with registers as arguments.
var direct32 = map[int]int{
	i386Socket: unix.SYS_SOCKET, i386Bind: unix.SYS_BIND, i386Connect: unix.SYS_CONNECT, i386Listen: unix.SYS_LISTEN,
	i386Accept4: unix.SYS_ACCEPT4, i386Getsockopt: unix.SYS_GETSOCKOPT, i386Setsockopt: unix.SYS_SETSOCKOPT,
	i386Getsockname: unix.SYS_GETSOCKNAME, i386Getpeername: unix.SYS_GETPEERNAME, i386Sendto: unix.SYS_SENDTO,
	i386Sendmsg: unix.SYS_SENDMSG, i386Recvfrom: unix.SYS_RECVFROM, i386Recvmsg: unix.SYS_RECVMSG,
	i386Shutdown: unix.SYS_SHUTDOWN, i386Recvmmsg: unix.SYS_RECVMMSG, i386Sendmmsg: unix.SYS_SENDMMSG,
	i386Recvmmsg64: unix.SYS_RECVMMSG, i386Ioctl: unix.SYS_IOCTL,
	i386Open: unix.SYS_OPEN, i386Openat: unix.SYS_OPENAT, unix.SYS_OPENAT2: unix.SYS_OPENAT2,
	i386Write: unix.SYS_WRITE, i386Writev: unix.SYS_WRITEV, i386Execve: unix.SYS_EXECVE, i386Execveat: unix.SYS_EXECVEAT,
}

// fromI386 translates a 32-bit program's call to the number and arguments of
// x86-64. It reports false when the call has been answered.
func (c *call) fromI386() bool {
	if c.nr != i386Socketcall {
		nr, ok := direct32[c.nr]
		if !ok {
			c.proceed()
			return false
		}
		c.time64 = c.nr == i386Recvmmsg64
		c.nr = nr
		return true
	}
	nr, ok := socketcalls[c.args[0]]
	if !ok || nr < 0 {
		c.proceed()
		return false
	}
	var b [6 * 4]byte
	n := socketcallArgs[c.args[0]]
	if e := c.read(c.args[1], b[:4*n]); e != 0 {
		c.fail(e)
		return false
	}
	c.nr = nr
	clear(c.args[:])
	for i := range n {
		c.args[i] = uint64(binary.LittleEndian.Uint32(b[4*i:]))
	}
	// socket(2) under socketcall has not passed the filter's choice of families.
	if c.nr == unix.SYS_SOCKET {
		switch c.args[0] {
		case unix.AF_INET, unix.AF_INET6, unix.AF_NETLINK:
		case unix.AF_UNIX, unix.AF_ALG:
			c.proceed()
			return false
		default:
			c.fail(unix.EAFNOSUPPORT)
			return false
		}
	}
	return true
}

// socketcallArgs is how many arguments each has (net/socket.c, nargs).
var socketcallArgs = map[uint64]int{
	1: 3, 2: 3, 3: 3, 4: 2, 5: 3, 6: 3, 7: 3, 11: 6, 12: 6, 13: 2, 14: 5, 15: 5, 16: 3, 17: 3, 18: 4, 19: 5, 20: 4,
}
