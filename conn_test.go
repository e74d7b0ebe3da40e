// SPDX-License-Identifier: Apache-2.0

package dialtone_test

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"dialtone"
	"dialtone/socket"
)

// connected returns both ends of a connection between two hosts (tcp) or on one (unix), closed with the test.
func connected(t *testing.T, n *dialtone.Network, network string) (client, server *dialtone.Conn) {
	t.Helper()
	from, to, address := n.Host("client.test"), n.Host("server.test"), "server.test:7"
	listen := ":7"
	if network[0] == 'u' {
		from, address, listen = to, "/tmp/server", "/tmp/server"
	}
	l, err := to.Listen(network, listen)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := from.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); s.Close() })
	return c.(*dialtone.Conn), s.(*dialtone.Conn)
}

// What was sent before CloseWrite arrives, then the end; the other direction goes on.
func TestCloseWriteLeavesReading(t *testing.T) {
	for _, network := range []string{"tcp4", "tcp6", "unix", "unixpacket"} {
		t.Run(network, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, s := connected(t, dialtone.NewNetwork(), network)
				c.Write([]byte("last words"))
				if err := c.CloseWrite(); err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(s)
				if string(got) != "last words" || err != nil {
					t.Errorf("read %q, %v", got, err)
				}
				if _, err := c.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
					t.Errorf("write after CloseWrite: %v", err)
				}
				s.Write([]byte("heard"))
				b := make([]byte, 10)
				if n, err := c.Read(b); string(b[:n]) != "heard" || err != nil {
					t.Errorf("read %q, %v", b[:n], err)
				}
			})
		})
	}
}

// SetLinger(0) makes Close reset the connection, anything else end it in order.
func TestSetLinger(t *testing.T) {
	for _, c := range []struct {
		sec  int
		want error
	}{{0, syscall.ECONNRESET}, {-1, io.EOF}, {5, io.EOF}} {
		synctest.Test(t, func(t *testing.T) {
			client, server := connected(t, dialtone.NewNetwork(), "tcp4")
			if err := client.SetLinger(c.sec); err != nil {
				t.Fatal(err)
			}
			client.Close()
			if _, err := server.Read(make([]byte, 1)); !errors.Is(err, c.want) {
				t.Errorf("SetLinger(%d): %v, want %v", c.sec, err, c.want)
			}
		})
	}
}

// A connection that was reset before it was accepted is accepted nevertheless, and says who it was, as Linux has it.
func TestAcceptAfterReset(t *testing.T) {
	for _, network := range []string{"tcp4", "unix"} {
		synctest.Test(t, func(t *testing.T) {
			h := dialtone.NewNetwork().Host("host.test")
			address := "127.0.0.1:80"
			if network == "unix" {
				address = "/tmp/s"
			}
			l, err := h.Listen(network, address)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			c, err := h.Dial(network, address)
			if err != nil {
				t.Fatal(err)
			}
			c.(*dialtone.Conn).SetLinger(0)
			c.Close()
			s, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if a := s.RemoteAddr(); a == nil || a.String() != c.LocalAddr().String() {
				t.Errorf("%s: accepted from %v, want %v", network, a, c.LocalAddr())
			}
			if _, err := s.Read(make([]byte, 1)); err == nil {
				t.Errorf("%s: read without an error", network)
			}
		})
	}
}

// A deadline in the year 9999, or a timeout of 292 years, is none.
func TestDistantDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := dialtone.NewNetwork()
		c, s := connected(t, n, "tcp4")
		distant := time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
		if err := c.SetDeadline(distant); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Hour, func() { s.Write([]byte("x")) })
		if _, err := c.Read(make([]byte, 1)); err != nil {
			t.Error(err)
		}
		for _, d := range []dialtone.Dialer{{Timeout: 1<<63 - 1}, {Deadline: distant}} {
			d.Host = n.Host("client.test")
			if _, err := d.Dial("tcp4", "server.test:9"); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("%v %v: %v", d.Timeout, d.Deadline, err)
			}
		}
	})
}

