// SPDX-License-Identifier: Apache-2.0

package unixdomain

import (
	"dialtone/errno"
	"dialtone/socket"
)

// This file is SOCK_STREAM's data. Urgent data (MSG_OOB), which Linux has since 5.15, is not supported: EOPNOTSUPP.

// sendBytes takes as much of m as fits into SO_SNDBUF (unix_stream_sendmsg). Rights travel with the first bytes.
func (e *endpoint) sendBytes(c *socket.Call, m *socket.Message) (int, errno.Errno) {
	if err := e.control(c, m); err != errno.OK {
		return 0, err
	}
	switch {
	case m.Flags&socket.MsgOOB != 0:
		return 0, errno.EOPNOTSUPP
	case len(m.To) > 0 && e.peer != nil:
		return 0, errno.EISCONN
	case len(m.To) > 0:
		return 0, errno.EOPNOTSUPP
	case e.peer == nil:
		return 0, errno.ENOTCONN
	case e.shutWrite:
		return 0, errno.EPIPE
	}
	p := e.peer
	most := min(e.sock.SendBuffer()/2-64, streamMost) // two packets at least fit
	rights, sent := m.Rights, 0
	for sent < len(m.Data) {
		if err := e.sendRoom(); err != errno.OK {
			if sent == 0 {
				return 0, err
			}
			break
		}
		if p.dead || p.shutRead {
			return 0, errno.EPIPE
		}
		n := min(len(m.Data)-sent, most)
		e.deliver(c, m, p, m.Data[sent:sent+n], rights, weigh(n, streamHead))
		rights = nil
		sent += n
	}
	if sent > 0 {
		p.wake(socket.In)
	}
	return sent, errno.OK
}

// recvBytes fills m with what there is (unix_stream_read_generic). A read ends after bytes that rights came with, and
// before bytes from other credentials if it tells them.
func (e *endpoint) recvBytes(m *socket.Message) (int, errno.Errno) {
	switch {
	case m.Flags&socket.MsgOOB != 0:
		return 0, errno.EINVAL // there is none
	case e.peer == nil:
		return 0, errno.EINVAL
	case e.queue.len == 0:
		if err := e.sock.TakeError(); err != errno.OK || e.shutRead {
			return 0, err
		}
		return 0, errno.EAGAIN
	}
	got, peek := 0, m.Flags&socket.MsgPeek != 0
	cred := e.queue.first.cred
	e.told(m, e.queue.first)
	for p := e.queue.first; p != nil; {
		if p.cred != cred && e.sock.Options().PassCred {
			break
		}
		n := copy(m.Data[got:], p.unread())
		got += n
		hasRights := p.rights != nil
		switch {
		case peek && hasRights:
			m.Rights = p.peekRights()
		case hasRights:
			m.Rights, p.rights = p.rights, nil
		}
		switch {
		case peek:
			p = p.next
		case n < len(p.unread()):
			p.read += n
		default:
			e.queue.take().consumed()
			p = e.queue.first
		}
		if hasRights || got == len(m.Data) {
			break
		}
	}
	return got, errno.OK
}
