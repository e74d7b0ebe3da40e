// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package kernelarm

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// special makes a descriptor that is no socket.
func (p *performer) special(kind string) (string, unix.Errno) {
	name := []byte("x\x00")
	switch kind {
	case "pipe-read", "pipe-write":
		var pair [2]int32
		_, e := p.sys(unix.SYS_PIPE2, ref(p, &pair), unix.O_CLOEXEC)
		end := 0
		if kind == "pipe-write" {
			end = 1
		}
		return p.descriptor(uintptr(pair[end]), e)
	case "eventfd":
		return p.descriptor(p.sys(unix.SYS_EVENTFD2, 0, unix.EFD_CLOEXEC))
	case "memfd":
		return p.descriptor(p.sys(unix.SYS_MEMFD_CREATE, p.at(name), unix.MFD_CLOEXEC))
	case "timerfd":
		return p.descriptor(p.sys(unix.SYS_TIMERFD_CREATE, unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC))
	case "pty":
		return p.descriptor(p.sys(unix.SYS_FCNTL, uintptr(p.agent.pty), unix.F_DUPFD_CLOEXEC, 0))
	default: // netns
		return p.openSpecial("/proc/self/ns/net")
	}
}

func (p *performer) openSpecial(path string) (string, unix.Errno) {
	b := append([]byte(path), 0)
	at := unix.AT_FDCWD
	return p.descriptor(p.sys(unix.SYS_OPENAT, uintptr(at), p.at(b), unix.O_RDONLY|unix.O_CLOEXEC))
}

// landlock restricts this and all later calls of the process: TCP connect(2) to the given ports only, and no abstract
// UNIX socket of an outsider, landlock(7). The restriction belongs to the thread, so it is taken on by each of them.
func (p *performer) landlock() (string, unix.Errno) {
	p.agent.mu.Lock()
	defer p.agent.mu.Unlock()
	ports := []uint64{}
	for _, a := range p.args {
		ports = append(ports, uint64(a.Int))
	}
	e := restrict(ports)
	if e == 0 {
		p.agent.user.ports = ports
	}
	return "", e
}

// restrict enforces a ruleset on the calling thread.
func restrict(ports []uint64) unix.Errno {
	attr := struct{ fs, net, scoped uint64 }{0, unix.LANDLOCK_ACCESS_NET_CONNECT_TCP, 1 /* LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET */}
	ruleset, _, e := unix.RawSyscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
	if e != 0 {
		return e
	}
	defer unix.Close(int(ruleset))
	for _, port := range ports {
		rule := struct{ access, port uint64 }{unix.LANDLOCK_ACCESS_NET_CONNECT_TCP, port}
		const ruleNetPort = 2
		if _, _, e := unix.RawSyscall6(unix.SYS_LANDLOCK_ADD_RULE, ruleset, ruleNetPort,
			uintptr(unsafe.Pointer(&rule)), 0, 0, 0); e != 0 {
			return e
		}
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err.(unix.Errno)
	}
	_, _, e = unix.RawSyscall(unix.SYS_LANDLOCK_RESTRICT_SELF, ruleset, 0, 0)
	return e
}
