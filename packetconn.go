// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"net"
	"os"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// PacketConn is a datagram socket: what [Host.ListenPacket] returns as a [net.PacketConn], and [Host.Dial] as a
// [net.Conn].
type PacketConn struct {
	endpoint
}

func newPacketConn(s *socket.Socket, network string) *PacketConn {
	c := &PacketConn{}
	c.init(s, network)
	return c
}

// ReadFrom implements [net.PacketConn]: a datagram that does not fit is cut.
func (c *PacketConn) ReadFrom(b []byte) (int, net.Addr, error) {
	c.read.mu.Lock()
	defer c.read.mu.Unlock()
	n, err := c.recv("read", b)
	if err != nil {
		return n, nil, err
	}
	return n, netAddr(c.network, c.read.message.From), nil
}

// Read implements [net.Conn].
func (c *PacketConn) Read(b []byte) (int, error) {
	c.read.mu.Lock()
	defer c.read.mu.Unlock()
	return c.recv("read", b)
}

// WriteTo implements [net.PacketConn].
func (c *PacketConn) WriteTo(b []byte, to net.Addr) (int, error) {
	a, ok := socketAddr(to)
	if !ok {
		return 0, &net.OpError{Op: "write", Net: c.network, Source: c.local, Addr: to, Err: errno.EINVAL.Err()}
	}
	if c.remote != nil {
		return 0, &net.OpError{Op: "write", Net: c.network, Source: c.local, Addr: to, Err: net.ErrWriteToConnected}
	}
	if c.sock.Family == sockaddr.Inet6 && a.IP.Is4() {
		a = sockaddr.Addr{Family: sockaddr.Inet6, IP: mapped(a), Port: a.Port}
	}
	return c.send(a.Append(nil), to, b)
}

// Write implements [net.Conn].
func (c *PacketConn) Write(b []byte) (int, error) { return c.send(nil, c.remote, b) }

func (c *PacketConn) send(to []byte, addr net.Addr, b []byte) (int, error) {
	c.write.mu.Lock()
	defer c.write.mu.Unlock()
	fail := func(err error) error {
		return &net.OpError{Op: "write", Net: c.network, Source: c.local, Addr: addr, Err: err}
	}
	if c.closed.Load() {
		return 0, fail(net.ErrClosed)
	}
	if c.expired(&c.write) {
		return 0, fail(os.ErrDeadlineExceeded)
	}
	c.write.message = socket.Message{Data: b, To: to}
	n, e := c.sock.Send(&c.write.call, &c.write.message)
	switch e {
	case errno.OK:
		return n, nil
	case errno.ECANCELED, errno.EBADF:
		return n, fail(net.ErrClosed)
	case errno.EAGAIN:
		return n, fail(os.ErrDeadlineExceeded)
	}
	call := "write"
	if to != nil {
		call = "sendto"
	}
	return n, fail(os.NewSyscallError(call, e.Syscall()))
}

// socketAddr reads an address of package net.
func socketAddr(a net.Addr) (sockaddr.Addr, bool) {
	switch a := a.(type) {
	case *net.UDPAddr:
		ap := a.AddrPort()
		if !ap.IsValid() {
			return sockaddr.Addr{}, false
		}
		return sockaddr.Of(netipUnmap(ap)), true
	case *net.UnixAddr:
		name := a.Name
		if name != "" && name[0] == '@' {
			name = "\x00" + name[1:]
		}
		return sockaddr.OfUnix(name), true
	}
	return sockaddr.Addr{}, false
}
