// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"io"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// operation is something measured alike on all its peers.
type operation struct {
	name  string
	unit  string
	less  bool // less is better
	peers []peer
	run   func(e *ends, span time.Duration) (float64, error)
}

var operations = []operation{
	{"connect+accept+close, 1 goroutine", "/s", false, streamPeers, connects(1)},
	{"connect+accept+close, 32 goroutines", "/s", false, streamPeers, connects(32)},
	{"1-byte ping-pong", "µs", true, streamPeers, pingPong},
	{"bulk, 64 KiB writes", "MB/s", false, streamPeers, bulk},
	{"memory per idle pair", "B", true, streamPeers, memory},
	{"UDP 1-byte ping-pong", "µs", true, packetPeers, pingPong},
	{"UDP 1400-byte datagrams one way", "/s", false, packetPeers, datagrams},
}

// connects returns a measurement of how many connections a second a number of goroutines make. Each connects, accepts
// (a connection of its own or another's) and closes both ends, the client first, on TCP with a reset, so that no port
// waits in TIME-WAIT.
func connects(workers int) func(*ends, time.Duration) (float64, error) {
	return func(e *ends, span time.Duration) (float64, error) {
		accept := e.accepts()
		var total atomic.Int64
		var failed atomic.Value
		var all sync.WaitGroup
		begin := time.Now()
		for range workers {
			all.Go(func() {
				n := int64(0)
				defer func() { total.Add(n) }()
				for ; time.Since(begin) < span; n++ {
					if err := connectOnce(e.dial, accept); err != nil {
						failed.Store(err)
						return
					}
				}
			})
		}
		all.Wait()
		took := time.Since(begin)
		if err, ok := failed.Load().(error); ok {
			return 0, err
		}
		return float64(total.Load()) / took.Seconds(), nil
	}
}

// connectOnce connects, accepts and closes both ends.
func connectOnce(dial, accept func() (net.Conn, error)) error {
	c, err := dial()
	if err != nil {
		return err
	}
	s, err := accept()
	if err != nil {
		return err
	}
	if l, ok := c.(interface{ SetLinger(int) error }); ok {
		if err := l.SetLinger(0); err != nil {
			return err
		}
	}
	c.Close()
	return s.Close()
}

// accepts returns what accepts a connection that was made already. Where connect waits until somebody accepts, as it does
// not on a system's sockets, another goroutine must do that.
func (e *ends) accepts() func() (net.Conn, error) {
	if !e.rendezvous {
		return e.listener.Accept
	}
	accepted := make(chan net.Conn, 1024)
	go func() {
		for {
			c, err := e.listener.Accept()
			if err != nil {
				close(accepted)
				return
			}
			accepted <- c
		}
	}()
	return func() (net.Conn, error) {
		if c, ok := <-accepted; ok {
			return c, nil
		}
		return nil, net.ErrClosed
	}
}

// pair returns both ends of one connection.
func pair(e *ends) (client, server net.Conn, err error) {
	if e.listener == nil {
		c, err := e.dial()
		return c, nil, err
	}
	accepted := make(chan net.Conn, 1)
	go func() {
		c, err := e.listener.Accept()
		if err == nil {
			accepted <- c
		}
		close(accepted)
	}()
	if client, err = e.dial(); err != nil {
		return nil, nil, err
	}
	server, ok := <-accepted
	if !ok {
		return nil, nil, errors.New("nothing was accepted")
	}
	return client, server, nil
}

// pingPong measures how long a byte takes to the server and back, in µs.
func pingPong(e *ends, span time.Duration) (float64, error) {
	c, s, err := pair(e)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	if s != nil {
		defer s.Close()
		go io.CopyBuffer(struct{ io.Writer }{s}, struct{ io.Reader }{s}, make([]byte, 1))
	}
	b := make([]byte, 1)
	begin, n := time.Now(), 0
	for ; n%64 != 0 || time.Since(begin) < span; n++ {
		if _, err := c.Write(b); err != nil {
			return 0, err
		}
		if _, err := io.ReadFull(c, b); err != nil {
			return 0, err
		}
	}
	return float64(time.Since(begin).Nanoseconds()) / 1000 / float64(n), nil
}

// bulk measures how many MB (10^6 bytes) a second one connection carries.
func bulk(e *ends, span time.Duration) (float64, error) {
	c, s, err := pair(e)
	if err != nil {
		return 0, err
	}
	received := make(chan int64)
	go func() {
		n := int64(0)
		for buf := make([]byte, 256<<10); ; {
			k, err := s.Read(buf)
			n += int64(k)
			if err != nil {
				break
			}
		}
		received <- n
	}()
	buf := make([]byte, 64<<10)
	begin := time.Now()
	for time.Since(begin) < span {
		if _, err := c.Write(buf); err != nil {
			return 0, err
		}
	}
	c.Close()
	n := <-received
	took := time.Since(begin)
	s.Close()
	return float64(n) / 1e6 / took.Seconds(), nil
}

// memory measures what an idle pair costs this process, heap and stacks, in bytes; the kernel's own memory is not seen.
func memory(e *ends, _ time.Duration) (float64, error) {
	const pairs = 4000
	servers := make(chan net.Conn, pairs)
	go func() {
		for {
			c, err := e.listener.Accept()
			if err != nil {
				return
			}
			servers <- c
		}
	}()
	open := make([]net.Conn, 0, 2*pairs)
	before := used()
	for range pairs {
		c, err := e.dial()
		if err != nil {
			return 0, err
		}
		open = append(open, c, <-servers)
	}
	bytes := float64(used()-before) / pairs
	for _, c := range open {
		c.Close()
	}
	return bytes, nil
}

// used returns the bytes of heap and stacks in use. The second collection empties what the first left in pools.
func used() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// settled is used once the timers of handshakes, of a second, have let go of what was measured before.
func settled() int64 {
	for before := used(); ; {
		time.Sleep(1500 * time.Millisecond)
		now := used()
		if now > before-before/100 {
			return now
		}
		before = now
	}
}
