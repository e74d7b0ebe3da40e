// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package kernelarm

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// agentVariable is set in the environment of child processes, to the directory that becomes their root.
const agentVariable = "DIALTONE_CONFORMANCE_ROOT"

// Serve must be called at the start of a program that uses this package. In a child process of the arm it makes the
// calls that it is told to make, and never returns; else it does nothing.
func Serve() {
	root := os.Getenv(agentVariable)
	if root == "" {
		return
	}
	if err := serve(root); err != nil {
		fmt.Fprintln(os.Stderr, "conformance process:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// agent is a child process, from inside.
type agent struct {
	mu    sync.Mutex // held while a reply is written, and for what says so
	out   *json.Encoder
	calls map[int]*running
	// interrupted gets a value each time that the handler of a signal has run.
	interrupted chan os.Signal
	user        credentials    // of the calls to come; guarded by mu
	pty         int            // for descriptor(pty)
	names       map[int]string // of descriptors, by epoll_ctl; guarded by mu
}

// running is a call that has been started.
type running struct {
	tid  int
	done chan struct{} // closed when it has returned
}

func serve(root string) error {
	// A host's tree has no /dev; this is for "descriptor(pty)", and -1 where there is no /dev/ptmx at all.
	pty, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		pty = -1
	}
	if err := unix.Chroot(root); err != nil {
		return fmt.Errorf("chroot: %w", err)
	}
	if err := unix.Chdir("/"); err != nil {
		return err
	}
	unix.Umask(0o022)
	a := &agent{
		out: json.NewEncoder(os.Stdout), calls: map[int]*running{}, interrupted: make(chan os.Signal, 16),
		pty: pty,
	}
	if err := a.installHandlers(); err != nil {
		return err
	}
	in := json.NewDecoder(os.Stdin)
	for {
		var r request
		if err := in.Decode(&r); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := a.handle(r); err != nil {
			return err
		}
	}
}

// The signals of "interrupt": the handler of one has SA_RESTART, that of the other has not.
const (
	signalRestart = unix.SIGUSR1
	signalPlain   = unix.SIGUSR2
)

// installHandlers has the runtime install its handlers, all of which have SA_RESTART, and takes it from one.
func (a *agent) installHandlers() error {
	signal.Notify(a.interrupted, signalRestart, signalPlain)
	var action struct { // struct sigaction of the system call
		handler, flags, restorer uintptr
		mask                     uint64
	}
	const saRestart = 0x10000000
	if _, _, e := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(signalPlain), 0,
		uintptr(unsafe.Pointer(&action)), 8, 0, 0); e != 0 {
		return fmt.Errorf("rt_sigaction: %w", e)
	}
	action.flags &^= saRestart
	if _, _, e := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(signalPlain),
		uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0); e != 0 {
		return fmt.Errorf("rt_sigaction: %w", e)
	}
	return nil
}

func (a *agent) handle(r request) error {
	switch r.Op {
	case opCall:
		return a.call(r)
	case opBlocked:
		return a.reply(reply{ID: r.ID, Blocked: !a.calls[r.Target].returned()})
	case opInterrupt:
		sig := signalPlain
		if r.Restart {
			sig = signalRestart
		}
		c := a.calls[r.Target]
		if c.returned() {
			return a.reply(reply{ID: r.ID}) // too late to interrupt; the answer says so
		}
		if err := unix.Tgkill(unix.Getpid(), c.tid, sig); err != nil {
			return a.reply(reply{ID: r.ID, Err: err.Error()})
		}
		<-a.interrupted
		return a.reply(reply{ID: r.ID})
	}
	return fmt.Errorf("unknown operation %q", r.Op)
}

func (a *agent) reply(r reply) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.out.Encode(r)
}

// call runs a call on a thread of its own and replies twice: when it waits or has returned, and when it has returned.
func (a *agent) call(r request) error {
	c := &running{done: make(chan struct{})}
	a.calls[r.ID] = c
	began := make(chan int)
	a.mu.Lock()
	user := a.user
	a.mu.Unlock()
	result := reply{ID: r.ID}
	go func() {
		runtime.LockOSThread() // never unlocked: the thread has the credentials of the caller
		defer close(c.done)
		if err := user.assume(); err != nil {
			began <- unix.Gettid()
			result.Err = err.Error()
			return
		}
		began <- unix.Gettid()
		a.perform(r, &result)
	}()
	c.tid = <-began
	for !c.returned() && !waits(c.tid) {
		time.Sleep(50 * time.Microsecond) // a look at the thread, not a wait for it: see waits
	}
	if err := a.reply(reply{ID: r.ID, Settled: true}); err != nil {
		return err
	}
	if c.returned() {
		return a.reply(result)
	}
	go func() {
		<-c.done
		if err := a.reply(result); err != nil {
			fmt.Fprintln(os.Stderr, "conformance process:", err)
			os.Exit(1)
		}
	}()
	return nil
}

func (c *running) returned() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// waits says whether a thread sleeps in a system call other than futex(2), which is how the Go runtime parks threads:
// proc(5), /proc/pid/syscall begins with the number of the call, or is "running".
func waits(tid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/syscall", tid))
	if err != nil {
		return false
	}
	number, _, _ := strings.Cut(string(b), " ")
	n, err := strconv.Atoi(strings.TrimSpace(number))
	return err == nil && n >= 0 && n != unix.SYS_FUTEX
}
