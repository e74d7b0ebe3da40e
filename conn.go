// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"io"
	"net"
	"time"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// Conn is a connected stream or seqpacket socket: what [Host.Dial] and [Listener.Accept] return as a [net.Conn]. It has
// the methods of [net.TCPConn] and [net.UnixConn] that a socket in memory can have.
//
// It does not implement [syscall.Conn], for libraries that find it hand the descriptor to the kernel (database drivers,
// to see whether a connection is alive). [Conn.RawConn] has the same calls.
type Conn struct {
	endpoint
}

// newConn takes a connected socket over. TCP_NODELAY is set, as package net does.
func newConn(h *Host, s *socket.Socket, network string) *Conn {
	c := &Conn{endpoint{host: h, sock: s, network: network}}
	c.connected()
	return c
}

// connected completes a connection whose socket is connected.
func (c *Conn) connected() {
	if c.sock.Family != sockaddr.Unix {
		c.sock.SetOption(&c.write.call, solTCP, tcpNoDelay, on) // every TCP socket has it
	}
	c.name()
}

// on is the value of an option that is switched on.
var on = socket.Int(1)

// Read implements [net.Conn].
func (c *Conn) Read(b []byte) (int, error) {
	c.read.mu.Lock()
	defer c.read.mu.Unlock()
	if len(b) == 0 && c.may(&c.read) == nil {
		return 0, nil // package net does not ask the socket then
	}
	n, err := c.recv(b)
	if n == 0 && err == nil {
		err = io.EOF
	}
	return n, err
}

// Write implements [net.Conn].
func (c *Conn) Write(b []byte) (int, error) {
	c.write.mu.Lock()
	defer c.write.mu.Unlock()
	if err := c.may(&c.write); err != nil {
		return 0, c.opError("write", err)
	}
	c.write.message = socket.Message{Data: b}
	n, e := c.sock.Send(&c.write.call, &c.write.message)
	c.write.message.Data = nil
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
	if err := c.may(&c.write); err != nil {
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
func (c *Conn) SetNoDelay(noDelay bool) error {
	return c.set(solTCP, tcpNoDelay, socket.Bool(noDelay))
}

// SetLinger is [net.TCPConn.SetLinger]: what close does with unsent data; 0 resets the connection, less than 0 is the
// default.
func (c *Conn) SetLinger(sec int) error {
	return c.set(socket.SolSocket, socket.SoLinger, append(socket.Bool(sec >= 0), socket.Int(max(sec, 0))...))
}

// SetKeepAlive is [net.TCPConn.SetKeepAlive]: it switches SO_KEEPALIVE, which is off at first; see [Dialer].
func (c *Conn) SetKeepAlive(on bool) error {
	return c.set(socket.SolSocket, socket.SoKeepAlive, socket.Bool(on))
}

// SetKeepAlivePeriod is [net.TCPConn.SetKeepAlivePeriod]: the time before the first probe, in whole seconds.
func (c *Conn) SetKeepAlivePeriod(d time.Duration) error {
	return c.set(solTCP, tcpKeepIdle, socket.Int(seconds(d)))
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
		if err := c.set(o.level, o.name, socket.Int(o.value)); err != nil {
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

// set is setOption with the shape of a connection's error.
func (c *Conn) set(level, name int, value []byte) error {
	if err := c.setOption(level, name, value); err != nil {
		return c.opError("set", err)
	}
	return nil
}
