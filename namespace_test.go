// SPDX-License-Identifier: Apache-2.0

package dialtone_test

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"dialtone"
	"dialtone/link"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// namespaces is a machine with two hosts on it, and a cable between them.
func namespaces(t *testing.T) (a, b *dialtone.Host) {
	t.Helper()
	n := dialtone.NewNetwork()
	a = n.Host("a.test")
	b, err := a.NewNamespace("b.test")
	if err != nil {
		t.Fatal(err)
	}
	cable := link.NewCable(time.Millisecond)
	for i, h := range []*dialtone.Host{a, b} {
		ip := netip.AddrFrom4([4]byte{192, 0, 2, byte(i + 1)})
		if _, err := h.Attach("eth1", cable, netip.PrefixFrom(ip, 24)); err != nil {
			t.Fatal(err)
		}
	}
	return a, b
}

// echo answers one connection after the other.
func echo(t *testing.T, h *dialtone.Host, network, address string) (stop func()) {
	t.Helper()
	l, err := h.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	var done sync.WaitGroup
	done.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if _, err := io.Copy(c, c); err != nil {
				t.Error(err)
			}
			c.Close()
		}
	})
	return func() { l.Close(); done.Wait() }
}

// asks sends a text and wants it back.
func asks(t *testing.T, h *dialtone.Host, network, address, text string) {
	t.Helper()
	c, err := h.Dial(network, address)
	if err != nil {
		t.Error(err)
		return
	}
	defer c.Close()
	if _, err := c.Write([]byte(text)); err != nil {
		t.Error(err)
	}
	if err := c.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Error(err)
	}
	if got, err := io.ReadAll(c); err != nil || string(got) != text {
		t.Errorf("%q, %v; want %q", got, err, text)
	}
}

// Paths lead to sockets of either host; abstract names, ports and addresses are each host's own.
func TestNamespace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := namespaces(t)
		for _, stop := range []func(){
			echo(t, b, "unix", "/tmp/s"), echo(t, b, "unixpacket", "/tmp/p"), echo(t, a, "unix", "@a"),
			echo(t, a, "tcp4", ":80"), echo(t, b, "tcp4", ":80"),
		} {
			defer stop()
		}
		asks(t, a, "unix", "/tmp/s", "from a to b")
		asks(t, b, "unix", "/tmp/s", "from b to itself")
		asks(t, a, "unixpacket", "/tmp/p", "a record")
		asks(t, a, "tcp4", "192.0.2.2:80", "by the cable")
		asks(t, b, "tcp4", "127.0.0.1:80", "by its own loopback")
		if _, err := b.Dial("unix", "@a"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("an abstract name of the other host: %v, want ECONNREFUSED", err)
		}
		if _, err := b.Listen("unix", "/tmp/s"); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("a path that the other host has: %v, want EADDRINUSE", err)
		}
		p, q := a.NewProcess(), b.NewProcess()
		if p.Caller().PID == q.Caller().PID {
			t.Errorf("two processes of one machine have the number %d", p.Caller().PID)
		}
	})
}

// A datagram crosses, and so do its sender's name and a wait for what both hosts' sockets have.
func TestNamespace_poll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := namespaces(t)
		in, err := b.ListenPacket("unixgram", "/tmp/in")
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		out, err := a.ListenPacket("unixgram", "/tmp/out")
		if err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		if _, err := out.WriteTo([]byte("across"), &net.UnixAddr{Name: "/tmp/in", Net: "unixgram"}); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 10)
		if n, from, err := in.ReadFrom(buf); err != nil || string(buf[:n]) != "across" || from.String() != "/tmp/out" {
			t.Errorf("%q from %v, %v", buf[:n], from, err)
		}

		// A process of a has a UNIX socket whose peer is on b, and an internet one: one poll waits for both.
		p, q := a.NewProcess(), b.NewProcess()
		call := func(fd int, err error) int {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			return fd
		}
		l := call(q.Socket(sockaddr.Unix, 1, 0))
		call(0, q.Bind(l, sockaddr.OfUnix("/tmp/l").Raw()))
		call(0, q.Listen(l, 1))
		u, i := call(p.Socket(sockaddr.Unix, 1, 0)), call(p.Socket(sockaddr.Inet, 2, 0))
		call(0, p.Connect(u, sockaddr.OfUnix("/tmp/l").Raw()))
		far, _, err := q.Accept(l, 0)
		call(0, err)
		time.AfterFunc(time.Second, func() {
			if _, err := q.Send(far, []byte("x"), 0); err != nil {
				t.Error(err)
			}
		})
		fds := []dialtone.PollFD{{FD: u, Events: socket.In}, {FD: i, Events: socket.In}}
		began := time.Now()
		if n, err := p.Poll(fds, time.Minute); n != 1 || err != nil || fds[0].Revents != socket.In || time.Since(began) != time.Second {
			t.Errorf("%d, %v, %+v after %v", n, err, fds, time.Since(began))
		}
		p.Exit()
		q.Exit()
	})
}

// Both hosts' connects, at once, many times; go test -race looks on.
func TestNamespace_atOnce(t *testing.T) {
	a, b := namespaces(t)
	for _, stop := range []func(){echo(t, a, "unix", "/tmp/a"), echo(t, b, "unix", "/tmp/b"), echo(t, b, "tcp4", ":80")} {
		defer stop()
	}
	var all sync.WaitGroup
	for _, h := range []*dialtone.Host{a, b} {
		all.Go(func() {
			for range 50 {
				asks(t, h, "unix", "/tmp/a", "unix")
				asks(t, h, "unix", "/tmp/b", "unix")
				asks(t, h, "tcp4", "192.0.2.2:80", "tcp")
			}
		})
	}
	all.Wait()
}
