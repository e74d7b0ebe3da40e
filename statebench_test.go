// SPDX-License-Identifier: Apache-2.0

package dialtone_test

import (
	"errors"
	"net/netip"
	"syscall"
	"time"

	"pgregory.net/rapid"

	"dialtone"
	"dialtone/clock"
	"dialtone/errno"
	"dialtone/firewall"
	"dialtone/link"
	"dialtone/personality"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/wire"
)

// stateBench is a socket, and whom it may connect to on another host: port 7000 listens, 7001 is closed, 7002 silent.
type stateBench struct {
	t    *rapid.T
	m    *clock.Manual
	p, q *dialtone.Process
	s, l int
	peer int // the other end of s's connection; -1: none
}

func newStateBench(t *rapid.T) *stateBench {
	b := &stateBench{t: t, m: clock.NewManual(), peer: -1}
	n := dialtone.NewNetwork(dialtone.WithClock(b.m))
	cable := link.NewCable(0)
	host := func(name, address string) *dialtone.Host {
		h, err := n.NewHost(name, personality.Linux)
		b.must(err)
		_, err = h.Attach(name+"0", cable, netip.MustParsePrefix(address))
		b.must(err)
		return h
	}
	here, there := host("a", "10.0.0.1/24"), host("b", "10.0.0.2/24")
	there.Firewall(func(f *firewall.Firewall) {
		f.Input.Rules = []firewall.Rule{{
			Proto: wire.TCP, DstPorts: firewall.Ports{First: 7002, Last: 7002}, Verdict: firewall.Verdict{Action: firewall.Drop},
		}}
	})
	b.p, b.q = here.NewProcess(), there.NewProcess()
	var err error
	b.s, err = b.p.Socket(sockaddr.Inet, int(socket.Stream), 0)
	b.must(err)
	const solTCP, tcpSynCnt = 6, 7 // in Linux's numbers, wherever this runs
	b.must(b.p.SetsockoptInt(b.s, solTCP, tcpSynCnt, 1))
	b.l, err = b.q.Socket(sockaddr.Inet, int(socket.Stream)|dialtone.SOCK_NONBLOCK, 0)
	b.must(err)
	b.must(b.q.Bind(b.l, at(7000)))
	b.must(b.q.Listen(b.l, 100))
	return b
}

func (b *stateBench) must(err error) {
	if err != nil {
		b.t.Fatal(err)
	}
}

// at is an address on host b.
func at(port uint16) sockaddr.Raw {
	return sockaddr.Of(netip.AddrPortFrom(netip.MustParseAddr("10.0.0.2"), port)).Raw()
}

// accept takes the other end of s's connection, if there is one now and was none before, and lets go of an old one.
func (b *stateBench) accept(open bool) {
	if !open && b.peer >= 0 {
		b.must(b.q.Close(b.peer))
		b.peer = -1
	}
	for {
		fd, _, err := b.q.Accept(b.l, 0)
		if err != nil {
			return
		}
		if b.peer >= 0 {
			b.must(b.q.Close(b.peer))
		}
		b.peer = fd
	}
}

// do makes one call, in a goroutine of the clock's, and lets time pass until it has returned.
func (b *stateBench) do(op string) (e errno.Errno) {
	switch op {
	case "a second":
		b.m.Advance(time.Second)
		return errno.OK
	case "five seconds":
		b.m.Advance(5 * time.Second)
		return errno.OK
	}
	done := false
	b.m.Go(func() {
		e = number(b.call(op))
		done = true
	})
	for b.m.Settle(); !done; {
		if !b.m.Step() {
			b.t.Fatalf("%s does not return", op)
		}
	}
	return e
}

func number(err error) errno.Errno {
	var e syscall.Errno
	errors.As(err, &e)
	return errno.Errno(e)
}

func (b *stateBench) call(op string) error {
	switch op {
	case "connect listener":
		return b.p.Connect(b.s, at(7000))
	case "connect closed":
		return b.p.Connect(b.s, at(7001))
	case "connect silent":
		return b.p.Connect(b.s, at(7002))
	case "connect short":
		return b.p.Connect(b.s, sockaddr.Raw{Mem: at(7000).Mem, Len: 1})
	case "connect family":
		return b.p.Connect(b.s, sockaddr.Bytes(append([]byte{77}, make([]byte, 15)...)))
	case "connect unspec":
		return b.p.Connect(b.s, sockaddr.Bytes(make([]byte, 16)))
	case "SO_ERROR":
		n, err := b.p.GetsockoptInt(b.s, socket.SolSocket, socket.SoError)
		if err == nil && n != 0 {
			err = syscall.Errno(n)
		}
		return err
	case "send":
		_, err := b.p.Send(b.s, []byte("x"), socket.MsgDontWait)
		return err
	case "recv":
		_, err := b.p.Recv(b.s, make([]byte, 1), socket.MsgDontWait)
		return err
	case "listen":
		return b.p.Listen(b.s, 1)
	case "shutdown RD":
		return b.p.Shutdown(b.s, socket.ShutRD)
	case "shutdown WR":
		return b.p.Shutdown(b.s, socket.ShutWR)
	case "shutdown RDWR":
		return b.p.Shutdown(b.s, socket.ShutRDWR)
	case "block", "don't block":
		return b.p.SetNonblock(b.s, op != "block")
	}
	for { // what is unread when a socket closes makes it a reset
		if n, err := b.q.Recv(b.peer, make([]byte, 64), socket.MsgDontWait); n == 0 || err != nil {
			break
		}
	}
	if op == "peer resets" {
		linger := append(socket.Int(1), socket.Int(0)...)
		b.must(b.q.Setsockopt(b.peer, socket.SolSocket, socket.SoLinger, linger))
	}
	err := b.q.Close(b.peer)
	b.peer = -1
	return err
}

// poll asks for everything, at once.
func (b *stateBench) poll() socket.Events {
	fds := []dialtone.PollFD{{FD: b.s, Events: socket.In | socket.Out | socket.RdHup}}
	_, err := b.p.Poll(fds, 0)
	b.must(err)
	return fds[0].Revents
}
