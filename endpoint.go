// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"dialtone/errno"
	"dialtone/socket"
)

// endpoint is what connections, listeners and packet connections share: a socket and the shape of package net's errors.
type endpoint struct {
	host    *Host
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

// name finds out the names of the socket's ends.
func (e *endpoint) name() {
	call := &e.read.call // nobody reads yet
	if a, en := e.sock.Name(call); en == errno.OK {
		e.local = e.host.netAddr(e.network, a)
	}
	if a, en := e.sock.Peer(call); en == errno.OK {
		e.remote = e.host.netAddr(e.network, a)
	}
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
func (e *endpoint) SetDeadline(t time.Time) error { return e.setDeadlines(t, &e.read, &e.write) }

// SetReadDeadline implements [net.Conn].
func (e *endpoint) SetReadDeadline(t time.Time) error { return e.setDeadlines(t, &e.read) }

// SetWriteDeadline implements [net.Conn].
func (e *endpoint) SetWriteDeadline(t time.Time) error { return e.setDeadlines(t, &e.write) }

func (e *endpoint) setDeadlines(t time.Time, halves ...*half) error {
	if e.closed.Load() {
		return e.localError("set", net.ErrClosed)
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

// may says whether a call in one half can begin: not on what is closed, nor after the deadline, even if it had
// something to do.
func (e *endpoint) may(h *half) error {
	if e.closed.Load() {
		return net.ErrClosed
	}
	if at := time.Duration(h.deadline.Load()); at != 0 && at <= e.sock.Core.Now() {
		return os.ErrDeadlineExceeded
	}
	return nil
}

// recv receives into b, as a message of the reading half, which must be locked.
func (e *endpoint) recv(b []byte) (int, error) {
	if err := e.may(&e.read); err != nil {
		return 0, e.opError("read", err)
	}
	e.read.message = socket.Message{Data: b}
	n, en := e.sock.Recv(&e.read.call, &e.read.message)
	if en != errno.OK {
		return n, e.opError("read", callError("read", en))
	}
	return n, nil
}

// SetReadBuffer is [net.TCPConn.SetReadBuffer]: it sets SO_RCVBUF, in bytes, which Linux doubles (socket(7)).
func (e *endpoint) SetReadBuffer(bytes int) error { return e.setBuffer(socket.SoRcvBuf, bytes) }

// SetWriteBuffer is [net.TCPConn.SetWriteBuffer]: it sets SO_SNDBUF, in bytes, which Linux doubles (socket(7)).
func (e *endpoint) SetWriteBuffer(bytes int) error { return e.setBuffer(socket.SoSndBuf, bytes) }

func (e *endpoint) setBuffer(name, bytes int) error {
	if err := e.setOption(socket.SolSocket, name, socket.Int(bytes)); err != nil {
		return e.localError("set", err)
	}
	return nil
}

// setOption is setsockopt(2), with the error that goes into a [net.OpError].
func (e *endpoint) setOption(level, name int, value []byte) error {
	if e.closed.Load() {
		return net.ErrClosed
	}
	if en := e.sock.SetOption(&socket.Call{}, level, name, value); en != errno.OK {
		return callError("setsockopt", en)
	}
	return nil
}

// callError is the error of a system call as package net has it: what our own Close and deadlines made of it, or its
// errno.
func callError(call string, en errno.Errno) error {
	switch en {
	case errno.ECANCELED, errno.EBADF:
		return net.ErrClosed
	case errno.EAGAIN:
		return os.ErrDeadlineExceeded
	}
	return os.NewSyscallError(call, en.Syscall())
}

// opError is what package net makes of most errors: operation, network, both addresses.
func (e *endpoint) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: e.network, Source: e.local, Addr: e.remote, Err: err}
}

// localError is what package net makes of errors that concern this end alone: deadlines, buffers, listeners.
func (e *endpoint) localError(op string, err error) error {
	return &net.OpError{Op: op, Net: e.network, Addr: e.local, Err: err}
}
