// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"bufio"
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// A listener whose host has crashed wakes who waits in accept(2), polls as
// readable, and refuses. Its port is free for another.
func TestCrashedListener(t *testing.T) {
	v := newVirtual(t, Options{})
	r, w, err := os.Pipe()
	must(err)
	defer r.Close()
	p := Program{Argv: []string{selfPath(t)}, Env: append(os.Environ(), roleVariable+"=crashlistener"), Stdout: w, Stderr: os.Stderr, Stack: v.web.Stack()}
	target, err := v.sup.Start(p)
	must(err)
	t.Cleanup(target.Kill)
	w.Close()
	said := bufio.NewScanner(r)
	says := func(want string) {
		t.Helper()
		if !said.Scan() || said.Text() != want {
			t.Fatalf("%q, want %q", said.Text(), want)
		}
	}
	for range 2 {
		says("listening")
		c, err := v.here.Dial("tcp4", v.webIP()+":4000")
		must(err)
		says("accepted")
		c.Close()
		v.web.Crash()
		says("accept: EINVAL; poll: IN; again: EINVAL")
		v.web.Restart()
	}
	says("listening")
	target.Kill()
	if _, err := target.Wait(); err != nil {
		t.Error(err)
	}
}

// roleCrashListener listens with another socket whenever it can't accept any
// more.
func roleCrashListener() int {
	for {
		l := stream()
		must(unix.Bind(l, &unix.SockaddrInet4{Port: 4000}))
		must(unix.Listen(l, 1))
		fmt.Println("listening")
		a, _, err := unix.Accept(l)
		must(err)
		fmt.Println("accepted")
		must(unix.Close(a))
		_, _, err = unix.Accept(l)
		fds := []unix.PollFd{{Fd: int32(l), Events: unix.POLLIN}}
		_, perr := unix.Poll(fds, int(patience.Milliseconds()))
		must(perr)
		_, _, again := unix.Accept(l)
		polled := map[int16]string{unix.POLLIN: "IN"}[fds[0].Revents]
		fmt.Printf("accept: %s; poll: %s; again: %s\n", unix.ErrnoName(err.(unix.Errno)), polled, unix.ErrnoName(again.(unix.Errno)))
	}
}
