// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// ADDFD bears no signal in the calling thread; see listener.addFD. A reader has
// them blocked all its life, since two sigprocmask(2) around each descriptor
// would be a tenth of its cost (so profiles by SIGPROF don't show it); a parked
// call blocks them when it needs to.

// wakeSignal brings a reader back from the kernel: of the real-time signals,
// which nobody else sends, and which the Go runtime ignores unless asked.
const wakeSignal = unix.Signal(63)

// quietSignals are all but those that an instruction raises: blocked, they
// would end the process without a word.
func quietSignals() (set unix.Sigset_t) {
	for i := range set.Val {
		set.Val[i] = ^uint64(0)
	}
	for _, s := range []unix.Signal{unix.SIGSEGV, unix.SIGBUS, unix.SIGFPE, unix.SIGILL, unix.SIGTRAP} {
		without(&set, s)
	}
	return set
}

func without(set *unix.Sigset_t, s unix.Signal) { set.Val[0] &^= 1 << (s - 1) }

// blockSignals locks the goroutine to its thread, in which the signals of set
// are blocked from now on, and returns what undoes both.
func blockSignals(set unix.Sigset_t) (undo func()) {
	runtime.LockOSThread()
	var old unix.Sigset_t
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &set, &old); err != nil {
		panic(err) // EINVAL or EFAULT: the arguments above are wrong
	}
	return func() {
		if err := unix.PthreadSigmask(unix.SIG_SETMASK, &old, nil); err != nil {
			panic(err)
		}
		runtime.UnlockOSThread()
	}
}

// addFD hands fd to the caller as the call's answer; see [listener.addFD].
func (c *call) addFD(fd int, cloexec bool) (int, unix.Errno) {
	if c.parked {
		defer blockSignals(quietSignals())()
	}
	return c.target.proc.listener.addFD(c.id, fd, cloexec)
}

// replaceFD puts fd under one of the caller's numbers; see [listener.replaceFD].
func (c *call) replaceFD(fd, at int, cloexec bool) unix.Errno {
	if c.parked {
		defer blockSignals(quietSignals())()
	}
	return c.target.proc.listener.replaceFD(c.id, fd, at, cloexec)
}
