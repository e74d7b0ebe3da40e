// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"encoding/binary"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// endpoint is what connections, listeners and packet connections share: a socket and the shape of package net's errors.
type endpoint struct {
	host    *Host
	sock    *socket.Socket
	network string
	names   atomic.Pointer[names] // nil: nobody has asked, the socket knows
	read    turn                  // calls that read take turns
	write   turn                  // and those that write
	closed  atomic.Bool
}

// names are the addresses of both ends; nil: none.
type names struct{ local, remote net.Addr }

// operation is what a call needs while it runs. An idle connection has none.
type operation struct {
	call    socket.Call
	message socket.Message
	value   [sockaddr.LenInet6]byte // of an option, or an address
}

var operations = sync.Pool{New: func() any { return new(operation) }}

func newOperation() *operation { return operations.Get().(*operation) }

// closing is the call of every close: nothing waits in one, nobody asks why it ends, so nothing writes to it.
var closing socket.Call

// free gives o back. Its call must have returned.
func (o *operation) free() {
	*o = operation{}
	operations.Put(o)
}

// name finds out the names of the socket's ends, while the socket can tell.
func (e *endpoint) name() {
	call := &socket.Call{}
	var n names
	if a, en := e.sock.Name(call); en == errno.OK {
		n.local = e.host.netAddr(e.network, a)
	}
	if a, en := e.sock.Peer(call); en == errno.OK {
		n.remote = e.host.netAddr(e.network, a)
	}
	e.names.Store(&n)
}

// ends returns the names. A connection's socket remembers them, so there are none until somebody asks; a UNIX socket that
// was bound after it had connected tells the name it has then.
func (e *endpoint) ends() *names {
	if n := e.names.Load(); n != nil {
		return n
	}
	local, remote, _ := e.sock.Ends()
	e.names.CompareAndSwap(nil, &names{e.host.netAddr(e.network, local), e.host.netAddr(e.network, remote)})
	return e.names.Load()
}

// Socket returns the socket under the connection, for the calls that package net doesn't have.
func (e *endpoint) Socket() *socket.Socket { return e.sock }

// LocalAddr implements [net.Conn].
func (e *endpoint) LocalAddr() net.Addr { return e.ends().local }

// RemoteAddr implements [net.Conn].
func (e *endpoint) RemoteAddr() net.Addr { return e.ends().remote }

// Close implements [net.Conn]: calls that wait return [net.ErrClosed].
func (e *endpoint) Close() error {
	if e.closed.Swap(true) {
		return e.opError("close", net.ErrClosed)
	}
	e.sock.CloseNow(&closing)
	return nil
}

// SetDeadline implements [net.Conn].
func (e *endpoint) SetDeadline(t time.Time) error { return e.setDeadline(socket.ShutRDWR, t) }

// SetReadDeadline implements [net.Conn].
func (e *endpoint) SetReadDeadline(t time.Time) error { return e.setDeadline(socket.ShutRD, t) }

// SetWriteDeadline implements [net.Conn].
func (e *endpoint) SetWriteDeadline(t time.Time) error { return e.setDeadline(socket.ShutWR, t) }

func (e *endpoint) setDeadline(how socket.How, t time.Time) error {
	if e.closed.Load() {
		return e.localError("set", net.ErrClosed)
	}
	var at time.Duration
	if !t.IsZero() {
		// A deadline that is long past is as good as one just past.
		at = max(later(e.sock.Core.Now(), time.Until(t)), 1)
	}
	e.sock.SetDeadline(how, at)
	return nil
}

// may says whether a call with a deadline, 0 for none, can begin: not on what is closed, nor after the deadline, even if
// it had something to do.
func (e *endpoint) may(by time.Duration) error {
	if e.closed.Load() {
		return net.ErrClosed
	}
	if by != 0 && by <= e.sock.Core.Now() {
		return os.ErrDeadlineExceeded
	}
	return nil
}

// recv receives into b, and tells from whom where the family does. The reading half must be locked.
func (e *endpoint) recv(b []byte) (n int, from sockaddr.Addr, err error) {
	if err := e.may(e.sock.ReadBy()); err != nil {
		return 0, from, e.opError("read", err)
	}
	o := newOperation()
	o.message.Data = b
	n, en := e.sock.Recv(&o.call, &o.message)
	from = o.message.From
	o.free()
	if en != errno.OK {
		return n, sockaddr.Addr{}, e.opError("read", callError("read", en))
	}
	return n, from, nil
}

// SetReadBuffer is [net.TCPConn.SetReadBuffer]: it sets SO_RCVBUF, in bytes, which Linux doubles (socket(7)).
func (e *endpoint) SetReadBuffer(bytes int) error { return e.setBuffer(socket.SoRcvBuf, bytes) }

// SetWriteBuffer is [net.TCPConn.SetWriteBuffer]: it sets SO_SNDBUF, in bytes, which Linux doubles (socket(7)).
func (e *endpoint) SetWriteBuffer(bytes int) error { return e.setBuffer(socket.SoSndBuf, bytes) }

func (e *endpoint) setBuffer(name, bytes int) error {
	if err := e.setInts(socket.SolSocket, name, bytes); err != nil {
		return e.localError("set", err)
	}
	return nil
}

// setInts is setOption with a value of C ints.
func (e *endpoint) setInts(level, name int, values ...int) error {
	o := newOperation()
	defer o.free()
	b := o.value[:0]
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, uint32(v))
	}
	return e.setOption(&o.call, level, name, b)
}

// setOption is setsockopt(2), with the error that goes into a [net.OpError].
func (e *endpoint) setOption(c *socket.Call, level, name int, value []byte) error {
	if e.closed.Load() {
		return net.ErrClosed
	}
	if en := e.sock.SetOption(c, level, name, value); en != errno.OK {
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
	return &net.OpError{Op: op, Net: e.network, Source: e.LocalAddr(), Addr: e.RemoteAddr(), Err: err}
}

// localError is what package net makes of errors that concern this end alone: deadlines, buffers, listeners.
func (e *endpoint) localError(op string, err error) error {
	return &net.OpError{Op: op, Net: e.network, Addr: e.LocalAddr(), Err: err}
}
