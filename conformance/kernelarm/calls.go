// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package kernelarm

import (
	"fmt"
	"runtime"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"dialtone/conformance"
)

// perform makes one call. It runs in the child process, on the thread of that call.
func (a *agent) perform(r request, out *reply) {
	p := &performer{agent: a, args: r.Call.Args, bind: r.Call.Bind, pid: r.PID, out: out}
	defer p.pinned.Unpin()
	p.start = time.Now()
	value, e := p.call(r.Call.Name)
	if out.Elapsed == 0 {
		out.Elapsed = time.Since(p.start)
	}
	out.Errno, out.Value = int(e), value
}

// performer is a call being made.
type performer struct {
	agent *agent
	args  []conformance.Arg
	bind  []string
	pid   int
	out   *reply
	start time.Time
	// pinned are the buffers that the kernel gets the addresses of.
	pinned runtime.Pinner
}

func (p *performer) fd() uintptr          { return uintptr(p.args[0].Int) }
func (p *performer) number(i int) uintptr { return uintptr(p.args[i].Int) }

// flags are those of the last argument when it was given, and MSG_NOSIGNAL: EPIPE is an answer, not a death.
func (p *performer) flags(i int) uintptr {
	if i < len(p.args) {
		return uintptr(p.args[i].Int) | unix.MSG_NOSIGNAL
	}
	return unix.MSG_NOSIGNAL
}

// at is the address of bytes. They stay where they are until the call is over; a stack might move.
func (p *performer) at(b []byte) uintptr {
	if len(b) == 0 {
		b = []byte{0}
	}
	return ref(p, &b[0])
}

// ref is the address of a value, which stays there until the call is over.
func ref[T any](p *performer, v *T) uintptr {
	p.pinned.Pin(v)
	return uintptr(unsafe.Pointer(v))
}

// sys is the system call; the clock runs from here. It is unix.Syscall6 so that the Go scheduler lets it block.
func (p *performer) sys(number uintptr, args ...uintptr) (uintptr, unix.Errno) {
	var all [6]uintptr
	copy(all[:], args)
	p.start = time.Now()
	n, _, e := unix.Syscall6(number, all[0], all[1], all[2], all[3], all[4], all[5])
	p.out.Elapsed = time.Since(p.start)
	return n, e
}

func (p *performer) call(name string) (string, unix.Errno) {
	switch name {
	case "socket":
		protocol := uintptr(0)
		if len(p.args) > 2 {
			protocol = p.number(2)
		}
		return p.descriptor(p.sys(unix.SYS_SOCKET, p.fd(), p.number(1)|unix.SOCK_CLOEXEC, protocol))
	case "socketpair":
		return p.socketpair()
	case "bind":
		return p.withAddress(unix.SYS_BIND, 1)
	case "connect":
		return p.withAddress(unix.SYS_CONNECT, 1)
	case "listen":
		return p.plain(p.sys(unix.SYS_LISTEN, p.fd(), p.number(1)))
	case "accept":
		return p.accept()
	case "shutdown":
		return p.plain(p.sys(unix.SYS_SHUTDOWN, p.fd(), p.number(1)))
	case "close":
		return p.plain(p.sys(unix.SYS_CLOSE, p.fd()))
	case "dup":
		return p.descriptor(p.sys(unix.SYS_FCNTL, p.fd(), unix.F_DUPFD_CLOEXEC, 0))
	case "inherit":
		return p.inherit()
	case "send":
		d := p.args[1].Data
		return p.count(p.sys(unix.SYS_SENDTO, p.fd(), p.at(d), uintptr(len(d)), p.flags(2)))
	case "sendto":
		return p.sendto()
	case "sendmsg":
		return p.sendmsg()
	case "recv":
		buf := make([]byte, 2048)
		n, e := p.sys(unix.SYS_RECVFROM, p.fd(), p.at(buf), uintptr(len(buf)), p.flags(1))
		if e != 0 {
			return "", e
		}
		return conformance.Received(buf[:n]), 0
	case "recvfrom", "recvmsg":
		return p.recvmsg(name == "recvmsg")
	case "getsockopt":
		return p.getsockopt()
	case "setsockopt":
		o, v := p.args[1].Option, p.args[2].Data
		if c := p.args[2].Control; c.Data != nil {
			var err error
			if v, err = c.Resolved(interfaceIndex); err != nil {
				return "", err.(unix.Errno)
			}
		}
		return p.plain(p.sys(unix.SYS_SETSOCKOPT, p.fd(), uintptr(o.Level), uintptr(o.Code), p.at(v), uintptr(len(v))))
	case "getsockname":
		return p.name(unix.SYS_GETSOCKNAME)
	case "getpeername":
		return p.name(unix.SYS_GETPEERNAME)
	case "state":
		return p.state()
	case "seteuid", "setegid", "setgroups", "capset":
		return p.credential(name)
	case "descriptor":
		return p.special(p.args[0].Text)
	case "landlock":
		return p.landlock()
	}
	return p.waiting(name)
}

