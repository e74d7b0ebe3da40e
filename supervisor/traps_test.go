// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// injectUnix answers socket(2) with an AF_UNIX socket of the same type, and
// leaves everything else to the kernel.
func injectUnix(c *call) {
	if c.nr != unix.SYS_SOCKET {
		c.proceed()
		return
	}
	const flags = unix.SOCK_CLOEXEC | unix.SOCK_NONBLOCK
	fd, err := unix.Socket(unix.AF_UNIX, int(c.args[1])&^flags|int(c.args[1])&unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		c.fail(err.(unix.Errno))
		return
	}
	defer unix.Close(fd)
	if _, e := c.target.proc.listener.addFD(c.id, fd, c.args[1]&unix.SOCK_CLOEXEC != 0); e != 0 {
		c.fail(e)
	}
}

// hostedRole starts a role with the given serve, runs during while it lives,
// and returns what it printed.
func hostedRole(t *testing.T, serve func(*call), role string, during func(*Target)) string {
	t.Helper()
	s := newSupervisor(t)
	s.serve = serve
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	target, err := s.Start(Program{
		Argv: []string{selfPath(t)}, Env: append(os.Environ(), roleVariable+"="+role), Stdout: w, Stderr: os.Stderr,
	})
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	if during != nil {
		during(target)
	}
	var out strings.Builder
	buf := make([]byte, 4096)
	for {
		n, err := r.Read(buf)
		out.Write(buf[:n])
		if err != nil {
			break
		}
	}
	if _, err := target.Wait(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// A signal that reaches the supervisor's thread inside ADDFD with SEND makes
// socket(2) return 0 in the target. The Go runtime sends SIGURG at any time.
func TestAddFDUnderSignals(t *testing.T) {
	stop := make(chan struct{})
	var storm sync.WaitGroup
	out := hostedRole(t, injectUnix, "sockets", func(target *Target) {
		for range 2 {
			storm.Go(func() {
				for {
					select {
					case <-stop:
						return
					case <-target.Done():
						return
					default:
						if tid := target.reader.Load(); tid != 0 {
							_ = unix.Tgkill(os.Getpid(), int(tid), unix.SIGURG) // ESRCH: the reader has ended
						}
					}
				}
			})
		}
	})
	close(stop)
	storm.Wait()
	if out != "ok" {
		t.Errorf("the target says %q", out)
	}
}

// roleSockets makes sockets and looks at each.
func roleSockets() int {
	for i := range 3000 {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil || fd < 3 {
			fmt.Printf("socket %d: descriptor %d, %v", i, fd, err)
			return 1
		}
		if family, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE); err != nil || family != unix.SOCK_STREAM {
			fmt.Printf("socket %d is none: %v", i, err)
			return 1
		}
		if err := unix.Close(fd); err != nil {
			fmt.Printf("close %d: %v", i, err)
			return 1
		}
	}
	fmt.Print("ok")
	return 0
}

// ADDFD knows O_CLOEXEC alone; O_NONBLOCK is set on the description before.
func TestAddFDFlags(t *testing.T) {
	if out := hostedRole(t, injectUnix, "flags", nil); out != "00 01 10 11" {
		t.Errorf("cloexec and nonblock of four sockets: %s", out)
	}
}

func roleFlags() int {
	var out []string
	for _, f := range []int{0, unix.SOCK_NONBLOCK, unix.SOCK_CLOEXEC, unix.SOCK_CLOEXEC | unix.SOCK_NONBLOCK} {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|f, 0)
		must(err)
		fdFlags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		must(err)
		status, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
		must(err)
		out = append(out, fmt.Sprintf("%d%d", fdFlags&unix.FD_CLOEXEC, status/unix.O_NONBLOCK&1))
	}
	fmt.Print(strings.Join(out, " "))
	return 0
}

// A target without a free descriptor: ADDFD fails, and the call can still be
// answered.
func TestAddFDWithoutFreeDescriptor(t *testing.T) {
	if out := hostedRole(t, injectUnix, "emfile", nil); out != unix.EMFILE.Error() {
		t.Errorf("socket: %q, want EMFILE", out)
	}
}

func roleEmfile() int {
	must(unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 3, Max: 3}))
	_, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	fmt.Print(err)
	return 0
}

// replaceFD puts another socket under a number, as dup2 does; descriptors
// duplicated before keep the old one.
func TestReplaceFD(t *testing.T) {
	serve := func(c *call) {
		if c.nr != unix.SYS_CONNECT {
			injectUnix(c)
			return
		}
		fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		must(err)
		defer unix.Close(fd)
		if e := c.target.proc.listener.replaceFD(c.id, fd, int(c.args[0]), true); e != 0 {
			t.Errorf("SETFD: %v", e)
		}
		c.succeed(0)
	}
	if out := hostedRole(t, serve, "replace", nil); out != "2 1" {
		t.Errorf("types under the number and its duplicate: %q", out)
	}
}

func roleReplace() int {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	must(err)
	dup, err := unix.Dup(fd)
	must(err)
	must(unix.Connect(fd, &unix.SockaddrInet4{}))
	a, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	must(err)
	b, err := unix.GetsockoptInt(dup, unix.SOL_SOCKET, unix.SO_TYPE)
	must(err)
	fmt.Print(a, b)
	return 0
}

// parkConnects parks every connect until it is cancelled; the nth call of a
// thread answers instead.
func parkConnects(cancelled chan<- int, answerFrom int32) func(*call) {
	var connects atomic.Int32
	return func(c *call) {
		if c.nr != unix.SYS_CONNECT {
			injectUnix(c)
			return
		}
		if connects.Add(1) >= answerFrom {
			c.succeed(0)
			return
		}
		tid := c.tid
		c.park(func(ctx context.Context) {
			<-ctx.Done()
			if c.succeed(0) {
				tid = -1 // a call that nobody waits for must not be answerable
			}
			cancelled <- tid
		})
	}
}

