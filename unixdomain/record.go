// SPDX-License-Identifier: Apache-2.0

package unixdomain

import (
	"dialtone/errno"
	"dialtone/socket"
)

// This file is the data of SOCK_DGRAM and SOCK_SEQPACKET: records, taken and given whole. Linux passes no MSG_EOR on, so
// a record's end is not marked.

// sendRecord sends m as one record (unix_dgram_sendmsg, unix_seqpacket_sendmsg).
func (e *endpoint) sendRecord(c *socket.Call, m *socket.Message) (int, errno.Errno) {
	to := m.To
	if e.typ == socket.SeqPacket {
		if err := e.sock.TakeError(); err != errno.OK {
			return 0, err
		}
		if e.peer == nil {
			return 0, errno.ENOTCONN
		}
		to = nil
	}
	if err := e.control(c, m); err != errno.OK {
		return 0, err
	}
	if m.Flags&socket.MsgOOB != 0 {
		return 0, errno.EOPNOTSUPP
	}
	var name []byte
	if len(to) > 0 {
		var err errno.Errno
		if name, err = e.space.parse(c, to); err != errno.OK {
			return 0, err
		}
	}
	if err := e.autobindForCredentials(); err != errno.OK {
		return 0, err
	}
	if len(m.Data) > e.sock.SendBuffer()-32 {
		return 0, errno.EMSGSIZE
	}
	if err := e.sendRoom(); err != errno.OK {
		return 0, err
	}
	other := e.peer
	if name != nil {
		var err errno.Errno
		if other, err = e.space.find(c, e, name); err != errno.OK {
			return 0, err
		}
	}
	if other == nil {
		return 0, errno.ENOTCONN
	}
	if err := e.mayDeliver(c, m, other); err != errno.OK {
		return 0, err
	}
	e.deliver(c, m, other, m.Data, m.Rights, weigh(len(m.Data), recordHead))
	other.wake(socket.In)
	return len(m.Data), errno.OK
}

// mayDeliver is the one place that decides whether other takes a record from e now, in the order of Linux.
func (e *endpoint) mayDeliver(c *socket.Call, m *socket.Message, other *endpoint) errno.Errno {
	switch {
	case !other.hears(e):
		return e.space.core.Personality.Unix.NotPeer
	case other.dead: // a datagram socket's: a connection's end would be shut
		e.setPeer(c, nil)
		return errno.ECONNREFUSED
	case other.shutRead:
		return errno.EPIPE
	}
	if err := e.mayReach(c, other, m); err != errno.OK {
		return err
	}
	switch {
	case other.full(e) && e.space.core.Personality.Unix.QueueFull != errno.OK:
		return e.space.core.Personality.Unix.QueueFull
	case other.full(e):
		if e.sock.Blocks(c) && m.Flags&socket.MsgDontWait == 0 {
			c.WaitAt = &other.mailbox.room
		} else if other == e.peer {
			e.watchRoom()
		}
		return errno.EAGAIN
	}
	return errno.OK
}

// mayReach asks access control whether a record may go from e to other; m is nil before there is one.
func (e *endpoint) mayReach(c *socket.Call, other *endpoint, m *socket.Message) errno.Errno {
	if err := e.inScope(c, other); err != errno.OK {
		return err
	}
	a := e.space.core.Access
	if a == nil {
		return errno.OK
	}
	return a.Deliver(c, e.sock, other.label(), m)
}

// recvRecord fills m with the next record. What doesn't fit is lost, and MSG_TRUNC says so (__unix_dgram_recvmsg). A
// pending error comes before the data.
func (e *endpoint) recvRecord(c *socket.Call, m *socket.Message) (int, errno.Errno) {
	sequenced := e.typ == socket.SeqPacket
	switch {
	case sequenced && e.peer == nil:
		return 0, errno.ENOTCONN
	case m.Flags&socket.MsgOOB != 0:
		return 0, errno.EOPNOTSUPP
	}
	if err := e.sock.TakeError(); err != errno.OK {
		return 0, err
	}
	if e.queue.len == 0 {
		// Who doesn't wait for a datagram learns nothing of the shut half.
		waits := e.sock.Blocks(c) && m.Flags&socket.MsgDontWait == 0
		if e.shutRead && (sequenced || waits) {
			return 0, errno.OK
		}
		return 0, errno.EAGAIN
	}
	p := e.queue.first
	e.told(m, p)
	n := copy(m.Data, p.data)
	m.Size = len(p.data)
	if n < len(p.data) {
		m.Out |= socket.MsgTrunc
	}
	if m.Flags&socket.MsgPeek != 0 {
		m.Rights = p.peekRights()
		return n, errno.OK
	}
	m.Rights = p.rights
	e.queue.take().consumed()
	if e.mailbox != nil {
		e.mailbox.room.WakeOne(socket.Out)
	}
	return n, errno.OK
}
