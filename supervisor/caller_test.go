// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"os"
	"os/exec"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// A thread's number that lives again in another process leads to that process's
// descriptors, with and without PIDFD_THREAD. The number is taken over by hand:
// the system gives it again when all others have been used.
func TestCallersNumberAgain(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	other := exec.Command("cat")
	stdin, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		stdin.Close()
		if err := other.Wait(); err != nil {
			t.Error(err)
		}
	}()
	f, err := os.Open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tid := unix.Gettid()
	cs := callers{pidfds: map[int]callerFD{}}
	defer cs.close()
	if dup, _, err := cs.getfd(other.Process.Pid, 0); err != nil {
		t.Fatal(err)
	} else {
		unix.Close(dup)
	}
	cs.pidfds[tid] = cs.pidfds[other.Process.Pid]
	delete(cs.pidfds, other.Process.Pid)
	for range 2 { // from the cache, too
		dup, known, err := cs.getfd(tid, int(f.Fd()))
		if err != nil {
			t.Fatal(err)
		}
		if known {
			t.Error("the thread is taken for known by its process's pidfd")
		}
		var got, want unix.Stat_t
		must(unix.Fstat(dup, &got))
		must(unix.Fstat(int(f.Fd()), &want))
		unix.Close(dup)
		if got.Ino != want.Ino || got.Dev != want.Dev {
			t.Error("the descriptor is another process's")
		}
	}
	if cs.same(tid) {
		t.Error("the thread is taken for the same by its process's pidfd")
	}
}