// waiting are the calls about readiness, and those on plain descriptors.
func (p *performer) waiting(name string) (string, unix.Errno) {
	switch name {
	case "poll":
		return p.poll(int16(p.args[1].Int), p.args[2].Time)
	case "select":
		return p.selectCall()
	case "epoll_create":
		return p.descriptor(p.sys(unix.SYS_EPOLL_CREATE1, unix.EPOLL_CLOEXEC))
	case "epoll_ctl":
		event := unix.EpollEvent{Events: uint32(p.args[3].Int), Fd: int32(p.args[2].Int)}
		p.agent.nameDescriptor(p.args[2])
		return p.plain(p.sys(unix.SYS_EPOLL_CTL, p.fd(), p.number(1), p.number(2), ref(p, &event)))
	case "epoll_wait":
		return p.epollWait()
	case "fcntl":
		return p.fcntl()
	case "open":
		path, err := unix.BytePtrFromString(p.args[0].Text)
		if err != nil {
			return "", unix.EINVAL
		}
		at := unix.AT_FDCWD
		return p.descriptor(p.sys(unix.SYS_OPENAT, uintptr(at), ref(p, path), p.number(1)|unix.O_CLOEXEC))
	}
	p.out.NotRun = fmt.Sprintf("the kernel arm has no call %q", name)
	return "", 0
}

func (p *performer) plain(_ uintptr, e unix.Errno) (string, unix.Errno) { return "", e }

func (p *performer) count(n uintptr, e unix.Errno) (string, unix.Errno) {
	return conformance.Number(int(n)), e
}

func (p *performer) descriptor(fd uintptr, e unix.Errno) (string, unix.Errno) {
	if e == 0 {
		p.out.FDs = []int{int(fd)}
	}
	return "", e
}

func (p *performer) socketpair() (string, unix.Errno) {
	var pair [2]int32
	protocol := uintptr(0)
	if len(p.args) > 2 {
		protocol = p.number(2)
	}
	_, e := p.sys(unix.SYS_SOCKETPAIR, p.fd(), p.number(1)|unix.SOCK_CLOEXEC, protocol, ref(p, &pair))
	if e == 0 {
		p.out.FDs = []int{int(pair[0]), int(pair[1])}
	}
	return "", e
}

func (p *performer) accept() (string, unix.Errno) {
	buf, size := make([]byte, 128), uint32(128)
	fd, e := p.sys(unix.SYS_ACCEPT4, p.fd(), p.at(buf), ref(p, &size), unix.SOCK_CLOEXEC)
	if e != 0 {
		return "", e
	}
	p.out.FDs = []int{int(fd)}
	return conformance.AddressText(buf[:size], interfaceName), 0
}

// inherit takes a copy of another process's descriptor, as fork(2) would have given it.
func (p *performer) inherit() (string, unix.Errno) {
	pidfd, err := unix.PidfdOpen(p.pid, 0)
	if err != nil {
		return "", err.(unix.Errno)
	}
	defer unix.Close(pidfd)
	return p.descriptor(p.sys(unix.SYS_PIDFD_GETFD, uintptr(pidfd), p.fd(), 0))
}

