// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package kernelarm

import (
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"dialtone/conformance"
)

func (p *performer) poll(events int16, timeout time.Duration) (string, unix.Errno) {
	fd := unix.PollFd{Fd: int32(p.args[0].Int), Events: events}
	_, e := p.sys(unix.SYS_POLL, ref(p, &fd), 1, uintptr(timeout.Milliseconds()))
	return conformance.PollEvents(int(fd.Revents)), e
}

// selectCall puts the descriptor into all three sets of select(2).
func (p *performer) selectCall() (string, unix.Errno) {
	var sets [3]unix.FdSet
	for i := range sets {
		sets[i].Set(p.args[0].Int)
	}
	timeout := unix.NsecToTimeval(p.args[1].Time.Nanoseconds())
	_, e := p.sys(unix.SYS_SELECT, p.fd()+1, ref(p, &sets[0]), ref(p, &sets[1]),
		ref(p, &sets[2]), ref(p, &timeout))
	fd := p.args[0].Int
	return conformance.SelectSets(sets[0].IsSet(fd), sets[1].IsSet(fd), sets[2].IsSet(fd)), e
}

// nameDescriptor remembers what a script calls a descriptor, for the answers of epoll_wait.
func (a *agent) nameDescriptor(arg conformance.Arg) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.names == nil {
		a.names = map[int]string{}
	}
	a.names[arg.Int] = arg.Text
}

func (p *performer) epollWait() (string, unix.Errno) {
	events := make([]unix.EpollEvent, 16)
	n, e := p.sys(unix.SYS_EPOLL_WAIT, p.fd(), ref(p, &events[0]), uintptr(len(events)),
		uintptr(p.args[1].Time.Milliseconds()))
	if e != 0 {
		return "", e
	}
	p.agent.mu.Lock()
	defer p.agent.mu.Unlock()
	var words []string
	for _, ev := range events[:n] {
		words = append(words, conformance.EpollEvents(p.agent.names[int(ev.Fd)], int(ev.Events)))
	}
	slices.Sort(words)
	if words == nil {
		return "0", 0
	}
	return strings.Join(words, " "), 0
}
