// SPDX-License-Identifier: Apache-2.0

package dialtonearm

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"syscall"

	"dialtone"
	"dialtone/conformance"
	"dialtone/conformance/internal/linux"
	"dialtone/landlock"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// result makes a call's answer of its value and error.
func result(value string, err error) (conformance.Result, error) {
	if err == nil {
		return conformance.Result{Value: value}, nil
	}
	var e syscall.Errno
	if errors.As(err, &e) {
		return conformance.Result{Errno: conformance.ErrnoName(int(e))}, nil
	}
	return conformance.Result{}, err
}

func descriptor(fd int, err error) (conformance.Result, error) {
	r, err := result("", err)
	r.FDs = []int{fd}
	return r, err
}

// perform makes one call; owner is the process that the first argument's descriptor belongs to.
func (t *thread) perform(c conformance.Call, owner *process) (conformance.Result, error) {
	p, a := t.as, c.Args
	fd, number := 0, func(i int) int {
		if i < len(a) {
			return a[i].Int
		}
		return 0
	}
	fd = number(0)
	switch c.Name {
	case "socket", "socketpair":
		return t.socket(c, number(2))
	case "bind", "connect":
		raw, err := t.process.host.raw(a[1].Address)
		if err != nil {
			return conformance.Result{}, err
		}
		if c.Name == "bind" {
			return result("", p.Bind(fd, raw))
		}
		return result("", p.Connect(fd, raw))
	case "listen":
		return result("", p.Listen(fd, number(1)))
	case "accept":
		nfd, peer, err := p.Accept(fd, 0)
		r, err := result(t.process.host.text(peer), err)
		r.FDs = []int{nfd}
		return r, err
	case "shutdown":
		return result("", p.Shutdown(fd, socket.How(number(1))))
	case "close":
		return result("", p.Close(fd))
	case "dup":
		return descriptor(p.Dup(fd))
	case "inherit":
		return descriptor(p.Getfd(owner.Process, fd))
	case "getsockname", "getpeername":
		name, err := t.name(c.Name, fd)
		return result(name, err)
	case "getsockopt":
		v, err := p.Getsockopt(fd, a[1].Option.Level, a[1].Option.Code)
		if err != nil {
			return result("", err)
		}
		return result(a[1].Option.Decode(v), nil)
	case "setsockopt":
		v, err := t.value(a[2])
		if err != nil {
			return conformance.Result{}, err
		}
		return result("", p.Setsockopt(fd, a[1].Option.Level, a[1].Option.Code, v))
	case "fcntl":
		return result("", p.SetNonblock(fd, a[2].Text == "on"))
	case "open":
		return descriptor(p.Open(a[0].Text, number(1)))
	case "descriptor":
		if a[0].Text == "epoll" {
			return descriptor(p.EpollCreate())
		}
		return descriptor(p.Install(notSocket{}))
	case "seteuid", "setegid", "setgroups", "capset":
		return result("", t.credential(c).Err())
	case "landlock":
		r := landlock.Ruleset{Handled: landlock.ConnectTCP, Ports: map[uint16]landlock.Access{}, ScopeAbstract: true}
		for _, port := range a {
			r.Ports[uint16(port.Int)] = landlock.ConnectTCP
		}
		return result("", t.process.Restrict(r))
	case "syns":
		to, err := netip.ParseAddrPort(conformance.AddressText(a[0].Address.Bytes, nil))
		return conformance.Result{Value: t.process.host.tap.syns(to)}, err
	}
	return t.more(c, number)
}

// notSocket is an open file that sockets have nothing to do with.
type notSocket struct{}

func (notSocket) Socket() *socket.Socket { return nil }

