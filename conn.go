// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"io"
	"net"
	"time"

	"dialtone/errno"
	"dialtone/socket"
)

// Conn is a connected stream or seqpacket socket: what [Host.Dial] and [Listener.Accept] return as a [net.Conn]. It has
// [net.TCPConn]'s methods that set options and close one half.
//
// It does not implement [syscall.Conn], for libraries that find it hand the descriptor to the kernel (database drivers,
// to see whether a connection is alive). [Conn.RawConn] has the same calls.
type Conn struct {
	endpoint
}

// newConn takes a connected socket over.
func newConn(h *Host, s *socket.Socket, network string) *Conn {
	c := &Conn{}
	c.host, c.sock, c.network = h, s, network
	return c
}

// Read implements [net.Conn].
func (c *Conn) Read(b []byte) (int, error) {
	c.read.take(c.host)
	defer c.read.leave(c.host)
	if len(b) == 0 && !c.closed.Load() {
		return 0, nil // package net asks neither the socket nor its deadline then
	}
	n, _, err := c.recv(b)
	if n == 0 && err == nil {
		err = io.EOF
	}
	return n, err
}

// Write implements [net.Conn].
func (c *Conn) Write(b []byte) (int, error) {
	c.write.take(c.host)
	defer c.write.leave(c.host)
	if err := c.may(c.sock.WriteBy()); err != nil {
		return 0, c.opError("write", err)
	}
	o := newOperation()
	o.message.Data = b
	n, e := c.sock.Send(&o.call, &o.message)
	o.free()
	if e != errno.OK {
		return n, c.opError("write", callError("write", e))
	}
	if n < len(b) { // the deadline came, or the connection ended, in the middle
		return n, c.opError("write", c.interrupted())
	}
	return n, nil
}

// interrupted says why a write stopped in the middle.
func (c *Conn) interrupted() error {
	if err := c.may(c.sock.WriteBy()); err != nil {
		return err
	}
	e := c.sock.Error()
	if e == errno.OK {
		e = errno.EPIPE
	}
	return callError("write", e)
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
		return c.opError("close", callError("shutdown", e))
	}
	return nil
}

// Options of TCP, in Linux's numbers (tcp(7)).
const (
	solTCP       = 6
	tcpNoDelay   = 1
	tcpKeepIdle  = 4
	tcpKeepIntvl = 5
	tcpKeepCnt   = 6
)

// SetNoDelay is [net.TCPConn.SetNoDelay]: it switches TCP_NODELAY, which is on at first.
func (c *Conn) SetNoDelay(on bool) error { return c.setErr(c.setInts(solTCP, tcpNoDelay, number(on))) }

// SetLinger is [net.TCPConn.SetLinger]: what close does with unsent data; 0 resets the connection, less than 0 is the
// default. So is more, here: on Linux Close would wait that many seconds for what is not acknowledged (socket(7)).
func (c *Conn) SetLinger(sec int) error {
	return c.setErr(c.setInts(socket.SolSocket, socket.SoLinger, number(sec >= 0), max(sec, 0)))
}

// SetKeepAlive is [net.TCPConn.SetKeepAlive]: it switches SO_KEEPALIVE, which is off at first; see [Dialer].
func (c *Conn) SetKeepAlive(on bool) error {
	return c.setErr(c.setInts(socket.SolSocket, socket.SoKeepAlive, number(on)))
}

// SetKeepAlivePeriod is [net.TCPConn.SetKeepAlivePeriod]: the time before the first probe, in whole seconds.
func (c *Conn) SetKeepAlivePeriod(d time.Duration) error {
	return c.setErr(c.setInts(solTCP, tcpKeepIdle, seconds(d)))
}

// SetKeepAliveConfig is [net.TCPConn.SetKeepAliveConfig]: times in whole seconds; what is 0 is package net's default (15
// seconds, 15 seconds, 9 probes), what is less than 0 stays as it is.
func (c *Conn) SetKeepAliveConfig(k net.KeepAliveConfig) error {
	for _, o := range [...]struct{ level, name, value, otherwise int }{
		{socket.SolSocket, socket.SoKeepAlive, number(k.Enable), 0},
		{solTCP, tcpKeepIdle, seconds(k.Idle), 15},
		{solTCP, tcpKeepIntvl, seconds(k.Interval), 15},
		{solTCP, tcpKeepCnt, k.Count, 9},
	} {
		if o.value < 0 {
			continue
		}
		if o.value == 0 {
			o.value = o.otherwise
		}
		if err := c.setErr(c.setInts(o.level, o.name, o.value)); err != nil {
			return err
		}
	}
	return nil
}

// seconds rounds up, as package net does.
func seconds(d time.Duration) int {
	if d < 0 {
		return -1
	}
	return int((d + time.Second - 1) / time.Second)
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

// setErr gives what setInts returned the shape of a connection's error.
func (c *Conn) setErr(err error) error {
	if err != nil {
		return c.opError("set", err)
	}
	return nil
}
