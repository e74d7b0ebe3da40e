// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"fmt"
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
	cs := callers{most: 2, pidfds: map[int]callerFD{}}
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

// A program of many threads, one after the other, is served with few descriptors of the supervisor's own.
func TestManyThreadsFewDescriptors(t *testing.T) {
	if out, status := runRole(t, "few"); out != "done\n" || status != 0 {
		t.Errorf("status %d, %q", status, out)
	}
}

func roleFew() int {
	// What the test itself has inherited is out of the question.
	must(unix.CloseRange(3, 1<<20, unix.CLOSE_RANGE_CLOEXEC))
	must(unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 128, Max: 128}))
	return hostRole("manythreads")
}

func roleManyThreads() int {
	for i := range 200 {
		done := make(chan bool)
		go func() {
			lockThread() // it ends with its goroutine
			makeConnections(4000 + i)
			close(done)
		}()
		<-done
	}
	fmt.Println("done")
	return 0
}
