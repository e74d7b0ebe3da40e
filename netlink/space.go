// SPDX-License-Identifier: Apache-2.0

package netlink

import (
	"slices"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// The protocols here.
const (
	protoRoute    = 0 // NETLINK_ROUTE
	protoUserSock = 2 // NETLINK_USERSOCK: for processes among themselves
)

// place is a port of a protocol.
type place struct {
	protocol int32
	port     uint32
}

// space is AF_NETLINK on one host. It implements [socket.Space]; the host's lock guards it.
type space struct {
	core    *socket.Core
	bound   map[place]*endpoint
	members []*endpoint // of groups, in the order they have joined
}

// New gives the host of core AF_NETLINK.
func New(core *socket.Core) { core.AddSpace(sockaddr.Netlink, &space{core: core}) }

// NewEndpoint implements [socket.Space] (netlink_create).
func (sp *space) NewEndpoint(_ *socket.Call, s *socket.Socket) (socket.Endpoint, errno.Errno) {
	switch {
	case s.Type != socket.Raw && s.Type != socket.Dgram:
		return nil, errno.ESOCKTNOSUPPORT
	case s.Protocol != protoRoute && s.Protocol != protoUserSock:
		return nil, errno.EPROTONOSUPPORT
	}
	return &endpoint{space: sp, sock: s}, errno.OK
}

// Pair implements [socket.Space].
func (*space) Pair(*socket.Call, *socket.Socket, *socket.Socket) (socket.Endpoint, socket.Endpoint, errno.Errno) {
	return nil, nil, errno.EOPNOTSUPP
}

// take gives e a port.
func (sp *space) take(e *endpoint, port uint32) {
	if sp.bound == nil {
		sp.bound = map[place]*endpoint{}
	}
	e.port, e.bound = port, true
	sp.bound[e.place(port)] = e
}

// join makes e a member of these groups and of no others.
func (sp *space) join(e *endpoint, groups uint32) {
	switch {
	case groups == 0:
		sp.members = slices.DeleteFunc(sp.members, func(m *endpoint) bool { return m == e })
	case e.groups == 0:
		sp.members = append(sp.members, e)
	}
	e.groups = groups
}

// autobind gives e a port of its own if it has none: the number of the process, else one from the far end of the numbers
// (netlink_autobind).
func (e *endpoint) autobind(c *socket.Call) {
	if e.bound {
		return
	}
	port := uint32(0)
	if c.Caller != nil {
		port = uint32(c.Caller.PID)
	}
	const rover = 1<<32 - 4097
	for next := uint32(rover); port == 0 || e.space.bound[e.place(port)] != nil; next-- {
		port = next // there are fewer sockets than ports
	}
	e.space.take(e, port)
}