// Options reach the socket, and are those of package net at first.
func TestOptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := connected(t, dialtone.NewNetwork(), "tcp4")
		const tcp, noDelay, idle, interval, count = 6, 1, 4, 5, 6
		want := func(what string, level, name, value int) {
			t.Helper()
			for _, conn := range []*dialtone.Conn{c, s} {
				v, err := conn.RawConn().Option(level, name)
				if err != nil || socket.IntValue(v) != value {
					t.Errorf("%s: %v, %v; want %d", what, v, err, value)
				}
			}
		}
		set := func(what string, f func(*dialtone.Conn) error) {
			t.Helper()
			for _, conn := range []*dialtone.Conn{c, s} {
				if err := f(conn); err != nil {
					t.Errorf("%s: %v", what, err)
				}
			}
		}
		want("TCP_NODELAY", tcp, noDelay, 1)
		want("SO_KEEPALIVE", socket.SolSocket, socket.SoKeepAlive, 0)
		want("SO_SNDBUF of 10 segments", socket.SolSocket, socket.SoSndBuf, 46080) // see tcp's growSndBuf
		set("SetNoDelay", func(c *dialtone.Conn) error { return c.SetNoDelay(false) })
		want("TCP_NODELAY off", tcp, noDelay, 0)
		set("SetKeepAliveConfig", func(c *dialtone.Conn) error {
			return c.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: 1500 * time.Millisecond, Interval: -1})
		})
		want("SO_KEEPALIVE on", socket.SolSocket, socket.SoKeepAlive, 1)
		want("TCP_KEEPIDLE rounded up", tcp, idle, 2)
		want("TCP_KEEPINTVL untouched", tcp, interval, 75)
		want("TCP_KEEPCNT", tcp, count, 9)
		set("SetKeepAlive", func(c *dialtone.Conn) error { return c.SetKeepAlive(false) })
		want("SO_KEEPALIVE off", socket.SolSocket, socket.SoKeepAlive, 0)
		set("SetReadBuffer", func(c *dialtone.Conn) error { return c.SetReadBuffer(10000) })
		want("SO_RCVBUF doubled", socket.SolSocket, socket.SoRcvBuf, 20000)
		set("SetWriteBuffer", func(c *dialtone.Conn) error { return c.SetWriteBuffer(10000) })
		want("SO_SNDBUF doubled", socket.SolSocket, socket.SoSndBuf, 20000)
	})
}

// TestBufferSizes: those of a running connection count at once, and a listener's for what it accepts.
func TestBufferSizes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := dialtone.NewNetwork()
		lc := dialtone.ListenConfig{Host: n.Host("server.test"), Control: func(_, _ string, c syscall.RawConn) error {
			return c.(*dialtone.RawConn).SetOption(socket.SolSocket, socket.SoRcvBuf, socket.Int(5000))
		}}
		l, err := lc.Listen(t.Context(), "tcp4", ":7")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		c, err := n.Host("client.test").Dial("tcp4", "server.test:7")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.(*dialtone.Conn).SetWriteBuffer(6000); err != nil {
			t.Fatal(err)
		}
		if err := c.SetWriteDeadline(time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		got, err := c.Write(make([]byte, 1<<20))
		if want := 6*1448 + 2*6000; got != want || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("wrote %d bytes that nobody reads, %v; want %d: whole segments in a window of 10000, and the send buffer", got, err, want)
		}
	})
}

// There is no file, and it says so; and nobody may take the connection for one that has a descriptor.
func TestNoFile(t *testing.T) {
	n := dialtone.NewNetwork()
	c, _ := connected(t, n, "tcp4")
	l, err := n.Host("server.test").Listen("tcp", ":8")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p, err := n.Host("server.test").ListenPacket("udp", ":8")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for _, x := range []any{c, l, p} {
		_, err := x.(interface{ File() (*os.File, error) }).File()
		var op *net.OpError
		if !errors.Is(err, dialtone.ErrNoFile) || !errors.Is(err, errors.ErrUnsupported) || !errors.As(err, &op) || op.Op != "file" {
			t.Errorf("%T.File: %v", x, err)
		}
		if _, ok := x.(syscall.Conn); ok {
			t.Errorf("%T is a syscall.Conn: libraries would hand its descriptor to the kernel", x)
		}
	}
}

