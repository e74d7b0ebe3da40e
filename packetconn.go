// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"net"
	"net/netip"
	"syscall"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// PacketConn is a datagram socket: what [Host.ListenPacket] returns as a [net.PacketConn], and [Host.Dial] as a
// [net.Conn]. Beside their methods it has those of [net.UDPConn] that take a [netip.AddrPort], and those that set buffers.
// Like [Conn] it does not implement [syscall.Conn].
type PacketConn struct {
	endpoint
}

func newPacketConn(h *Host, s *socket.Socket, network string) *PacketConn {
	c := &PacketConn{}
	c.host, c.sock, c.network = h, s, network
	c.name()
	return c
}

// Read implements [net.Conn].
func (c *PacketConn) Read(b []byte) (int, error) {
	c.read.take(c.host)
	defer c.read.leave(c.host)
	if len(b) == 0 && !c.closed.Load() {
		return 0, nil // as in Conn.Read; ReadFrom takes a datagram, whatever the room
	}
	n, _, err := c.recv(b)
	return n, err
}

// ReadFrom implements [net.PacketConn]: a datagram that does not fit is cut. The address of a UNIX socket without a name
// is nil.
func (c *PacketConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := c.readFrom(b)
	if from.Family == sockaddr.Unspec || from.Family == sockaddr.Unix && from.Name == "" {
		return n, nil, err
	}
	return n, c.host.netAddr(c.network, from), err
}

// ReadFromUDPAddrPort is [net.UDPConn.ReadFromUDPAddrPort]: ReadFrom that allocates nothing.
func (c *PacketConn) ReadFromUDPAddrPort(b []byte) (n int, addr netip.AddrPort, err error) {
	n, from, err := c.readFrom(b)
	return n, from.AddrPort(), err
}

func (c *PacketConn) readFrom(b []byte) (int, sockaddr.Addr, error) {
	c.read.take(c.host)
	defer c.read.leave(c.host)
	return c.recv(b)
}

// Write implements [net.Conn].
func (c *PacketConn) Write(b []byte) (int, error) {
	n, err := c.send(nil, "write", b)
	if err != nil {
		return n, c.opError("write", err)
	}
	return n, nil
}

// WriteTo implements [net.PacketConn].
func (c *PacketConn) WriteTo(b []byte, to net.Addr) (int, error) {
	n, err := c.writeTo(b, to)
	if err != nil {
		return n, &net.OpError{Op: "write", Net: c.network, Source: c.LocalAddr(), Addr: to, Err: err}
	}
	return n, nil
}

// WriteToUDPAddrPort is [net.UDPConn.WriteToUDPAddrPort].
func (c *PacketConn) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	return c.WriteTo(b, net.UDPAddrFromAddrPort(to))
}

func (c *PacketConn) writeTo(b []byte, to net.Addr) (int, error) {
	a, ok := c.host.socketAddr(to)
	unix := c.sock.Family == sockaddr.Unix
	switch _, tcp := to.(*net.TCPAddr); {
	case !ok || tcp || (a.Family == sockaddr.Unix) != unix:
		return 0, syscall.EINVAL
	case c.RemoteAddr() != nil:
		return 0, net.ErrWriteToConnected
	case unix && to.Network() != c.network:
		return 0, syscall.EAFNOSUPPORT
	case c.sock.Family == sockaddr.Inet6 && a.Family == sockaddr.Inet:
		a = mapped(a)
	case c.sock.Family == sockaddr.Inet && a.Family == sockaddr.Inet6:
		return 0, &net.AddrError{Err: "non-IPv4 address", Addr: a.IP.String()}
	}
	return c.send(&a, "sendto", b)
}

// send sends a datagram to an address, nil being the peer. Its error goes into a [net.OpError].
func (c *PacketConn) send(to *sockaddr.Addr, name string, b []byte) (int, error) {
	c.write.take(c.host)
	defer c.write.leave(c.host)
	if err := c.may(c.sock.WriteBy()); err != nil {
		return 0, err
	}
	o := newOperation()
	o.message.Data = b
	if to != nil {
		o.message.To = to.Append(o.value[:0])
	}
	n, e := c.sock.Send(&o.call, &o.message)
	o.free()
	if e != errno.OK {
		return n, callError(name, e)
	}
	return n, nil
}
