// SPDX-License-Identifier: Apache-2.0

package socket

import (
	"dialtone/errno"
	"dialtone/personality"
	"dialtone/sockaddr"
)

// NewSocket is socket(2): a socket of the family and type, fresh. protocol 0 is the type's own.
func (c *Core) NewSocket(call *Call, family sockaddr.Family, typ Type, protocol int) (*Socket, errno.Errno) {
	c.Lock()
	defer c.Unlock()
	space, s, e := c.prepare(call, family, typ, protocol)
	if e != errno.OK {
		return nil, e
	}
	s.Endpoint, e = space.NewEndpoint(call, s)
	if e != errno.OK {
		return nil, e
	}
	return s, errno.OK
}

// NewPair is socketpair(2): two sockets connected to each other.
func (c *Core) NewPair(call *Call, family sockaddr.Family, typ Type, protocol int) (a, b *Socket, e errno.Errno) {
	c.Lock()
	defer c.Unlock()
	space, a, e := c.prepare(call, family, typ, protocol)
	if e != errno.OK {
		return nil, nil, e
	}
	b = c.bareSocket(family, typ, protocol)
	b.Label = a.Label
	b.opts.rare = a.opts.rare
	a.Label.Peer, b.Label.Peer = b.Label.SID, a.Label.SID
	a.Endpoint, b.Endpoint, e = space.Pair(call, a, b)
	if e != errno.OK {
		return nil, nil, e
	}
	if typ.ConnectionOriented() {
		a.become(personality.Connected, "socketpair")
		b.become(personality.Connected, "socketpair")
	}
	return a, b, errno.OK
}

// prepare finds the space of a new socket, asks whether there may be one, and makes it without an endpoint.
func (c *Core) prepare(call *Call, family sockaddr.Family, typ Type, protocol int) (Space, *Socket, errno.Errno) {
	if family == sockaddr.Inet && typ == sockPacket && c.space(sockaddr.Packet) != nil {
		family = sockaddr.Packet // as it was made before there was AF_PACKET (packet(7))
	}
	space := c.space(family)
	if space == nil {
		return nil, nil, errno.EAFNOSUPPORT
	}
	label, e := c.checkCreate(call, family, typ, protocol)
	if e != errno.OK {
		return nil, nil, e
	}
	s := c.bareSocket(family, typ, protocol)
	s.Label = label
	if call.Caller != nil && call.Caller.Domain != nil {
		s.opts.change().domain = call.Caller.Domain
	}
	return space, s, errno.OK
}

// sockPacket is SOCK_PACKET.
const sockPacket Type = 10

// bareSocket makes a socket that has no endpoint yet.
func (c *Core) bareSocket(family sockaddr.Family, typ Type, protocol int) *Socket {
	c.cookie++
	return &Socket{Core: c, Family: family, Type: typ, Protocol: int32(protocol), Cookie: c.cookie, refs: 1}
}
