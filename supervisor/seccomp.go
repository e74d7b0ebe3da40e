// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The structures of seccomp_unotify(2), which x/sys does not declare. All
// fields are in host byte order.

// seccompData is struct seccomp_data: the call as the filter sees it.
type seccompData struct {
	nr                 int32
	arch               uint32
	instructionPointer uint64
	args               [6]uint64
}

// seccompNotif is struct seccomp_notif. pid is a thread id.
type seccompNotif struct {
	id    uint64
	pid   uint32
	flags uint32
	data  seccompData
}

// seccompNotifResp is struct seccomp_notif_resp. errno is negative or 0.
type seccompNotifResp struct {
	id    uint64
	val   int64
	errno int32
	flags uint32
}

// seccompNotifAddfd is struct seccomp_notif_addfd.
type seccompNotifAddfd struct {
	id         uint64
	flags      uint32
	srcfd      uint32
	newfd      uint32
	newfdFlags uint32
}

// seccompNotifSizes is struct seccomp_notif_sizes.
type seccompNotifSizes struct {
	notif, resp, data uint16
}

// checkNotifSizes compares our structures with the running kernel's. A kernel
// may enlarge them; then it writes more than seccompNotif holds.
func checkNotifSizes() error {
	var s seccompNotifSizes
	_, _, e := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_NOTIF_SIZES, 0, uintptr(unsafe.Pointer(&s)))
	if e != 0 {
		return fmt.Errorf("this kernel has no seccomp user notification (seccomp(SECCOMP_GET_NOTIF_SIZES): %w); Linux 5.14 or later is needed", e)
	}
	want := seccompNotifSizes{
		notif: uint16(unsafe.Sizeof(seccompNotif{})),
		resp:  uint16(unsafe.Sizeof(seccompNotifResp{})),
		data:  uint16(unsafe.Sizeof(seccompData{})),
	}
	if s != want {
		return fmt.Errorf("this kernel's seccomp structures have other sizes (%+v) than those known here (%+v)", s, want)
	}
	return nil
}

// listener is the descriptor on which the kernel reports a target's calls.
type listener struct {
	fd int
}

func (l listener) ioctl(req uint, arg unsafe.Pointer) (int, unix.Errno) {
	n, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(l.fd), uintptr(req), uintptr(arg))
	return int(n), e
}

// ioctlNow is ioctl for requests that never wait, which the Go scheduler need
// not hear of.
func (l listener) ioctlNow(req uint, arg unsafe.Pointer) unix.Errno {
	_, _, e := unix.RawSyscall(unix.SYS_IOCTL, uintptr(l.fd), uintptr(req), uintptr(arg))
	return e
}

// recv waits for the next call. ENOENT: the caller was killed meanwhile, or no
// process with this filter is left. EINTR: a signal reached this thread.
func (l listener) recv(n *seccompNotif) unix.Errno {
	*n = seccompNotif{} // the kernel insists on zeroes
	_, e := l.ioctl(unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(n))
	return e
}

// answer makes the call return val, or fail with errno when that is not 0.
// ENOENT: the call was interrupted or its caller is gone.
func (l listener) answer(id uint64, val int64, errno unix.Errno) unix.Errno {
	r := seccompNotifResp{id: id, val: val, errno: -int32(errno)}
	if errno != 0 {
		r.val = 0
	}
	return l.ioctlNow(unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&r))
}

// proceed lets the kernel carry the call out itself.
func (l listener) proceed(id uint64) unix.Errno {
	r := seccompNotifResp{id: id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
	return l.ioctlNow(unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&r))
}

// valid reports whether the call still waits for its answer.
func (l listener) valid(id uint64) bool {
	return l.ioctlNow(unix.SECCOMP_IOCTL_NOTIF_ID_VALID, unsafe.Pointer(&id)) == 0
}

// addFD puts a copy of fd into the target's table and makes the call return
// its number there. cloexec is the new descriptor's FD_CLOEXEC; O_NONBLOCK
// belongs to the description and must be set on fd before.
//
// A signal that reaches the calling thread in here makes the target's call
// return 0 with the descriptor nowhere, and the Go runtime sends SIGURG at
// will: so signals must be blocked in the thread; see signals.go.
func (l listener) addFD(id uint64, fd int, cloexec bool) (int, unix.Errno) {
	a := seccompNotifAddfd{id: id, flags: unix.SECCOMP_ADDFD_FLAG_SEND, srcfd: uint32(fd)}
	if cloexec {
		a.newfdFlags = unix.O_CLOEXEC
	}
	return l.ioctl(unix.SECCOMP_IOCTL_NOTIF_ADDFD, unsafe.Pointer(&a))
}

// replaceFD puts a copy of fd under the number at in the target's table, as
// dup2(2) does, without answering the call. Signals as in addFD.
func (l listener) replaceFD(id uint64, fd, at int, cloexec bool) unix.Errno {
	a := seccompNotifAddfd{id: id, flags: unix.SECCOMP_ADDFD_FLAG_SETFD, srcfd: uint32(fd), newfd: uint32(at)}
	if cloexec {
		a.newfdFlags = unix.O_CLOEXEC
	}
	_, e := l.ioctl(unix.SECCOMP_IOCTL_NOTIF_ADDFD, unsafe.Pointer(&a))
	return e
}

// addFDSendKnown reports whether the kernel knows ADDFD with SEND (5.14): it
// checks the flags before it looks for the call, so that a call that can't
// exist tells the two apart.
func (l listener) addFDSendKnown() bool {
	_, e := l.addFD(0, l.fd, true)
	return e == unix.ENOENT
}

// syncWakeUp asks the kernel to wake the supervisor on the caller's own core
// (Linux 6.6; six times faster). Older kernels answer EINVAL and do without.
func (l listener) syncWakeUp() unix.Errno {
	_, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(l.fd), unix.SECCOMP_IOCTL_NOTIF_SET_FLAGS, unix.SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP)
	return e
}