// RawConn waits as package net's does, heeds deadlines and Close, and offers a descriptor that the system refuses.
func TestRawConn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := connected(t, dialtone.NewNetwork(), "tcp4")
		raw := c.RawConn()
		var _ syscall.RawConn = raw
		err := raw.Control(func(fd uintptr) {
			if fd != dialtone.NoDescriptor || int(fd) != -1 {
				t.Errorf("descriptor %d", fd)
			}
		})
		if err != nil {
			t.Error(err)
		}
		time.AfterFunc(time.Second, func() { s.Write([]byte("x")) })
		calls, before := 0, time.Now()
		err = raw.Read(func(uintptr) bool {
			calls++
			m := &socket.Message{Data: make([]byte, 1), Flags: socket.MsgDontWait}
			n, _ := raw.Socket().Recv(&socket.Call{}, m)
			return n == 1
		})
		if err != nil || calls != 2 || time.Since(before) != time.Second {
			t.Errorf("read: %v, %d calls in %v", err, calls, time.Since(before))
		}
		c.SetReadDeadline(time.Now().Add(time.Second))
		var ne net.Error
		if err := raw.Read(func(uintptr) bool { return false }); !errors.As(err, &ne) || !ne.Timeout() {
			t.Errorf("read after the deadline: %v", err)
		}
		c.SetReadDeadline(time.Time{})
		time.AfterFunc(time.Second, func() { c.Close() })
		if err := raw.Read(func(uintptr) bool { return false }); !errors.Is(err, net.ErrClosed) {
			t.Errorf("read while closed: %v", err)
		}
		for what, err := range map[string]error{
			"Control": raw.Control(func(uintptr) { t.Error("called") }),
			"Write":   raw.Write(func(uintptr) bool { t.Error("called"); return true }),
		} {
			if !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s of a closed connection: %v", what, err)
			}
		}
	})
}

// A socket without a peer hears of a refused datagram if it asks for it (ip(7), IP_RECVERR).
func TestUnconnectedHearsRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := dialtone.NewNetwork()
		n.Host("closed.test")
		p, err := n.Host("client.test").ListenPacket("udp4", ":0")
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		const solIP, ipRecvErr = 0, 11
		if err := p.(*dialtone.PacketConn).RawConn().SetOption(solIP, ipRecvErr, socket.Int(1)); err != nil {
			t.Fatal(err)
		}
		if _, err := p.WriteTo([]byte("x"), &net.UDPAddr{IP: n.Addresses("closed.test")[0].AsSlice(), Port: 9}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := p.ReadFrom(make([]byte, 1)); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("read: %v", err)
		}
	})
}

// Datagrams over AF_UNIX: addresses, answers, and the end of the peer.
func TestUnixgram(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := dialtone.NewNetwork().Host("host.test")
		server, err := h.ListenPacket("unixgram", "/tmp/log")
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		named := &dialtone.Dialer{Host: h, LocalAddr: &net.UnixAddr{Name: "/tmp/me", Net: "unixgram"}}
		c, err := named.Dial("unixgram", "/tmp/log")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		unnamed, err := h.Dial("unixgram", "/tmp/log")
		if err != nil {
			t.Fatal(err)
		}
		defer unnamed.Close()
		c.Write([]byte("from me"))
		unnamed.Write([]byte("from nobody"))
		b := make([]byte, 100)
		n, from, err := server.ReadFrom(b)
		if string(b[:n]) != "from me" || from.String() != "/tmp/me" || from.Network() != "unixgram" || err != nil {
			t.Errorf("%q from %v, %v", b[:n], from, err)
		}
		if _, err := server.WriteTo([]byte("answer"), from); err != nil {
			t.Error(err)
		}
		if n, err := c.Read(b); string(b[:n]) != "answer" || err != nil {
			t.Errorf("%q, %v", b[:n], err)
		}
		if n, from, err := server.ReadFrom(b); string(b[:n]) != "from nobody" || from != nil || err != nil {
			t.Errorf("%q from %v, %v", b[:n], from, err)
		}
		server.Close()
		if _, err := c.Write([]byte("x")); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("write to a closed peer: %v", err)
		}
	})
}

