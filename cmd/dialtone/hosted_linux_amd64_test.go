// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"dialtone/scenario"
	"dialtone/supervisor"
)

// TestHosted runs the scripts that host programs.
func TestHosted(t *testing.T) {
	needHosting(t)
	runScripts(t, "hosted")
}

func init() {
	programs["nobody"] = nobodyProgram
	programs["talk"] = talkProgram
	programs["outlive"] = outliveProgram
}

// outliveProgram speaks to a server until the connection breaks, and connects again: outlive ADDRESS.
func outliveProgram() {
	giveUp := time.Now().Add(time.Minute)
	connect := func() net.Conn {
		for {
			c, err := net.Dial("tcp4", os.Args[1])
			if err == nil {
				return c
			}
			if time.Now().After(giveUp) {
				panic(err)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	c := connect()
	must(c.SetReadDeadline(giveUp))
	go func() {
		for { // the end of a request that never comes
			if _, err := c.Write([]byte("x")); err != nil {
				return // which the reader hears, too
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	_, err := c.Read(make([]byte, 1))
	fmt.Println(err)
	connect()
	fmt.Println("connected again")
	os.Exit(0)
}

// talkProgram connects to an echo server many times, and each time speaks as soon as it can: talk IPV4 PORT.
func talkProgram() {
	to := &unix.SockaddrInet4{Addr: netip.MustParseAddr(os.Args[1]).As4()}
	port, err := strconv.Atoi(os.Args[2])
	must(err)
	to.Port = port
	for range 100 {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
		must(err)
		if err := unix.Connect(fd, to); err != unix.EINPROGRESS {
			must(err)
		}
		for err = unix.EAGAIN; err == unix.EAGAIN; {
			_, err = unix.Write(fd, []byte("hello"))
		}
		must(err)
		must(unix.SetNonblock(fd, false))
		must(unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 10}))
		answer := make([]byte, 5)
		if n, err := unix.Read(fd, answer); err != nil || string(answer[:n]) != "hello" {
			panic(fmt.Sprintf("%q, %v", answer[:n], err))
		}
		must(unix.Close(fd))
	}
}

// nobodyProgram runs dialtone as an unprivileged user without any capability: nobody ARG... Where it is that already, so be
// it.
func nobodyProgram() {
	runtime.LockOSThread() // the calls below are this thread's alone, and so the exec's
	if os.Geteuid() == 0 {
		for capability := uintptr(0); capability <= unix.CAP_LAST_CAP; capability++ {
			must(unix.Prctl(unix.PR_CAPBSET_DROP, capability, 0, 0, 0))
		}
		const nobody = 65534
		for _, call := range []struct{ number, first, second uintptr }{
			{unix.SYS_SETGROUPS, 0, 0}, {unix.SYS_SETGID, nobody, 0}, {unix.SYS_SETUID, nobody, 0},
		} {
			if _, _, e := unix.RawSyscall(call.number, call.first, call.second, 0); e != 0 {
				must(e)
			}
		}
	}
	must(syscall.Exec("/proc/self/exe", append([]string{"dialtone"}, os.Args[1:]...), os.Environ()))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// TestStubbornProgram ignores SIGTERM, and is killed: once its time is over, or at the second signal.
func TestStubbornProgram(t *testing.T) {
	needHosting(t)
	file := filepath.Join(t.TempDir(), "stubborn.yaml")
	const text = `
hosts: {a.test: {}}
programs:
  - {host: a.test, command: [sh, -c, "trap '' TERM; echo ready; while :; do sleep 1; done"]}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		signals int
		grace   time.Duration
	}{{1, 10 * time.Millisecond}, {2, time.Hour}} {
		var stderr bytes.Buffer
		signals := make(chan os.Signal, test.signals)
		out := &output{stderr: &stderr, stdout: onWrite(func() {
			for range test.signals {
				signals <- unix.SIGTERM
			}
		})}
		s, err := loadScenario(file)
		if err != nil {
			t.Fatal(err)
		}
		h, err := openHosting(s, &explainFlags{}, out)
		if err != nil {
			t.Fatal(err)
		}
		g := &group{hosting: h, out: &lines{out: out}, ends: make(chan end), grace: test.grace}
		if status := g.run(h.scenario.Programs(), signals); status != 128+int(unix.SIGTERM) {
			t.Errorf("%d signals: exit status %d", test.signals, status)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		if stderr.Len() > 0 {
			t.Errorf("%d signals, unasked: %s", test.signals, stderr.String())
		}
	}
}

// TestNobodyReadsTheExplanation closes the pipe that stderr is: the program runs on, to its own exit status.
func TestNobodyReadsTheExplanation(t *testing.T) {
	needHosting(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	command := exec.Command("dialtone", "run", "--explain", "--", "dial", "tcp", "203.0.113.12:80") // unreachable.test
	command.Stderr = w
	out, err := command.Output()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || !bytes.Contains(out, []byte("network is unreachable")) {
		t.Errorf("%q, %v, want the program's own failure", out, err)
	}
}

// onWrite is a writer that calls itself.
type onWrite func()

func (f onWrite) Write(b []byte) (int, error) {
	f()
	return len(b), nil
}

// needHosting skips the test where the kernel or a container forbids to host programs.
func needHosting(t *testing.T) {
	t.Helper()
	r, err := scenario.Default().Start()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	s, err := supervisor.New(supervisor.Options{})
	if err != nil {
		t.Skipf("programs can't be hosted here: %v", err)
	}
	defer s.Close()
	if status, err := s.Run(context.Background(), supervisor.Program{Argv: []string{"true"}, Stack: r.Host("").Stack()}); err != nil || status != 0 {
		t.Skipf("programs can't be hosted here: exit status %d, %v", status, err)
	}
}
