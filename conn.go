// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// Conn is a connected stream or seqpacket socket: what [Host.Dial] and [Listener.Accept] return as a [net.Conn].
type Conn struct {
	endpoint
}

// endpoint is what connections, listeners and packet connections share: a socket and the shape of package net's errors.
type endpoint struct {
	sock    *socket.Socket
	network string
	local   net.Addr
	remote  net.Addr // nil: none
	read    half
	write   half
	closed  atomic.Bool
}

// half is one direction: calls in it take turns, and share what they need.
type half struct {
	mu       sync.Mutex
	call     socket.Call
	message  socket.Message
	deadline atomic.Int64 // of the core's clock, in nanoseconds; 0: none
}

// Socket returns the socket under the connection, for the calls that package net doesn't have.
func (e *endpoint) Socket() *socket.Socket { return e.sock }

// LocalAddr implements [net.Conn].
func (e *endpoint) LocalAddr() net.Addr { return e.local }

// RemoteAddr implements [net.Conn].
func (e *endpoint) RemoteAddr() net.Addr { return e.remote }

// Close implements [net.Conn]: calls that wait return [net.ErrClosed].
func (e *endpoint) Close() error {
	if e.closed.Swap(true) {
		return e.opError("close", net.ErrClosed)
	}
	e.read.call.Cancel(e.sock.Core)
	e.write.call.Cancel(e.sock.Core)
	e.sock.Close(&socket.Call{})
	return nil
}

// SetDeadline implements [net.Conn].
func (e *endpoint) SetDeadline(t time.Time) error { return e.setDeadlines("set", t, &e.read, &e.write) }

// SetReadDeadline implements [net.Conn].
func (e *endpoint) SetReadDeadline(t time.Time) error { return e.setDeadlines("set", t, &e.read) }

// SetWriteDeadline implements [net.Conn].
func (e *endpoint) SetWriteDeadline(t time.Time) error { return e.setDeadlines("set", t, &e.write) }

func (e *endpoint) setDeadlines(op string, t time.Time, halves ...*half) error {
	if e.closed.Load() {
		return e.opError(op, net.ErrClosed)
	}
	var at time.Duration
	if !t.IsZero() {
		// A deadline that is long past is as good as one just past.
		at = max(e.sock.Core.Now()+time.Until(t), 1)
	}
	for _, h := range halves {
		h.deadline.Store(int64(at))
	}
	e.sock.SetDeadlines(time.Duration(e.read.deadline.Load()), time.Duration(e.write.deadline.Load()))
	return nil
}

// expired reports whether the half's deadline has passed: then its calls fail even if they could do something.
func (e *endpoint) expired(h *half) bool {
	at := time.Duration(h.deadline.Load())
	return at != 0 && at <= e.sock.Core.Now()
}

// recv receives into m of the reading half, which must be locked.
func (e *endpoint) recv(op string, b []byte) (int, error) {
	if e.closed.Load() {
		return 0, e.opError(op, net.ErrClosed)
	}
	if e.expired(&e.read) {
		return 0, e.opError(op, os.ErrDeadlineExceeded)
	}
	e.read.message = socket.Message{Data: b}
	n, en := e.sock.Recv(&e.read.call, &e.read.message)
	if en != errno.OK {
		return n, e.failed(op, "read", en)
	}
	return n, nil
}

// Read implements [net.Conn].
func (c *Conn) Read(b []byte) (int, error) {
	c.read.mu.Lock()
	defer c.read.mu.Unlock()
	n, err := c.recv("read", b)
	if n == 0 && err == nil && len(b) > 0 && c.sock.Type == socket.Stream {
		err = io.EOF
	}
	return n, err
}

// Write implements [net.Conn].
func (c *Conn) Write(b []byte) (int, error) {
	c.write.mu.Lock()
	defer c.write.mu.Unlock()
	if c.closed.Load() {
		return 0, c.opError("write", net.ErrClosed)
	}
	if c.expired(&c.write) {
		return 0, c.opError("write", os.ErrDeadlineExceeded)
	}
	c.write.message = socket.Message{Data: b}
	n, e := c.sock.Send(&c.write.call, &c.write.message)
	if e != errno.OK {
		return n, c.failed("write", "write", e)
	}
	if n < len(b) { // the deadline came, or the connection ended, in the middle
		return n, c.interrupted()
	}
	return n, nil
}

