// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// What a kernel or a container lacks is said in one line; what can be done
// without is done without. Each lack is made by a filter over the supervisor.
func TestLacking(t *testing.T) {
	for _, c := range []struct {
		name   string
		call   int // that fails
		arg    int // when this argument
		value  uint32
		errno  unix.Errno
		status int
		says   string
	}{
		{"user notification", unix.SYS_SECCOMP, 0, unix.SECCOMP_GET_NOTIF_SIZES, unix.EINVAL, 125, "Linux 5.14 or later is needed"},
		{"ADDFD with SEND", unix.SYS_IOCTL, 1, unix.SECCOMP_IOCTL_NOTIF_ADDFD, unix.EINVAL, 125, "Linux 5.14 or later is needed"},
		{"pidfd_getfd", unix.SYS_PIDFD_GETFD, 2, 0, unix.EPERM, 125, "pidfd_getfd(2) is forbidden here"},
		{"SYNC_WAKE_UP", unix.SYS_IOCTL, 1, unix.SECCOMP_IOCTL_NOTIF_SET_FLAGS, unix.EINVAL, 0, "done"},
		{"PIDFD_THREAD", unix.SYS_PIDFD_OPEN, 1, unix.PIDFD_THREAD, unix.EINVAL, 0, "done"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, status := hostedLacking(t, c.call, c.arg, c.value, c.errno)
			if status != c.status || !strings.Contains(out, c.says) || strings.Count(out, "\n") != 1 {
				t.Errorf("status %d, said %q; want %d and one line with %q", status, out, c.status, c.says)
			}
		})
	}
}

func hostedLacking(t *testing.T, call, arg int, value uint32, e unix.Errno) (string, int) {
	t.Helper()
	return runRole(t, "lacking", strconv.Itoa(call), strconv.Itoa(arg), strconv.FormatUint(uint64(value), 10), strconv.Itoa(int(e)))
}

// roleLacking hosts the role "accepts" where one call fails for want of a
// newer kernel or of permission.
func roleLacking() int {
	number := func(n int) uint32 {
		v, err := strconv.ParseUint(argument(n), 10, 32)
		must(err)
		return uint32(v)
	}
	raw, err := bpf.Assemble([]bpf.Instruction{
		load(offNr),
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: number(1), SkipTrue: 3},
		load(arg(number(2))),
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: number(3), SkipTrue: 1},
		bpf.RetConstant{Val: retErrno | number(4)},
		bpf.RetConstant{Val: retAllow},
	})
	must(err)
	prog := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		prog[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	// TSYNC sets no_new_privs in the other threads, too (seccomp(2)).
	must(unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
	fprog := unix.SockFprog{Len: uint16(len(prog)), Filter: &prog[0]}
	if _, _, e := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&fprog))); e != 0 {
		panic(e)
	}
	return hostAccepts()
}

// roleAccepts makes connections on each of two threads.
func roleAccepts() int {
	makeConnections(4000)
	done := make(chan bool)
	go func() {
		lockThread()
		makeConnections(4001)
		close(done)
	}()
	<-done
	fmt.Println("done")
	return 0
}

// makeConnections makes, accepts and closes some connections, one after the other.
func makeConnections(port int) {
	l := listenOn(port, 5)
	for range 5 {
		c := stream()
		must(unix.Connect(c, &unix.SockaddrInet4{Addr: loopback, Port: port}))
		a, _, err := unix.Accept(l)
		must(err)
		must(unix.Close(c))
		must(unix.Close(a))
	}
	must(unix.Close(l))
}
