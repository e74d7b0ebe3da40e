// SPDX-License-Identifier: Apache-2.0

package netlink

import (
	"bytes"

	"dialtone/errno"
	"dialtone/socket"
)

// datagram waits to be read.
type datagram struct {
	from  uint32 // port; 0: the kernel
	group uint32 // the number of the group that it was for; 0: none
	data  []byte
}

// overhead is what the bookkeeping of a datagram counts in SO_RCVBUF, in bytes: it bounds how many empty ones can wait.
const overhead = 256

// Send implements [socket.Endpoint] (netlink_sendmsg, netlink_unicast).
func (e *endpoint) Send(c *socket.Call, m *socket.Message) (int, errno.Errno) {
	if m.Flags&socket.MsgOOB != 0 {
		return 0, errno.EOPNOTSUPP
	}
	port, to := e.peerPort, e.peerGroup
	if m.To != nil {
		p, groups, err := parse(m.To)
		if err != errno.OK {
			return 0, err
		}
		if !e.maySend(c, p, groups) {
			return 0, errno.EPERM
		}
		port, to = p, group(groups)
	}
	e.autobind(c)
	switch {
	case len(m.Data) > e.sock.SendBuffer()-32:
		return 0, errno.EMSGSIZE
	}
	if to != 0 {
		e.broadcast(port, to, m.Data)
	}
	switch {
	case port == 0 && e.sock.Protocol == protoRoute:
		e.ask(m.Data)
		return len(m.Data), errno.OK
	}
	peer := e.space.bound[e.place(port)]
	switch {
	case peer == nil, peer.connected && peer.peerPort != e.port:
		return 0, errno.ECONNREFUSED
	case !peer.push(datagram{e.port, to, bytes.Clone(m.Data)}):
		c.Final = true
		return 0, errno.EAGAIN
	}
	return len(m.Data), errno.OK
}

// broadcast sends to the other members of a group, but for the one at a port: that hears it anyway (do_one_broadcast). Who has
// no room is told by ENOBUFS that it has missed something (netlink_overrun).
func (e *endpoint) broadcast(except, group uint32, data []byte) {
	for _, m := range e.space.members {
		switch {
		case m == e, m.sock.Protocol != e.sock.Protocol, m.port == except, m.groups&mask(group) == 0:
		case !m.push(datagram{e.port, group, bytes.Clone(data)}):
			m.sock.SetError(errno.ENOBUFS)
		}
	}
}

// push queues a datagram, if there is room.
func (e *endpoint) push(d datagram) bool {
	size := len(d.data) + overhead
	if e.bytes > 0 && e.bytes+size > e.sock.ReceiveBuffer() {
		return false
	}
	e.queue = append(e.queue, d)
	e.bytes += size
	e.sock.Wake(socket.In)
	return true
}

// Recv implements [socket.Endpoint] (netlink_recvmsg).
func (e *endpoint) Recv(_ *socket.Call, m *socket.Message) (int, errno.Errno) {
	if m.Flags&socket.MsgOOB != 0 {
		return 0, errno.EOPNOTSUPP
	}
	if err := e.sock.TakeError(); err != errno.OK {
		return 0, err
	}
	if len(e.queue) == 0 {
		return 0, errno.EAGAIN
	}
	d := e.queue[0]
	n := copy(m.Data, d.data)
	m.Size, m.From = len(d.data), address(d.from, mask(d.group))
	if n < len(d.data) {
		m.Out |= socket.MsgTrunc
	}
	if m.Flags&socket.MsgPeek == 0 {
		e.queue[0] = datagram{}
		if e.queue = e.queue[1:]; len(e.queue) == 0 {
			e.queue = nil
		}
		e.bytes -= len(d.data) + overhead
	}
	if m.Flags&socket.MsgTrunc != 0 {
		return len(d.data), errno.OK
	}
	return n, errno.OK
}

// Ready implements [socket.Endpoint].
func (e *endpoint) Ready() socket.Events {
	if len(e.queue) > 0 {
		return socket.In | socket.Out
	}
	return socket.Out
}
