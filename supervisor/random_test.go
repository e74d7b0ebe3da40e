// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"bytes"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"dialtone/socket"

	"golang.org/x/sys/unix"
)

// FuzzCalls hosts a program whose threads make random calls, and looks that
// nothing hangs, spins, leaks or panics. Threads race, so that a seed tells what
// is called, and not in which order.
func FuzzCalls(f *testing.F) {
	// The program reads and writes what it finds: not the pipes of the fuzz engine.
	must(unix.CloseRange(3, 1<<20, unix.CLOSE_RANGE_CLOEXEC))
	for seed := range uint64(8) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		opts := Options{NeverDirect: seed&1 != 0, Settled: seed&4 != 0}
		if seed&2 != 0 {
			opts.Explain = func(Explanation) {}
		}
		v := newVirtual(t, opts)
		v.serveEcho(t)
		before := v.usage(t)
		var out bytes.Buffer
		r, w, err := os.Pipe()
		must(err)
		target, err := v.sup.Start(Program{
			Argv:  []string{selfPath(t), strconv.FormatUint(seed, 10), v.webIP()},
			Env:   append(os.Environ(), roleVariable+"=random"),
			Stack: v.here.Stack(), Caller: socket.Caller{Caps: socket.AllCaps},
			Stdout: w, Stderr: w,
		})
		must(err)
		w.Close()
		said := make(chan struct{})
		go func() {
			defer close(said)
			_, _ = out.ReadFrom(r)
			r.Close()
		}()
		select {
		case <-target.Done():
		case <-time.After(patience):
			t.Fatalf("seed %d: the program does not end\n%s", seed, stacks())
		}
		<-said
		if status, err := target.Wait(); err != nil || status != 0 || out.String() != "ok" {
			t.Errorf("seed %d: status %d, %v: %s", seed, status, err, &out)
		}
		// What was open when the program ended is found by a harvest; then the
		// loop has nothing to do.
		var after usage
		for until := time.Now().Add(6 * time.Second); ; { // FuzzCalls itself is given 10
			if after = v.usage(t); after.atMost(before) && idle() {
				break
			}
			if time.Now().After(until) {
				t.Fatalf("seed %d: before %+v, afterwards %+v, idle %v\n%s", seed, before, after, idle(), stacks())
			}
		}
		e := v.startEcho(t)
		e.say(t, "hello", "hello")
		e.end(t)
	})
}

// usage is what a supervisor has.
type usage struct{ descriptors, goroutines, sockets, listeners int }

// atMost reports whether there is no more of anything: of what was there
// before, something may have ended.
func (u usage) atMost(before usage) bool {
	return u.descriptors <= before.descriptors && u.goroutines <= before.goroutines &&
		u.sockets <= before.sockets && u.listeners <= before.listeners
}

func (v *virtual) usage(t *testing.T) usage {
	v.sup.mu.Lock()
	defer v.sup.mu.Unlock()
	v.sup.harvest()
	return usage{
		descriptors: countFDs(t) - len(v.sup.senders.fds) - len(v.sup.envelopes.fds), // caches
		goroutines:  runtime.NumGoroutine(),
		sockets:     len(v.sup.byID) + len(v.sup.byCookie),
		listeners:   len(v.sup.listeners),
	}
}

// idle reports whether this process does next to nothing.
func idle() bool {
	began := processorTime()
	time.Sleep(20 * time.Millisecond) // the time to measure over
	return processorTime()-began < 5*time.Millisecond
}

func processorTime() time.Duration {
	var u unix.Rusage
	must(unix.Getrusage(unix.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func stacks() string {
	b := make([]byte, 1<<20)
	return string(b[:runtime.Stack(b, true)])
}
