// SPDX-License-Identifier: Apache-2.0

package netlink

import (
	"encoding/binary"
	"math/bits"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// lenAddress is struct sockaddr_nl: family, 16 bits of nothing, port, groups.
const lenAddress = 12

// endpoint is a netlink socket. It implements [socket.Endpoint].
type endpoint struct {
	socket.Refusing
	space *space
	sock  *socket.Socket

	port      uint32 // as it shows: of a bind that failed, too
	bound     bool   // it has its port
	groups    uint32 // joined
	connected bool
	peerPort  uint32 // 0: the kernel
	peerGroup uint32 // the number of a group; 0: none

	queue []datagram
	bytes int // in queue
}

func (e *endpoint) place(port uint32) place { return place{e.sock.Protocol, port} }

// parse reads the port and groups of an address.
func parse(b []byte) (port, groups uint32, e errno.Errno) {
	if len(b) < lenAddress || sockaddr.FamilyOf(b) != sockaddr.Netlink {
		return 0, 0, errno.EINVAL
	}
	return binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint32(b[8:]), errno.OK
}

// address returns an address as the calls show it.
func address(port, groups uint32) sockaddr.Addr {
	b := make([]byte, lenAddress-sockaddr.LenFamily)
	binary.LittleEndian.PutUint32(b[2:], port)
	binary.LittleEndian.PutUint32(b[6:], groups)
	return sockaddr.OfBytes(sockaddr.Netlink, b)
}

// group returns the number of the first of groups, from 1 on; 0: none.
func group(groups uint32) uint32 {
	if groups == 0 {
		return 0
	}
	return uint32(bits.TrailingZeros32(groups)) + 1
}

// mask returns the bit of a group's number.
func mask(group uint32) uint32 {
	if group == 0 {
		return 0
	}
	return 1 << (group - 1)
}

// maySend reports whether the caller may send to others than the kernel: with CAP_NET_ADMIN, or where the protocol is for
// all (NL_CFG_F_NONROOT_SEND).
func (e *endpoint) maySend(c *socket.Call, port, groups uint32) bool {
	return port == 0 && groups == 0 || e.sock.Protocol == protoUserSock || c.Caller == nil || c.Caller.May(socket.NetAdmin)
}

// Bind implements [socket.Endpoint] (netlink_bind): a port once, groups as often as one likes.
func (e *endpoint) Bind(c *socket.Call, b []byte) errno.Errno {
	port, groups, err := parse(b)
	switch {
	case err != errno.OK:
		return err
	case groups != 0 && e.sock.Protocol != protoRoute && c.Caller != nil && !c.Caller.May(socket.NetAdmin):
		return errno.EPERM // NL_CFG_F_NONROOT_RECV is NETLINK_ROUTE's
	case e.bound && port != e.port:
		return errno.EINVAL
	case e.bound:
	case port == 0:
		e.autobind(c)
	case e.space.bound[e.place(port)] != nil:
		e.port = port // netlink_insert sets it first
		return errno.EADDRINUSE
	default:
		e.space.take(e, port)
	}
	e.space.join(e, groups)
	return errno.OK
}

// Connect implements [socket.Endpoint] (netlink_connect): to the kernel, to a port, or to a group.
func (e *endpoint) Connect(c *socket.Call, b []byte) errno.Errno {
	if len(b) < sockaddr.LenFamily {
		return errno.EINVAL
	}
	if sockaddr.FamilyOf(b) == sockaddr.Unspec {
		e.connected, e.peerPort, e.peerGroup = false, 0, 0
		return errno.OK
	}
	port, groups, err := parse(b)
	if err != errno.OK {
		return err
	}
	if !e.maySend(c, port, groups) {
		return errno.EPERM
	}
	e.autobind(c)
	e.connected, e.peerPort, e.peerGroup = true, port, group(groups)
	return errno.OK
}

// Name implements [socket.Endpoint].
func (e *endpoint) Name() sockaddr.Addr { return address(e.port, e.groups) }

// Peer implements [socket.Endpoint]: there is always one, the kernel if no other.
func (e *endpoint) Peer() (sockaddr.Addr, errno.Errno) {
	return address(e.peerPort, mask(e.peerGroup)), errno.OK
}

// Close implements [socket.Endpoint].
func (e *endpoint) Close(*socket.Call) {
	if e.bound {
		delete(e.space.bound, e.place(e.port))
	}
	e.space.join(e, 0)
	e.queue = nil
}