// A listener's name is gone with it, unless it is told to leave it; a socket of datagrams leaves it.
func TestUnixNames(t *testing.T) {
	h := dialtone.NewNetwork().Host("host.test")
	for _, c := range []struct {
		network string
		leave   bool
		want    bool // still there
	}{{"unix", false, false}, {"unix", true, true}, {"unixpacket", false, false}, {"unixgram", false, true}} {
		const name = "/tmp/s"
		if c.network == "unixgram" {
			p, err := h.ListenPacket(c.network, name)
			if err != nil {
				t.Fatal(err)
			}
			p.Close()
		} else {
			l, err := h.Listen(c.network, name)
			if err != nil {
				t.Fatal(err)
			}
			if c.leave {
				l.(*dialtone.Listener).SetUnlinkOnClose(false)
			}
			l.Close()
		}
		if _, err := h.Tree().Stat(name); (err == nil) != c.want {
			t.Errorf("%s, left on purpose %v: %v", c.network, c.leave, err)
		}
		if c.want {
			if err := h.Tree().Remove(name); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// UDP without a net.Addr in between.
func TestUDPAddrPort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := dialtone.NewNetwork()
		a, err := n.Host("a.test").ListenPacket("udp4", ":1")
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		b, err := n.Host("b.test").ListenPacket("udp", ":2")
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		ip := n.Addresses("b.test")[0]
		to := net.UDPAddr{IP: ip.AsSlice(), Port: 2}
		if _, err := a.(*dialtone.PacketConn).WriteToUDPAddrPort([]byte("hello"), to.AddrPort()); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 3)
		k, from, err := b.(*dialtone.PacketConn).ReadFromUDPAddrPort(buf)
		if string(buf[:k]) != "hel" || from.Addr().Unmap() != n.Addresses("a.test")[0] || from.Port() != 1 || err != nil {
			t.Errorf("%q from %v, %v", buf[:k], from, err)
		}
	})
}

// A UNIX connection still tells its names when both ends and the listener are gone, as package net's does.
func TestUnixNamesLast(t *testing.T) {
	h := dialtone.NewNetwork().Host("a.test")
	for _, network := range []string{"unix", "unixpacket"} {
		for _, names := range []struct{ client, server string }{{"", "/tmp/s"}, {"/tmp/c", "/tmp/s"}, {"@c", "@s"}, {"", "@s"}} {
			l, err := h.Listen(network, names.server)
			if err != nil {
				t.Fatal(err)
			}
			d := &dialtone.Dialer{Host: h}
			unnamed := names.client == ""
			if !unnamed {
				d.LocalAddr = &net.UnixAddr{Name: names.client, Net: network}
			}
			c, err := d.Dial(network, names.server)
			if err != nil {
				t.Fatal(err)
			}
			s, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			l.Close()
			c.Close()
			s.Close()
			client := names.client
			if unnamed {
				client = "@"
			}
			for _, x := range []struct {
				got  net.Addr
				want string
			}{{c.LocalAddr(), client}, {c.RemoteAddr(), names.server}, {s.LocalAddr(), names.server}, {s.RemoteAddr(), client}} {
				if x.got.String() != x.want || x.got.Network() != network {
					t.Errorf("%s from %q to %q: %s %v, want %s", network, names.client, names.server, x.got.Network(), x.got, x.want)
				}
			}
			if !unnamed && names.client[0] == '/' {
				if err := h.Tree().Remove(names.client); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}