func (p *performer) sendto() (string, unix.Errno) {
	d := p.args[1].Data
	address, release, e := p.pointer(p.args[2].Address)
	if e != 0 {
		return "", e
	}
	defer release()
	return p.count(p.sys(unix.SYS_SENDTO, p.fd(), p.at(d), uintptr(len(d)), p.flags(3), address,
		uintptr(p.args[2].Address.Len)))
}

func (p *performer) withAddress(number uintptr, i int) (string, unix.Errno) {
	address, release, e := p.pointer(p.args[i].Address)
	if e != 0 {
		return "", e
	}
	defer release()
	return p.plain(p.sys(number, p.fd(), address, uintptr(p.args[i].Address.Len)))
}

func (p *performer) getsockopt() (string, unix.Errno) {
	o := p.args[1].Option
	buf, size := make([]byte, 256), uint32(256)
	_, e := p.sys(unix.SYS_GETSOCKOPT, p.fd(), uintptr(o.Level), uintptr(o.Code), p.at(buf), ref(p, &size))
	p.out.Option = buf[:min(size, 256)]
	return "", e
}

func (p *performer) name(number uintptr) (string, unix.Errno) {
	buf, size := make([]byte, 128), uint32(128)
	if _, e := p.sys(number, p.fd(), p.at(buf), ref(p, &size)); e != 0 {
		return "", e
	}
	return conformance.AddressText(buf[:size], interfaceName), 0
}

// state looks at a socket without consuming anything.
func (p *performer) state() (string, unix.Errno) {
	fds := []unix.PollFd{{Fd: int32(p.args[0].Int), Events: unix.POLLIN | unix.POLLPRI | unix.POLLOUT | unix.POLLRDHUP}}
	if _, err := unix.Poll(fds, 0); err != nil {
		return "", err.(unix.Errno)
	}
	text := func(number uintptr) string {
		s, e := p.name(number)
		if e != 0 {
			return conformance.ErrnoName(int(e))
		}
		return s
	}
	tcp := ""
	info, err := unix.GetsockoptTCPInfo(p.args[0].Int, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err == nil {
		tcp = conformance.TCPState(int(info.State))
	}
	return conformance.State(int(fds[0].Revents), text(unix.SYS_GETSOCKNAME), text(unix.SYS_GETPEERNAME), tcp), 0
}

func (p *performer) fcntl() (string, unix.Errno) {
	flags, e := p.sys(unix.SYS_FCNTL, p.fd(), unix.F_GETFL, 0)
	if e != 0 {
		return "", e
	}
	flags &^= unix.O_NONBLOCK
	if p.args[2].Text == "on" {
		flags |= unix.O_NONBLOCK
	}
	return p.plain(p.sys(unix.SYS_FCNTL, p.fd(), unix.F_SETFL, flags))
}

// credential changes the credentials of this thread, to see what the kernel says, and of all calls after this one.
func (p *performer) credential(name string) (string, unix.Errno) {
	a := p.agent
	a.mu.Lock()
	defer a.mu.Unlock()
	n := p.args[0].Int
	var e unix.Errno
	next := a.user
	switch name {
	case "seteuid":
		e, next.uid = setresuid(n), &n
	case "setegid":
		e, next.gid = setresgid(n), &n
	case "setgroups":
		next.setGroup, next.groups = true, nil
		for _, g := range p.args {
			next.groups = append(next.groups, g.Int)
		}
		e = setgroups(next.groups)
	case "capset":
		var set uint64
		for _, word := range strings.Split(p.args[0].Text, "|") {
			if number, ok := conformance.Capability(word); ok {
				set |= 1 << number
			}
		}
		e, next.caps = capset(set), &set
	}
	if e == 0 {
		a.user = next
	}
	return "", e
}
