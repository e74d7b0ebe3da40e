// SPDX-License-Identifier: Apache-2.0

//go:build !race

// Not under the race detector, which makes sync.Pool forget at random.

package dialtone

import (
	"io"
	"net"
	"runtime"
	"testing"
)

// linked returns a listener and a dial to it, on hosts of their own but for UNIX sockets.
func linked(tb testing.TB, network string) (net.Listener, func() net.Conn) {
	n := NewNetwork()
	server, client, at, to := n.Host("server.test"), n.Host("client.test"), ":80", "server.test:80"
	if network == "unix" {
		client, at, to = server, "@socket", "@socket"
	}
	l, err := server.Listen(network, at)
	if err != nil {
		tb.Fatal(err)
	}
	return l, func() net.Conn {
		c, err := client.Dial(network, to)
		if err != nil {
			tb.Fatal(err)
		}
		return c
	}
}

// connectOnce connects, accepts and closes both ends; on TCP with a reset, so that no port waits in TIME-WAIT.
func connectOnce(tb testing.TB, l net.Listener, dial func() net.Conn) {
	c := dial()
	s, err := l.Accept()
	if err != nil {
		tb.Fatal(err)
	}
	if c, ok := c.(*Conn); ok && l.Addr().Network() == "tcp" {
		if err := c.SetLinger(0); err != nil {
			tb.Fatal(err)
		}
	}
	c.Close()
	s.Close()
}

// TestAllocations holds what calls allocate, for both ends together.
func TestAllocations(t *testing.T) {
	check := func(name string, most float64, f func()) {
		t.Helper()
		if got := testing.AllocsPerRun(500, f); got > most {
			t.Errorf("%s: %v allocations, want %v at most", name, got, most)
		}
	}
	l, dial := linked(t, "tcp4")
	check("TCP connect+accept+close", 7, func() { connectOnce(t, l, dial) })
	u, dialUnix := linked(t, "unix")
	check("UNIX connect+accept+close", 8, func() { connectOnce(t, u, dialUnix) })

	c := dial()
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	pingPong := func(b []byte) func() {
		return func() {
			for _, way := range [][2]net.Conn{{c, s}, {s, c}} {
				if _, err := way[0].Write(b); err != nil {
					t.Fatal(err)
				}
				if _, err := io.ReadFull(way[1], b); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	check("TCP ping-pong", 2, pingPong(make([]byte, 1)))
	check("TCP ping-pong of 100 bytes", 0, pingPong(make([]byte, 100)))
	check("TCP ping-pong of 4 KiB", 0, pingPong(make([]byte, 4<<10)))

	bulk := make([]byte, 64<<10)
	check("TCP 64 KiB", 4, func() {
		if _, err := c.Write(bulk); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(s, bulk); err != nil {
			t.Fatal(err)
		}
	})
}

// TestBulk_bytes: large writes are not copied once more on their way, over lo with its large segments either.
func TestBulk_bytes(t *testing.T) {
	for _, client := range []string{"client.test", "server.test"} {
		n := NewNetwork()
		l, err := n.Host("server.test").Listen("tcp4", ":80")
		if err != nil {
			t.Fatal(err)
		}
		c, err := n.Host(client).Dial("tcp4", "server.test:80")
		if err != nil {
			t.Fatal(err)
		}
		s, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		const rounds = 200
		data := make([]byte, 64<<10)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range rounds {
			if _, err := c.Write(data); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(s, data); err != nil {
				t.Fatal(err)
			}
		}
		runtime.ReadMemStats(&after)
		if got := (after.TotalAlloc - before.TotalAlloc) / rounds; got > 2<<10 {
			t.Errorf("from %s: %d bytes allocated for %d", client, got, len(data))
		}
	}
}

func BenchmarkConnectAcceptClose(b *testing.B) {
	for _, network := range []string{"tcp4", "unix"} {
		b.Run(network, func(b *testing.B) {
			l, dial := linked(b, network)
			b.ReportAllocs()
			for b.Loop() {
				connectOnce(b, l, dial)
			}
		})
	}
}

func BenchmarkPingPong(b *testing.B) {
	for _, network := range []string{"tcp4", "unix"} {
		b.Run(network, func(b *testing.B) {
			l, dial := linked(b, network)
			c := dial()
			s, err := l.Accept()
			if err != nil {
				b.Fatal(err)
			}
			go io.Copy(s, s)
			defer s.Close()
			p := make([]byte, 1)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Write(p); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(c, p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
