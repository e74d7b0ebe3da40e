// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"
)

// servers are the servers inside the process: a goroutine for each listener and each connection.
type servers struct {
	running sync.WaitGroup

	mu     sync.Mutex // below it
	open   map[io.Closer]bool
	closed bool
	err    error // why servers ended before they were closed
}

// Close ends all servers, closes their connections and waits for their goroutines. It returns why a server ended before.
func (s *servers) Close() error {
	s.mu.Lock()
	s.closed = true
	open := s.open
	s.open = nil
	s.mu.Unlock()
	for c := range open {
		// Whoever else closes it at the same time gets there first: nothing is lost.
		_ = c.Close()
	}
	s.running.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// failure returns why servers have ended so far.
func (s *servers) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// keep has Close close c; it returns false, and closes c itself, if that is over. The lock must be held.
func (s *servers) keep(c io.Closer) bool {
	if s.closed {
		_ = c.Close()
		return false
	}
	if s.open == nil {
		s.open = make(map[io.Closer]bool)
	}
	s.open[c] = true
	return true
}

// add has Close close c.
func (s *servers) add(c io.Closer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep(c)
}

// run calls serve in a goroutine, and closes c after it; Close closes c and so ends it.
func (s *servers) run(c io.Closer, serve func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.keep(c) {
		return
	}
	s.running.Go(func() {
		err := serve()
		s.mu.Lock()
		delete(s.open, c)
		if err != nil && !s.closed {
			s.err = errors.Join(s.err, err)
		}
		s.mu.Unlock()
		_ = c.Close()
	})
}

// accept gives each connection that l accepts to handle, in a goroutine of its own, and closes it afterwards.
func (s *servers) accept(l net.Listener, handle func(net.Conn)) {
	s.run(l, func() error {
		for {
			c, err := l.Accept()
			switch {
			case errors.Is(err, syscall.ECONNABORTED):
				continue // that client is gone already
			case err != nil:
				return err
			}
			s.run(c, func() error {
				handle(c)
				return nil
			})
		}
	})
}

// datagramMax is more than a UDP datagram can carry, in bytes.
const datagramMax = 1 << 16

// receive answers each datagram of p with what handle returns, unless that is nil. handle must not keep its argument.
func (s *servers) receive(p net.PacketConn, handle func(datagram []byte) []byte) {
	s.run(p, func() error {
		buffer := make([]byte, datagramMax)
		for {
			n, from, err := p.ReadFrom(buffer)
			if err != nil {
				return err
			}
			if reply := handle(buffer[:n]); reply != nil {
				// UDP promises nothing: an answer that can't be sent is lost like any other.
				_, _ = p.WriteTo(reply, from)
			}
		}
	})
}

// web serves HTTP on l.
func (s *servers) web(l net.Listener, handler http.Handler) {
	// What net/http would log are clients' odd requests; standard error belongs to the program.
	server := &http.Server{Handler: handler, ErrorLog: log.New(io.Discard, "", 0)}
	s.run(server, func() error { return server.Serve(l) })
}

// echo sends back what it receives, until the client has sent all.
func echo(c net.Conn) {
	// If it breaks off, that is the client's doing, and the client knows.
	_, _ = io.Copy(c, c)
}

// resetPatience is how long reset waits for the client to say something. It gives a client that is about to learn that it
// is connected the time for that.
const resetPatience = 100 * time.Millisecond

// reset waits for the first bytes from c, though not for long, and then closes it so that the client gets a reset:
// SO_LINGER with 0 seconds (socket(7)).
func reset(c net.Conn) {
	// Whatever becomes of the waiting, the reset follows.
	_ = c.SetReadDeadline(time.Now().Add(resetPatience))
	_, _ = c.Read(make([]byte, 1))
	if l, ok := c.(interface{ SetLinger(seconds int) error }); ok {
		// It can only fail if the client has reset c first, which is no less a reset.
		_ = l.SetLinger(0)
	}
}