// A signal with SA_RESTART ends the parked call and brings a new one; so do
// SIGSTOP and SIGCONT. The old one cannot be answered any more.
func TestSignalCancelsParkedCall(t *testing.T) {
	for _, c := range []struct {
		name    string
		signals []unix.Signal
	}{
		{"SA_RESTART", []unix.Signal{unix.SIGUSR1}},
		{"SIGSTOP and SIGCONT", []unix.Signal{unix.SIGSTOP, unix.SIGCONT}},
	} {
		cancelled := make(chan int, 1)
		serve := parkConnects(cancelled, 2)
		parked := make(chan int, 2) // thread ids
		out := hostedRole(t, func(c *call) {
			serve(c)
			if c.nr == unix.SYS_CONNECT {
				parked <- c.tid
			}
		}, "connect", func(target *Target) {
			tid := <-parked
			for _, s := range c.signals {
				if err := unix.Tgkill(target.proc.shim, tid, s); err != nil {
					t.Error(err)
				}
			}
		})
		if out != "connected" {
			t.Errorf("%s: the target says %q", c.name, out)
		}
		if tid := <-cancelled; tid < 0 {
			t.Errorf("%s: the interrupted call was answered", c.name)
		}
	}
}

// roleConnect connects once. It handles SIGUSR1 with SA_RESTART, as every Go
// program does.
func roleConnect() int {
	watchSignal(unix.SIGUSR1)
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	must(err)
	must(unix.Connect(fd, &unix.SockaddrInet4{}))
	fmt.Print("connected")
	return 0
}

// A target that is killed while it waits: the wait is cancelled.
func TestKillCancelsParkedCall(t *testing.T) {
	cancelled := make(chan int, 1)
	serve := parkConnects(cancelled, 2)
	out := hostedRole(t, func(c *call) {
		serve(c)
		if c.nr == unix.SYS_CONNECT {
			if err := c.target.Signal(unix.SIGKILL); err != nil {
				t.Error(err)
			}
		}
	}, "connect", nil)
	if tid := <-cancelled; tid < 0 || out != "" {
		t.Errorf("answered: %t, output %q", tid < 0, out)
	}
}

// One reader serves many threads and processes, and tells them apart by their
// thread ids.
func TestManyThreads(t *testing.T) {
	var mu sync.Mutex
	threads := map[int]int{}
	out := hostedRole(t, func(c *call) {
		if c.nr == unix.SYS_GETPEERNAME {
			mu.Lock()
			threads[c.tid]++
			mu.Unlock()
			c.succeed(int64(c.tid))
			return
		}
		c.proceed()
	}, "threads", nil)
	if out != "ok" {
		t.Errorf("the target says %q", out)
	}
	if len(threads) < 16 {
		t.Errorf("%d thread ids seen, want 16 at least", len(threads))
	}
}

func roleThreads() int {
	var wg sync.WaitGroup
	var wrong atomic.Int32
	for range 16 {
		wg.Go(func() {
			lockThread()
			for range 500 {
				got, _, e := unix.Syscall(unix.SYS_GETPEERNAME, 0, 0, 0)
				if e != 0 || int(got) != unix.Gettid() {
					wrong.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if n := wrong.Load(); n != 0 {
		fmt.Printf("%d calls got another thread's answer", n)
		return 1
	}
	fmt.Print("ok")
	return 0
}

// PR_SET_DUMPABLE answers 0 and does nothing: the target stays reachable.
func TestStaysDumpable(t *testing.T) {
	if out := hostedRole(t, injectUnix, "dumpable", nil); out != "0 1" {
		t.Errorf("prctl and dumpable: %q", out)
	}
}

func roleDumpable() int {
	set := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
	got, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	must(err)
	if set != nil {
		fmt.Print(set)
	}
	fmt.Print("0 ", got)
	return 0
}

// Memory is read and written as the caller sees it, across unmapped borders
// with EFAULT, and not at all once the call is gone.
func TestMemory(t *testing.T) {
	results := make(chan string, 1)
	out := hostedRole(t, func(c *call) {
		if c.nr != unix.SYS_CONNECT {
			injectUnix(c)
			return
		}
		b := make([]byte, 8)
		readErr := c.read(c.args[1], b)
		writeErr := c.write(c.args[1], []byte("answered"))
		far := c.write(c.args[1]+4092, []byte("12345678")) // 4 bytes past the mapping
		null := c.read(0, b[:1])
		c.succeed(0)
		late := c.read(c.args[1], make([]byte, 1))
		results <- fmt.Sprintf("%s %v %v %v %v %v", b, readErr, writeErr, far, null, late)
	}, "memory", nil)
	want := fmt.Sprintf("question %v %v %v %v %v", unix.Errno(0), unix.Errno(0), unix.EFAULT, unix.EFAULT, unix.ENOENT)
	if got := <-results; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if out != "answered" {
		t.Errorf("the target reads %q", out)
	}
}

func roleMemory() int {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	must(err)
	// Two pages, the second taken away again: what lies behind is unmapped.
	mem, err := unix.Mmap(-1, 0, 8192, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	must(err)
	must(unix.Mprotect(mem[4096:], unix.PROT_NONE))
	copy(mem, "question")
	_, _, e := unix.Syscall(unix.SYS_CONNECT, uintptr(fd), addressOf(mem), 8)
	if e != 0 {
		fmt.Print(e)
		return 1
	}
	fmt.Print(string(mem[:8]))
	return 0
}
