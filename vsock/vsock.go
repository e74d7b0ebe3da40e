// SPDX-License-Identifier: Apache-2.0

// Package vsock is AF_VSOCK (vsock(7)) on a host that is no virtual machine and runs none: there is nobody to connect to,
// which is ENODEV as on a Linux without a transport. What the calls check before they find that out is Linux's.
package vsock

import (
	"encoding/binary"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// struct sockaddr_vm: family, 16 bits of nothing, port, context identifier (CID), 4 bytes of nothing more.
const (
	lenAddress = 16
	anyNumber  = 0xffffffff // VMADDR_CID_ANY, VMADDR_PORT_ANY
)

// lastReserved is the last port that takes CAP_NET_BIND_SERVICE (LAST_RESERVED_PORT).
const lastReserved = 1023

// space is AF_VSOCK on one host; it implements [socket.Space].
type space struct {
	ports map[uint32]*endpoint // bound
}

// New gives the host of core AF_VSOCK.
func New(core *socket.Core) { core.AddSpace(sockaddr.Vsock, &space{}) }

// NewEndpoint implements [socket.Space] (vsock_create): datagrams need a transport at once.
func (sp *space) NewEndpoint(_ *socket.Call, s *socket.Socket) (socket.Endpoint, errno.Errno) {
	if s.Protocol != 0 && s.Protocol != int32(sockaddr.Vsock) {
		return nil, errno.EPROTONOSUPPORT
	}
	switch s.Type {
	case socket.Stream, socket.SeqPacket:
		return &endpoint{space: sp, sock: s, port: anyNumber}, errno.OK
	case socket.Dgram:
		return nil, errno.ENODEV
	}
	return nil, errno.ESOCKTNOSUPPORT
}

// Pair implements [socket.Space].
func (*space) Pair(*socket.Call, *socket.Socket, *socket.Socket) (socket.Endpoint, socket.Endpoint, errno.Errno) {
	return nil, nil, errno.EOPNOTSUPP
}

// endpoint is a socket's part in AF_VSOCK. It implements [socket.Endpoint].
type endpoint struct {
	socket.Refusing
	space *space
	sock  *socket.Socket
	port  uint32 // anyNumber: not bound
}

// parse reads the port and CID of an address (vsock_addr_cast).
func parse(b []byte) (port, cid uint32, e errno.Errno) {
	if len(b) < lenAddress || sockaddr.FamilyOf(b) != sockaddr.Vsock {
		return 0, 0, errno.EINVAL
	}
	return binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint32(b[8:]), errno.OK
}

// Bind implements [socket.Endpoint] (__vsock_bind): the host has no CID of its own, so any is the only one.
func (e *endpoint) Bind(c *socket.Call, b []byte) errno.Errno {
	port, cid, err := parse(b)
	switch {
	case err != errno.OK:
		return err
	case e.port != anyNumber:
		return errno.EINVAL
	case cid != anyNumber:
		return errno.EADDRNOTAVAIL
	case port == anyNumber:
		for port = lastReserved + 1; e.space.ports[port] != nil; port++ { // fewer sockets than ports
		}
	case port <= lastReserved && c.Caller != nil && !c.Caller.May(socket.NetBindService):
		return errno.EACCES
	case e.space.ports[port] != nil:
		return errno.EADDRINUSE
	}
	if e.space.ports == nil {
		e.space.ports = map[uint32]*endpoint{}
	}
	e.space.ports[port] = e
	e.port = port
	return errno.OK
}

// Listen implements [socket.Endpoint] (vsock_listen).
func (e *endpoint) Listen(*socket.Call, int) errno.Errno {
	if e.port == anyNumber {
		return errno.EINVAL
	}
	return errno.OK
}

// Connect implements [socket.Endpoint] (vsock_connect): no transport, no connection (vsock_assign_transport).
func (e *endpoint) Connect(_ *socket.Call, b []byte) errno.Errno {
	if _, _, err := parse(b); err != errno.OK {
		return err
	}
	return errno.ENODEV
}

// Disconnect implements [socket.Endpoint]: AF_UNSPEC is an address of another family, like all others.
func (*endpoint) Disconnect(*socket.Call) errno.Errno { return errno.EINVAL }

// Accept implements [socket.Endpoint]: nobody ever comes.
func (e *endpoint) Accept(*socket.Call, *socket.Socket) (socket.Endpoint, errno.Errno) {
	if !e.sock.Listening() {
		return nil, errno.EINVAL
	}
	return nil, errno.EAGAIN
}

// Name implements [socket.Endpoint].
func (e *endpoint) Name() sockaddr.Addr {
	b := make([]byte, lenAddress-sockaddr.LenFamily)
	binary.LittleEndian.PutUint32(b[2:], e.port)
	binary.LittleEndian.PutUint32(b[6:], anyNumber)
	return sockaddr.OfBytes(sockaddr.Vsock, b)
}

// Peer implements [socket.Endpoint].
func (*endpoint) Peer() (sockaddr.Addr, errno.Errno) { return sockaddr.Addr{}, errno.ENOTCONN }

// Send implements [socket.Endpoint].
func (*endpoint) Send(*socket.Call, *socket.Message) (int, errno.Errno) { return 0, errno.ENOTCONN }

// Recv implements [socket.Endpoint].
func (*endpoint) Recv(*socket.Call, *socket.Message) (int, errno.Errno) { return 0, errno.ENOTCONN }

// Shutdown implements [socket.Endpoint].
func (*endpoint) Shutdown(*socket.Call, socket.How) errno.Errno { return errno.ENOTCONN }

// Ready implements [socket.Endpoint] (vsock_poll).
func (e *endpoint) Ready() socket.Events {
	if e.sock.Listening() {
		return 0
	}
	return socket.Out
}

// Close implements [socket.Endpoint].
func (e *endpoint) Close(*socket.Call) {
	if e.port != anyNumber {
		delete(e.space.ports, e.port)
	}
}
