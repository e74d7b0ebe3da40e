// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestTurn_bubble: calls that wait for others on the same socket don't hold up a bubble's time.
func TestTurn_bubble(t *testing.T) {
	const callers = 3
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		n.Hub().SetLatency(10 * time.Millisecond)
		server, client := n.Host("server.test"), n.Host("client.test")
		l, err := server.Listen("tcp4", ":80")
		if err != nil {
			t.Fatal(err)
		}
		u, err := server.ListenPacket("udp4", ":53")
		if err != nil {
			t.Fatal(err)
		}
		accepted := make(chan net.Conn)
		var wg sync.WaitGroup
		for range callers {
			wg.Go(func() {
				c, err := l.Accept()
				if err != nil {
					t.Error(err)
				}
				accepted <- c
			})
			wg.Go(func() {
				b := make([]byte, 1)
				_, from, err := u.ReadFrom(b)
				if err != nil {
					t.Error(err)
					return
				}
				u.WriteTo(b, from)
			})
		}
		time.Sleep(time.Second) // they all wait
		for range callers {
			c, err := client.Dial("tcp4", "server.test:80")
			if err != nil {
				t.Fatal(err)
			}
			s := <-accepted
			for range callers { // more than the buffers take
				wg.Go(func() {
					if n, err := c.Write(make([]byte, 1<<20)); err != nil {
						t.Error(n, err)
					}
				})
			}
			synctest.Wait()
			if n, err := io.CopyN(io.Discard, s, callers<<20); err != nil {
				t.Error(n, err)
			}
			c.Close()
			s.Close()
			d, err := client.Dial("udp4", "server.test:53")
			if err != nil {
				t.Fatal(err)
			}
			d.Write([]byte{1})
			if _, err := d.Read(make([]byte, 1)); err != nil {
				t.Error(err)
			}
			d.Close()
		}
		l.Close()
		u.Close()
		wg.Wait()
	})
}

// TestTurn_order: it is the turn of whoever has waited longest.
func TestTurn_order(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewNetwork().Host("a.test")
		var at turn
		var order []int
		var wg sync.WaitGroup
		at.take(h)
		for i := range 10 {
			wg.Go(func() {
				at.take(h)
				order = append(order, i)
				time.Sleep(time.Second)
				at.leave(h)
			})
			synctest.Wait()
		}
		at.leave(h)
		wg.Wait()
		if len(order) != 10 || !slices.IsSorted(order) {
			t.Error(order)
		}
		if at.state.Load() != free {
			t.Error("it is somebody's turn still")
		}
	})
}

// TestTurn_race: one at a time, and nobody is forgotten.
func TestTurn_race(t *testing.T) {
	h := NewNetwork().Host("a.test")
	var at turn
	var wg sync.WaitGroup
	count := 0
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				at.take(h)
				count++
				at.leave(h)
			}
		})
	}
	wg.Wait()
	if count != 8000 || at.state.Load() != free {
		t.Error(count)
	}
}

// TestWriteUnderMutex is what the package doc says: with room for all that is written, a bubble's time goes on though
// writers wait for each other at a Mutex.
func TestWriteUnderMutex(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		n.Hub().SetLatency(10 * time.Millisecond)
		server, client := n.Host("server.test"), n.Host("client.test")
		if err := client.SetSysctl("net.ipv4.tcp_wmem", "4096 67108864 67108864"); err != nil {
			t.Fatal(err)
		}
		l, err := server.Listen("tcp", ":80")
		if err != nil {
			t.Fatal(err)
		}
		c, err := client.Dial("tcp", "server.test:80")
		if err != nil {
			t.Fatal(err)
		}
		s, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				mu.Lock()
				defer mu.Unlock()
				if _, err := c.Write(make([]byte, 6<<20)); err != nil {
					t.Error(err)
				}
			})
		}
		if _, err := io.CopyN(io.Discard, s, 60<<20); err != nil {
			t.Error(err)
		}
		wg.Wait()
		c.Close()
		s.Close()
		l.Close()
	})
}
