// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// callers caches one pidfd for each thread that calls. A pidfd of a thread
// that has died gives ESRCH for ever, even when its number lives again, so the
// cache mends itself. One of the thread's process, which is what there is before
// Linux 6.9, outlives the thread: so the two are compared at each call.
type callers struct {
	threads bool // the kernel has PIDFD_THREAD (6.9)
	most    int  // see mostCallers

	mu     sync.Mutex
	pidfds map[int]callerFD // by thread
}

// callerFD is a pidfd, and the process it is of where it is no thread's.
type callerFD struct{ fd, process int }

// mostCallers is how many pidfds the cache may hold, since dead threads are not
// reported: an eighth of the descriptors that we may have, and 1,024 at most.
func mostCallers() int {
	const most = 1024
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil {
		return most
	}
	return int(min(limit.Cur/8, most))
}

// pidfdThreadKnown probes pidfd_open(2) for PIDFD_THREAD.
func pidfdThreadKnown() bool {
	fd, err := unix.PidfdOpen(unix.Gettid(), unix.PIDFD_THREAD)
	if err != nil {
		return false
	}
	unix.Close(fd)
	return true
}

// getfd duplicates the descriptor fd of the thread tid. known says that the
// thread was seen before, and is certainly the same. EBADF: the thread has no
// such descriptor. EPERM: the process is shielded. ESRCH: it is gone.
func (cs *callers) getfd(tid, fd int) (dup int, known bool, err error) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if p, cached := cs.pidfds[tid]; cached {
		if cs.threads || unix.Tgkill(p.process, tid, 0) != unix.ESRCH {
			dup, err := unix.PidfdGetfd(p.fd, fd, 0)
			if err != unix.ESRCH {
				return dup, cs.threads, err
			}
		}
		cs.dropLocked(tid)
	}
	p, err := cs.addLocked(tid)
	if err != nil {
		return -1, false, err
	}
	dup, err = unix.PidfdGetfd(p.fd, fd, 0)
	return dup, false, err
}

// addLocked opens a thread's pidfd.
func (cs *callers) addLocked(tid int) (p callerFD, err error) {
	if cs.threads {
		p.fd, err = unix.PidfdOpen(tid, unix.PIDFD_THREAD)
	} else if p.process, err = threadGroup(tid); err == nil {
		p.fd, err = unix.PidfdOpen(p.process, 0)
	}
	if err != nil {
		return p, err
	}
	if len(cs.pidfds) >= cs.most {
		cs.closeLocked()
	}
	cs.pidfds[tid] = p
	return p, nil
}

func (cs *callers) dropLocked(tid int) {
	unix.Close(cs.pidfds[tid].fd)
	delete(cs.pidfds, tid)
}

func (cs *callers) close() {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.closeLocked()
}

func (cs *callers) closeLocked() {
	for _, p := range cs.pidfds {
		unix.Close(p.fd)
	}
	clear(cs.pidfds)
}

// threadGroup finds the process that a thread belongs to (proc_pid_status(5)).
func threadGroup(tid int) (int, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", tid))
	if err != nil {
		return 0, unix.ESRCH
	}
	for line := range bytes.Lines(b) {
		if rest, ok := bytes.CutPrefix(line, []byte("Tgid:")); ok {
			return strconv.Atoi(string(bytes.TrimSpace(rest)))
		}
	}
	return 0, unix.ESRCH
}

// cookie identifies the socket behind a descriptor for as long as the system
// runs; inode numbers are used again, cookies are not. ok is false for what
// is no socket.
func cookie(fd int) (c uint64, ok bool) {
	e := getsockopt(fd, unix.SO_COOKIE, unsafe.Pointer(&c), unsafe.Sizeof(c))
	return c, e == 0
}

// closeOnExec reports whether descriptor fd of the thread tid has FD_CLOEXEC,
// which a duplicate does not tell (proc_pid_fdinfo(5)).
func closeOnExec(tid, fd int) (bool, unix.Errno) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/fdinfo/%d", tid, fd))
	if err != nil {
		return false, unix.EBADF
	}
	for line := range bytes.Lines(b) {
		if rest, ok := bytes.CutPrefix(line, []byte("flags:")); ok {
			flags, err := strconv.ParseUint(string(bytes.TrimSpace(rest)), 8, 64)
			return err == nil && flags&unix.O_CLOEXEC != 0, 0
		}
	}
	return false, unix.EBADF
}
