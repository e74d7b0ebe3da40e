// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// The keeper and the supervisor speak over a SOCK_SEQPACKET pair. Downwards a
// message is one byte, a signal for the target; end of file means: the
// supervisor is done or dead, end everything. Upwards there is one message,
// the target's wait status in four bytes, host order.

// keeper is the parent of the target and, as child subreaper, of everything
// that the target leaves behind.
type keeper struct {
	control int
	target  int

	mu     sync.Mutex
	reaped bool // the target's pid may belong to another process
	ending bool // end every descendant
}

// keeperMain is the life of the keeper. args: the control and the start
// descriptor, then what the shim is to know.
func keeperMain(args []string) int {
	k := keeper{}
	var start int
	if _, err := fmt.Sscan(args[0]+" "+args[1], &k.control, &start); err != nil {
		return 125
	}
	unix.CloseOnExec(k.control)
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return k.giveUp(start, fmt.Errorf("prctl(PR_SET_CHILD_SUBREAPER): %w", err))
	}
	inherited, err := inheritedFiles()
	if err != nil {
		return k.giveUp(start, err)
	}
	k.target, err = syscall.ForkExec("/proc/self/exe", append([]string{shimName}, args[1:]...), &syscall.ProcAttr{
		Env:   os.Environ(),
		Files: inherited, // the start descriptor is among them
		Sys:   &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL},
	})
	if err != nil {
		return k.giveUp(start, fmt.Errorf("start the shim: %w", err))
	}
	k.letGo(inherited)
	go k.listen()
	k.reap()
	select {} // until listen sees the supervisor go
}

func (k *keeper) giveUp(start int, err error) int {
	reportFailure(start, 125, err)
	return 125
}

// letGo drops what belongs to the target: a pipe must end when the target
// closes it, a directory must be removable when the target has left it.
func (k *keeper) letGo(inherited []uintptr) {
	null, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	for fd, f := range inherited {
		switch {
		case f == noFile:
		case fd <= 2 && err == nil:
			_ = unix.Dup2(null, fd) // onto an open descriptor: cannot fail
		default:
			_ = unix.Close(fd)
		}
	}
	_ = unix.Chdir("/")
}

// listen passes signals on, and ends the process when the supervisor is gone.
func (k *keeper) listen() {
	buf := make([]byte, 1)
	for {
		n, err := unix.Read(k.control, buf)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n == 0 {
			break
		}
		k.mu.Lock()
		if !k.reaped {
			_ = unix.Kill(k.target, unix.Signal(buf[0])) // EPERM, ESRCH: as kill(1) on the program itself
		}
		k.mu.Unlock()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ending = true
	k.killChildren()
	if k.childless() {
		os.Exit(0)
	}
}

// childless reports whether no child is left, without reaping one. With the
// lock held what was reaped has been told.
func (k *keeper) childless() bool {
	err := unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	return err == unix.ECHILD
}

// reap waits for every child, own or inherited. Once the end has come, each
// death leaves orphans to us, which are killed in turn: when the last child is
// reaped, no descendant is left.
func (k *keeper) reap() {
	for {
		var ws unix.WaitStatus
		// WNOWAIT first: while the zombie stands, its pid is nobody else's,
		// and listen must not signal it once it is freed.
		var info unix.Siginfo
		err := unix.Waitid(unix.P_ALL, 0, &info, unix.WEXITED|unix.WNOWAIT, nil)
		if err == unix.EINTR {
			continue
		}
		k.mu.Lock()
		if err != nil { // ECHILD
			ending := k.ending
			k.mu.Unlock()
			if ending {
				os.Exit(0)
			}
			return
		}
		pid, err := unix.Wait4(-1, &ws, unix.WNOHANG, nil)
		if err == nil && pid == k.target && !k.reaped {
			k.reaped = true
			var b [4]byte
			binary.NativeEndian.PutUint32(b[:], uint32(ws))
			_, _ = unix.Write(k.control, b[:]) // EPIPE: listen sees the same
		}
		if k.ending {
			k.killChildren()
		}
		k.mu.Unlock()
	}
}

// killChildren kills the processes whose parent we are.
func (k *keeper) killChildren() {
	procs, err := os.ReadDir("/proc")
	if err != nil {
		return // no /proc, no pidfd_getfd by number either: nothing was started
	}
	self := os.Getpid()
	for _, p := range procs {
		pid, err := strconv.Atoi(p.Name())
		if err == nil && parentOf(pid) == self {
			_ = unix.Kill(pid, unix.SIGKILL) // ESRCH: it is already gone
		}
	}
}

// parentOf reads a process's parent from /proc/PID/stat (proc_pid_stat(5)); 0
// when there is no such process.
func parentOf(pid int) int {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// "pid (name) state ppid …"; the name may hold anything, ')' too.
	f := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(f) < 2 {
		return 0
	}
	ppid, err := strconv.Atoi(string(f[1]))
	if err != nil {
		return 0
	}
	return ppid
}
