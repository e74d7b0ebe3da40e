// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"dialtone/errno"
	"dialtone/socket"
)

// ErrNoFile is why File fails: a socket in memory has no descriptor that the operating system knows. It is an
// [errors.ErrUnsupported].
var ErrNoFile = fmt.Errorf("a dialtone socket lives in memory and has no file descriptor: %w", errors.ErrUnsupported)

// NoDescriptor is what the functions given to [RawConn] get for a descriptor: -1, which the operating system refuses
// with EBADF, so that a function written for real sockets fails instead of acting on somebody else's file.
const NoDescriptor = ^uintptr(0)

// File fails with [ErrNoFile].
func (e *endpoint) File() (*os.File, error) { return nil, e.opError("file", ErrNoFile) }

// RawConn returns the socket as what [syscall.Conn.SyscallConn] would give.
func (e *endpoint) RawConn() *RawConn { return &RawConn{e} }

// RawConn is the socket under a connection, as a [syscall.RawConn]: what the Control functions of [Dialer] and
// [ListenConfig] get. There is no descriptor in it ([NoDescriptor] stands for one); options are read and set by its own
// methods, everything else by those of [RawConn.Socket]:
//
//	Control: func(network, address string, c syscall.RawConn) error {
//		return c.(*dialtone.RawConn).SetOption(socket.SolSocket, socket.SoReusePort, socket.Int(1))
//	},
type RawConn struct{ e *endpoint }

// Socket returns the socket.
func (r *RawConn) Socket() *socket.Socket { return r.e.sock }

// Option is getsockopt(2); the value is as a C program on x86-64 gets it. Its error is a [os.SyscallError], or
// [net.ErrClosed].
func (r *RawConn) Option(level, name int) ([]byte, error) {
	if r.e.closed.Load() {
		return nil, net.ErrClosed
	}
	v, e := r.e.sock.Option(&socket.Call{}, level, name)
	if e != errno.OK {
		return nil, callError("getsockopt", e)
	}
	return v, nil
}

// SetOption is setsockopt(2); the value is as a C program on x86-64 passes it, see [socket.Int]. Its error is a
// [os.SyscallError], or [net.ErrClosed].
func (r *RawConn) SetOption(level, name int, value []byte) error {
	return r.e.setOption(&socket.Call{}, level, name, value)
}

// Control implements [syscall.RawConn].
func (r *RawConn) Control(f func(fd uintptr)) error {
	if r.e.closed.Load() {
		return r.e.localError("raw-control", net.ErrClosed)
	}
	f(NoDescriptor)
	return nil
}

// Read implements [syscall.RawConn]: it calls f, again whenever the socket is readable, until f returns true.
func (r *RawConn) Read(f func(fd uintptr) (done bool)) error {
	return r.until("raw-read", &r.e.read, r.e.sock.ReadBy, socket.In|socket.RdHup, f)
}

// Write implements [syscall.RawConn]: it calls f, again whenever the socket is writable, until f returns true.
func (r *RawConn) Write(f func(fd uintptr) (done bool)) error {
	return r.until("raw-write", &r.e.write, r.e.sock.WriteBy, socket.Out, f)
}

func (r *RawConn) until(
	op string, turn *turn, by func() time.Duration, want socket.Events, f func(fd uintptr) (done bool),
) error {
	turn.take(r.e.host)
	defer turn.leave(r.e.host)
	for {
		if err := r.e.may(by()); err != nil {
			return r.e.opError(op, err)
		}
		if f(NoDescriptor) {
			return nil
		}
		timeout := time.Duration(-1)
		if at := by(); at != 0 {
			timeout = max(at-r.e.sock.Core.Now(), 0)
		}
		files := []socket.PollFile{{Socket: r.e.sock, Events: want | socket.Always}}
		if _, e := socket.Poll(&socket.Call{}, r.e.sock.Core, files, timeout); e != errno.OK {
			return r.e.opError(op, callError("poll", e))
		}
	}
}
