// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Under each descriptor of an emulated socket lies an AF_UNIX socket of the
// same type. T is the target's end, S ours. A dup is a duplicate of T's
// descriptor, made for one call: as long as one is held, T does not close.

// nativeSocket makes an AF_UNIX socket of the type, with SOCK_NONBLOCK or without.
func nativeSocket(typ int) (int, unix.Errno) {
	fd, err := unix.Socket(unix.AF_UNIX, typ|unix.SOCK_CLOEXEC, 0)
	return fd, errnoOf(err)
}

// errnoOf returns the errno in an error of package unix; 0 for nil.
func errnoOf(err error) unix.Errno {
	if err == nil {
		return 0
	}
	return err.(unix.Errno)
}

// abstract is the sockaddr_un of an abstract name, given without the leading
// NUL byte (unix(7)).
type abstract struct {
	sun unix.RawSockaddrUnix
	len uintptr
}

func newAbstract(name string) (a abstract) {
	a.sun.Family = unix.AF_UNIX
	for i := range len(name) {
		a.sun.Path[1+i] = int8(name[i])
	}
	a.len = unsafe.Offsetof(a.sun.Path) + 1 + uintptr(len(name))
	return a
}

// bindNative binds a native socket to an abstract name.
func bindNative(fd int, name string) unix.Errno {
	a := newAbstract(name)
	_, _, e := unix.RawSyscall(unix.SYS_BIND, uintptr(fd), uintptr(unsafe.Pointer(&a.sun)), a.len)
	return e
}

// connectNative connects a native socket to an abstract name. T may be of the
// blocking sort: the listener's queue has room for all that the virtual one
// admits, so that it never waits.
func connectNative(fd int, name string) unix.Errno {
	a := newAbstract(name)
	for {
		_, _, e := unix.Syscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&a.sun)), a.len)
		if e != unix.EINTR {
			return e
		}
	}
}

// acceptNative accepts; flags are accept4(2)'s beside SOCK_CLOEXEC.
func acceptNative(fd, flags int) (int, unix.Errno) {
	n, _, e := unix.Syscall6(unix.SYS_ACCEPT4, uintptr(fd), 0, 0, uintptr(unix.SOCK_CLOEXEC|flags), 0, 0)
	return int(n), e
}

// receive reads from a native socket, without waiting.
func receive(fd int, b []byte) (int, unix.Errno) {
	n, _, e := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), unix.MSG_DONTWAIT, 0, 0)
	return int(n), e
}

// disconnectNative is connect(2) to AF_UNSPEC, of datagram sockets.
func disconnectNative(fd int) unix.Errno {
	_, _, e := unix.Syscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&unspec)), uintptr(len(unspec)))
	return e
}

// connectedByUs reports whether an accepted socket's other end was connected by
// this process, be it on a target's behalf (SO_PEERCRED, unix(7)). It tells
// those apart who found an abstract name, which every local process sees.
func connectedByUs(fd int) bool {
	var cred unix.Ucred
	e := getsockopt(fd, unix.SO_PEERCRED, unsafe.Pointer(&cred), unsafe.Sizeof(cred))
	return e == 0 && int(cred.Pid) == ownPID
}

var ownPID = os.Getpid()

// getsockopt reads an option of SOL_SOCKET.
func getsockopt(fd, option int, value unsafe.Pointer, size uintptr) unix.Errno {
	n := uint32(size)
	_, _, e := unix.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, uintptr(option),
		uintptr(value), uintptr(unsafe.Pointer(&n)), 0)
	return e
}

// abstractName returns an abstract name without its leading NUL byte; "" for
// other addresses.
func abstractName(sa unix.Sockaddr) string {
	u, ok := sa.(*unix.SockaddrUnix)
	if !ok || len(u.Name) == 0 || u.Name[0] != '@' {
		return ""
	}
	return u.Name[1:]
}

// fill stuffs a stream's send queue, so that its end polls not writable. It returns how many bytes that took.
func fill(fd int) (filled int) {
	junk := make([]byte, 64<<10)
	for {
		n, err := unix.SendmsgN(fd, junk, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		if err != nil {
			return filled // EAGAIN
		}
		filled += n
	}
}

// drain reads what fill has written from the other end, and nothing more: the
// target may write as soon as there is room.
func drain(fd, filled int) {
	buf := make([]byte, 64<<10)
	for filled > 0 {
		n, _, err := unix.Recvfrom(fd, buf[:min(filled, len(buf))], unix.MSG_DONTWAIT)
		if err != nil || n == 0 {
			return // the target has closed its end
		}
		filled -= n
	}
}

// nonBlocking reports whether O_NONBLOCK is set on the description.
func nonBlocking(fd int) bool {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	return err == nil && flags&unix.O_NONBLOCK != 0
}

// shutReceive reports whether shutdown(2) has ended what can be read of a datagram socket.
func shutReceive(fd int) bool {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n == 1 && fds[0].Revents&unix.POLLRDHUP != 0
}

// takeNativeError reads and clears the error that the kernel holds for fd.
func takeNativeError(fd int) unix.Errno {
	n, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return 0
	}
	return unix.Errno(n)
}

// unspec is a sockaddr with AF_UNSPEC: two zero bytes.
var unspec [2]byte
