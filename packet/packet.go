// SPDX-License-Identifier: Apache-2.0

// Package packet is AF_PACKET on a host (packet(7)), as far as connect(2) and its surroundings go: who may have such a
// socket, what it is bound to, and which calls it has not. The links here carry no frames: it hears none, and sending one
// is refused.
package packet

import (
	"encoding/binary"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// typePacket is SOCK_PACKET, the type that such sockets had before there was the family.
const typePacket = 10

// lenAddress is struct sockaddr_ll: family, protocol (network order), interface, kind of hardware, kind of packet, length
// of the hardware address, 8 bytes of that.
const (
	lenAddress  = 20
	lenBare     = 12 // without the hardware address
	lenHardware = 6  // of an Ethernet address, which lo has too
)

// space is AF_PACKET on one host; it implements [socket.Space].
type space struct {
	find Find
}

// Find reports whether a host has an interface with an index, and whether that is its loopback. It is called with the host
// locked.
type Find func(index uint32) (loopback, ok bool)

// New gives the host of core AF_PACKET.
func New(core *socket.Core, find Find) { core.AddSpace(sockaddr.Packet, space{find}) }

// NewEndpoint implements [socket.Space] (packet_create).
func (sp space) NewEndpoint(c *socket.Call, s *socket.Socket) (socket.Endpoint, errno.Errno) {
	if c.Caller != nil && !c.Caller.May(socket.NetRaw) {
		return nil, errno.EPERM
	}
	switch s.Type {
	case socket.Raw, socket.Dgram, typePacket:
		return &endpoint{space: sp, sock: s}, errno.OK
	}
	return nil, errno.ESOCKTNOSUPPORT
}

// Pair implements [socket.Space].
func (space) Pair(*socket.Call, *socket.Socket, *socket.Socket) (socket.Endpoint, socket.Endpoint, errno.Errno) {
	return nil, nil, errno.EOPNOTSUPP
}

// endpoint is a packet socket. It implements [socket.Endpoint]: what it does not define is refused, connect above all.
type endpoint struct {
	socket.Refusing
	space    space
	sock     *socket.Socket
	protocol uint16 // host order
	index    uint32 // of the interface it is bound to; 0: none
}

// Bind implements [socket.Endpoint] (packet_bind): to an interface, and to a protocol if one is given.
func (e *endpoint) Bind(_ *socket.Call, b []byte) errno.Errno {
	if len(b) < lenAddress || sockaddr.FamilyOf(b) != sockaddr.Packet {
		return errno.EINVAL
	}
	index := binary.LittleEndian.Uint32(b[4:])
	if _, ok := e.space.find(index); index != 0 && !ok {
		return errno.ENODEV
	}
	e.index = index
	if p := binary.BigEndian.Uint16(b[2:]); p != 0 {
		e.protocol = p
	}
	return errno.OK
}

// Name implements [socket.Endpoint] (packet_getname).
func (e *endpoint) Name() sockaddr.Addr {
	b := make([]byte, lenBare-sockaddr.LenFamily, lenAddress)
	binary.BigEndian.PutUint16(b, e.protocol)
	binary.LittleEndian.PutUint32(b[2:], e.index)
	if e.index != 0 {
		const ethernet, loopback = 1, 772 // ARPHRD_ETHER, ARPHRD_LOOPBACK
		hardware := uint16(ethernet)
		if is, _ := e.space.find(e.index); is {
			hardware = loopback
		}
		binary.LittleEndian.PutUint16(b[6:], hardware)
		b[9] = lenHardware
		b = append(b, make([]byte, lenHardware)...)
	}
	return sockaddr.OfBytes(sockaddr.Packet, b)
}

// Recv implements [socket.Endpoint]: nothing ever comes.
func (*endpoint) Recv(*socket.Call, *socket.Message) (int, errno.Errno) { return 0, errno.EAGAIN }
