// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"net/netip"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/tcp"
)

// Bind implements [socket.Endpoint] (inet_bind).
func (c *stream) Bind(call *socket.Call, b []byte) errno.Errno {
	a, mapped, e := c.stack.parseBind(c.family, b, c.hold.v6only)
	if e != errno.OK {
		return e
	}
	bound := c.conn.State() != tcp.Closed || c.queue != nil || c.hold.port != 0 || c.hold.number
	if e := c.stack.mayBind(call, a, c.sock, &c.opts.ipOptions, bound); e != errno.OK {
		return e
	}
	before := c.local
	c.hold.addr = a.IP
	if c.family == sockaddr.Inet6 && mapped && a.IP.IsUnspecified() {
		c.hold.v6only = false
	}
	c.local = netip.AddrPortFrom(a.IP, a.Port)
	if call.Caller != nil {
		c.hold.uid = call.Caller.UID
	}
	if a.Port == 0 && c.opts.bindNoPort {
		c.hold.address = !a.IP.IsUnspecified()
		return errno.OK // IP_BIND_ADDRESS_NO_PORT: the port is connect's to choose
	}
	if e := c.bindPort(a.Port); e != errno.OK {
		c.local = before
		return e
	}
	c.hold.address = !a.IP.IsUnspecified()
	c.hold.number = a.Port != 0
	return errno.OK
}

// bindPort takes a port for the address in c.hold; 0 is any that is free.
func (c *stream) bindPort(port uint16) errno.Errno {
	s := c.stack
	if port == 0 {
		var ok bool
		first, last := c.opts.portRange(&s.Sysctl)
		port, ok = search(first, last, s.draw(true), 1, func(p uint16) bool {
			return s.tcpPorts.unused(p) && !s.Sysctl.reserves(p)
		})
		if !ok {
			return errno.EADDRINUSE
		}
	} else if !s.tcpPorts.free(&c.hold, port, false) {
		return errno.EADDRINUSE
	}
	s.tcpPorts.take(&c.hold, port)
	c.local = netip.AddrPortFrom(c.local.Addr(), port)
	return errno.OK
}

// parseBind reads an address to bind to. On AF_INET the family AF_UNSPEC with the wildcard address is taken for AF_INET,
// for programs from the time before it was checked (inet_bind).
func (s *Stack) parseBind(f sockaddr.Family, b []byte, v6only bool) (a sockaddr.Addr, mapped bool, e errno.Errno) {
	a, mapped, e = s.parse(f, b)
	if e == errno.EAFNOSUPPORT && f == sockaddr.Inet && a.Family == sockaddr.Unspec && a.IP.IsUnspecified() {
		a.Family, e = sockaddr.Inet, errno.OK
	}
	if e == errno.OK && mapped && v6only {
		e = errno.EINVAL
	}
	return a, mapped, e
}

// mayBind checks what does not depend on the protocol: the address must be the host's own, a low port needs a capability,
// and a socket is bound once. The last comes early for AF_INET6 (inet6_bind).
func (s *Stack) mayBind(call *socket.Call, a sockaddr.Addr, sock *socket.Socket, o *ipOptions, bound bool) errno.Errno {
	switch {
	case !bound || sock.Family != sockaddr.Inet6:
	case s.privileged(call, a.Port):
		return errno.EACCES
	default:
		return errno.EINVAL
	}
	if a.IP.Is6() && a.IP.IsMulticast() && sock.Type == socket.Stream {
		return errno.EINVAL
	}
	if needsScope(a.IP) {
		if e := s.bindScope(sock, a.Scope); e != errno.OK {
			return e
		}
	}
	switch i := s.owner(a.IP); {
	case a.IP.IsUnspecified(), o.freeBind, o.transparent:
	case a.IP.IsMulticast(), s.isBroadcast(a.IP): // to hear what is sent there
	case i == nil, a.IP.Is6() && !a.IP.IsGlobalUnicast() && sock.Options().Device() != "" && sock.Options().Device() != i.Name:
		return errno.EADDRNOTAVAIL
	}
	if s.privileged(call, a.Port) {
		return errno.EACCES
	}
	if bound {
		return errno.EINVAL
	}
	return errno.OK
}

// bindScope binds a socket that is bound to an address for one link (RFC 4007) to that link's interface, whatever it was
// bound to before, and for good; without a scope it must be bound to one.
func (s *Stack) bindScope(sock *socket.Socket, scope uint32) errno.Errno {
	if scope != 0 {
		sock.Options().SetDevice(s.deviceOf(scope))
	}
	switch device := sock.Options().Device(); {
	case device == "":
		return errno.EINVAL
	case s.interfaceNamed(device) == nil:
		return s.core.Personality.IP.NoScope
	}
	return errno.OK
}

// connectScope does the same for the address to connect to, but not if the socket is bound to another interface. Whether
// there is one shows when the way is looked up.
func (s *Stack) connectScope(sock *socket.Socket, scope uint32) errno.Errno {
	if !s.scopeFits(sock, scope) {
		return errno.EINVAL
	}
	if scope != 0 {
		sock.Options().SetDevice(s.deviceOf(scope))
	}
	return errno.OK
}

// scopeFits reports whether an address for one link has a scope, by itself or by what the socket is bound to, and not two.
func (s *Stack) scopeFits(sock *socket.Socket, scope uint32) bool {
	device := sock.Options().Device()
	if scope == 0 {
		return device != ""
	}
	return device == "" || device == s.deviceOf(scope)
}

// deviceOf names the interface of a scope.
func (s *Stack) deviceOf(scope uint32) string {
	if i := s.interfaceIndexed(scope); i != nil {
		return i.Name
	}
	return socket.MissingDevice(scope)
}