// interrupted says why a write stopped in the middle.
func (c *Conn) interrupted() error {
	if c.closed.Load() {
		return c.opError("write", net.ErrClosed)
	}
	if c.expired(&c.write) {
		return c.opError("write", os.ErrDeadlineExceeded)
	}
	c.write.message = socket.Message{}
	e := c.sock.Error()
	if e == errno.OK {
		e = errno.EPIPE
	}
	return c.failed("write", "write", e)
}

// CloseRead shuts the reading half, like [net.TCPConn.CloseRead].
func (c *Conn) CloseRead() error { return c.shutdown(socket.ShutRD) }

// CloseWrite shuts the writing half, like [net.TCPConn.CloseWrite].
func (c *Conn) CloseWrite() error { return c.shutdown(socket.ShutWR) }

func (c *Conn) shutdown(how socket.How) error {
	if c.closed.Load() {
		return c.opError("close", net.ErrClosed)
	}
	if e := c.sock.Shutdown(&socket.Call{}, how); e != errno.OK {
		return c.failed("close", "shutdown", e)
	}
	return nil
}

// SetNoDelay is [net.TCPConn.SetNoDelay]: it switches TCP_NODELAY.
func (c *Conn) SetNoDelay(on bool) error {
	const solTCP, tcpNoDelay = 6, 1
	return c.setOption(solTCP, tcpNoDelay, socket.Bool(on))
}

// SetLinger is [net.TCPConn.SetLinger]: what close does with unsent data; 0 resets the connection, less than 0 is the
// default.
func (c *Conn) SetLinger(sec int) error {
	return c.setOption(socket.SolSocket, socket.SoLinger, append(socket.Bool(sec >= 0), socket.Int(max(sec, 0))...))
}

// SetKeepAlive is [net.TCPConn.SetKeepAlive]: it stores SO_KEEPALIVE.
func (c *Conn) SetKeepAlive(on bool) error {
	return c.setOption(socket.SolSocket, socket.SoKeepAlive, socket.Bool(on))
}

func (c *Conn) setOption(level, name int, value []byte) error {
	if c.closed.Load() {
		return c.opError("set", net.ErrClosed)
	}
	if e := c.sock.SetOption(&socket.Call{}, level, name, value); e != errno.OK {
		return c.failed("set", "setsockopt", e)
	}
	return nil
}

// failed shapes the error of a call as package net does: operation, network, addresses, system call, errno.
func (e *endpoint) failed(op, call string, en errno.Errno) error {
	switch en {
	case errno.ECANCELED, errno.EBADF:
		return e.opError(op, net.ErrClosed)
	case errno.EAGAIN:
		return e.opError(op, os.ErrDeadlineExceeded)
	}
	return e.opError(op, os.NewSyscallError(call, en.Syscall()))
}

func (e *endpoint) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: e.network, Source: e.local, Addr: e.remote, Err: err}
}

// netAddr returns a in package net's words for the network.
func netAddr(network string, a sockaddr.Addr) net.Addr {
	switch a.Family {
	case sockaddr.Unix:
		name := a.Name
		if a.IsAbstract() {
			name = "@" + name[1:]
		}
		return &net.UnixAddr{Name: name, Net: network}
	case sockaddr.Inet, sockaddr.Inet6:
		ap := a.AddrPort()
		if network == "udp" || network == "udp4" || network == "udp6" {
			return net.UDPAddrFromAddrPort(ap)
		}
		return net.TCPAddrFromAddrPort(ap)
	}
	return nil
}

// init takes a socket over, and finds out the names of its ends.
func (e *endpoint) init(s *socket.Socket, network string) {
	e.sock, e.network = s, network
	call := &socket.Call{}
	if a, en := s.Name(call); en == errno.OK {
		e.local = netAddr(network, a)
	}
	if a, en := s.Peer(call); en == errno.OK {
		e.remote = netAddr(network, a)
	}
}
