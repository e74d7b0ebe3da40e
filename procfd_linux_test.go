// SPDX-License-Identifier: Apache-2.0

package dialtone_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"dialtone"
	"dialtone/sockaddr"
)

// What leads through /proc/self/fd where, here and on the running kernel. {D} is a directory with the listener d/s; {d},
// {s} and {l} are descriptors: of d and d/s with O_PATH, and of the listener; {gone} is closed, {ep} is of epoll.
var procPaths = []struct{ change, path, want string }{
	{"", "/proc/self/fd/{d}/s", "0"},
	{"", "/proc/self/fd/{d}/../d/s", "0"},
	{"", "/proc/self/fd/{s}", "0"},
	{"", "/proc/../proc/self/./fd//{s}", "0"},
	{"", "/proc/self/fd/../fd/{s}", "0"},
	{"", "/proc/self/fd/0{s}", "ENOENT"},
	{"", "/proc/self/fd/{s}/", "ENOTDIR"},
	{"", "/proc/self/fd/{s}/..", "ENOTDIR"},
	{"", "/proc/self/fd/{l}", "ECONNREFUSED"},
	{"", "/proc/self/fd/{ep}", "ECONNREFUSED"},
	{"", "/proc/self/fd/{gone}", "ENOENT"},
	{"", "/proc/self/fd", "ECONNREFUSED"},
	{"", "{D}/link", "0"}, // to /proc/self/fd/{s}
	{"rename", "/proc/self/fd/{s}", "0"},
	{"unlink", "/proc/self/fd/{s}", "0"},
	{"bind", "/proc/self/fd/x", "ENOENT"}, // instead of connect
}

// fill puts a directory and descriptors into a path.
func fill(path, dir string, fds map[string]int) string {
	pairs := []string{"{D}", dir}
	for name, fd := range fds {
		pairs = append(pairs, "{"+name+"}", fmt.Sprint(fd))
	}
	return strings.NewReplacer(pairs...).Replace(path)
}

func TestProcSelfFD(t *testing.T) {
	h := dialtone.NewNetwork().Host("host.test")
	p, dir := h.NewProcess(), t.TempDir()
	if err := h.Tree().Mkdir("/d", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir+"/d", 0o755); err != nil {
		t.Fatal(err)
	}
	ours, theirs := map[string]int{"gone": 99}, map[string]int{"gone": 999}
	must := func(fd int, err error) int {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return fd
	}
	ok := func(err error) { t.Helper(); must(0, err) }
	ours["l"] = must(p.Socket(sockaddr.Unix, 1, 0))
	ok(p.Bind(ours["l"], sockaddr.OfUnix("/d/s").Raw()))
	ok(p.Listen(ours["l"], 100))
	ours["d"] = must(p.Open("/d", dialtone.O_PATH))
	ours["s"] = must(p.Open("/d/s", dialtone.O_PATH))
	ours["ep"] = must(p.EpollCreate())
	ok(h.Tree().Symlink(fmt.Sprintf("/proc/self/fd/%d", ours["s"]), "/link"))

	theirs["l"] = must(unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0))
	ok(unix.Bind(theirs["l"], &unix.SockaddrUnix{Name: dir + "/d/s"}))
	ok(unix.Listen(theirs["l"], 100))
	theirs["d"] = must(unix.Open(dir+"/d", unix.O_PATH|unix.O_CLOEXEC, 0))
	theirs["s"] = must(unix.Open(dir+"/d/s", unix.O_PATH|unix.O_CLOEXEC, 0))
	theirs["ep"] = must(unix.EpollCreate1(unix.EPOLL_CLOEXEC))
	ok(os.Symlink(fmt.Sprintf("/proc/self/fd/%d", theirs["s"]), dir+"/link"))
	for name, fd := range theirs {
		if name != "gone" {
			defer unix.Close(fd)
		}
	}
	for _, c := range procPaths {
		call, real := p.Connect, unix.Connect
		switch c.change {
		case "rename":
			ok(h.Tree().Rename("/d/s", "/t"))
			ok(os.Rename(dir+"/d/s", dir+"/t"))
		case "unlink":
			ok(h.Tree().Remove("/t"))
			ok(os.Remove(dir + "/t"))
		case "bind":
			call, real = p.Bind, unix.Bind
		}
		fd := must(p.Socket(sockaddr.Unix, 1, 0))
		kernel := must(unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0))
		if got := errnoName(call(fd, sockaddr.OfUnix(fill(c.path, "", ours)).Raw())); got != c.want {
			t.Errorf("%s %s: %s, want %s", c.change, c.path, got, c.want)
		}
		want := c.want
		if strings.Contains(c.path, "{ep}") && os.Geteuid() != 0 {
			want = "EACCES" // what is no file belongs to root, with mode 600; p is root
		}
		if got := errnoName(real(kernel, &unix.SockaddrUnix{Name: fill(c.path, dir, theirs)})); got != want {
			t.Errorf("%s %s: on the running kernel %s, want %s", c.change, c.path, got, want)
		}
		ok(p.Close(fd))
		ok(unix.Close(kernel))
	}
}

func errnoName(err error) string {
	if e, ok := err.(unix.Errno); ok {
		return unix.ErrnoName(e)
	}
	if err == nil {
		return "0"
	}
	return err.Error()
}