// more are the calls about data and readiness.
func (t *thread) more(c conformance.Call, number func(int) int) (conformance.Result, error) {
	p, a, fd := t.as, c.Args, number(0)
	switch c.Name {
	case "send":
		n, err := p.Send(fd, a[1].Data, number(2))
		return result(conformance.Number(n), err)
	case "sendto", "sendmsg":
		raw, err := t.process.host.raw(a[2].Address)
		if err != nil {
			return conformance.Result{}, err
		}
		if len(a) > 4 {
			return t.sendControl(fd, a, raw)
		}
		n, err := p.Sendto(fd, a[1].Data, number(3), raw)
		return result(conformance.Number(n), err)
	case "recv", "recvfrom", "recvmsg":
		return t.recv(c.Name, fd, number(1))
	case "poll":
		fds := []dialtone.PollFD{{FD: fd, Events: socket.Events(number(1))}}
		_, err := p.Poll(fds, a[2].Time)
		return result(conformance.PollEvents(int(fds[0].Revents)), err)
	case "select":
		all := []int{fd}
		r, w, x, err := p.Select(all, all, all, a[1].Time)
		return result(conformance.SelectSets(len(r) > 0, len(w) > 0, len(x) > 0), err)
	case "epoll_create":
		return descriptor(p.EpollCreate())
	case "epoll_ctl":
		t.process.names[number(2)] = a[2].Text
		return result("", p.EpollCtl(fd, number(1), number(2), socket.EpollEvents(uint32(number(3))), uint64(number(2))))
	case "epoll_wait":
		return t.epollWait(fd, c)
	case "state":
		return t.state(fd)
	}
	return t.secure(c, number)
}

func (t *thread) socket(c conformance.Call, protocol int) (conformance.Result, error) {
	family, typ := sockaddr.Family(c.Args[0].Int), c.Args[1].Int
	if c.Name == "socket" {
		return descriptor(t.as.Socket(family, typ, protocol))
	}
	fds, err := t.as.Socketpair(family, typ, protocol)
	r, err := result("", err)
	r.FDs = fds[:]
	return r, err
}

func (t *thread) name(call string, fd int) (string, error) {
	get := t.as.Getsockname
	if call == "getpeername" {
		get = t.as.Getpeername
	}
	a, err := get(fd)
	if err != nil {
		return "", err
	}
	return t.process.host.text(a), nil
}

// state looks at a socket without consuming anything.
func (t *thread) state(fd int) (conformance.Result, error) {
	fds := []dialtone.PollFD{{FD: fd, Events: socket.In | socket.Pri | socket.Out | socket.RdHup}}
	if _, err := t.as.Poll(fds, 0); err != nil {
		return result("", err)
	}
	text := func(call string) string {
		s, err := t.name(call, fd)
		var e syscall.Errno
		if errors.As(err, &e) {
			return conformance.ErrnoName(int(e))
		}
		return s
	}
	tcp := ""
	if info, err := t.as.Getsockopt(fd, linux.IPPROTO_TCP, linux.TCP_INFO); err == nil {
		tcp = conformance.TCPState(int(info[0]))
	}
	return result(conformance.State(int(fds[0].Revents), text("getsockname"), text("getpeername"), tcp), nil)
}

func (t *thread) recv(call string, fd, flags int) (conformance.Result, error) {
	m := socket.Message{Data: make([]byte, 2048), Flags: flags}
	n, err := t.as.Recvmsg(fd, &m)
	if err != nil {
		return result("", err)
	}
	data := m.Data[:min(n, len(m.Data))]
	if call == "recv" {
		return result(conformance.Received(data), nil)
	}
	from := t.from(&m)
	value := conformance.ReceivedFrom(data, from)
	if x := m.Extended; x != nil {
		offender := t.process.host.text(x.Offender)
		value = conformance.QueuedError(data, from, int(x.Errno), int(x.Type), int(x.Code), offender)
	}
	if call != "recvmsg" {
		return result(value, nil)
	}
	return result(conformance.WithControl(value, t.control(&m)), nil)
}

// from writes who sent a message.
func (t *thread) from(m *socket.Message) string {
	if m.From == (sockaddr.Addr{}) || m.From == sockaddr.OfUnix("") {
		return "nobody"
	}
	return t.process.host.text(m.From)
}

func (t *thread) epollWait(fd int, c conformance.Call) (conformance.Result, error) {
	ready, err := t.as.EpollWait(fd, 16, c.Args[1].Time)
	if err != nil || len(ready) == 0 {
		return result("0", err)
	}
	var words []string
	for _, r := range ready {
		words = append(words, conformance.EpollEvents(t.process.names[int(r.Data)], int(r.Events)))
	}
	slices.Sort(words)
	return result(strings.Join(words, " "), nil)
}
