// SPDX-License-Identifier: Apache-2.0

package socket

import (
	"dialtone/errno"
	"dialtone/personality"
)

// FastOpener is an [Endpoint] that may connect by sending. Its Connect may also put the attempt off until there is
// something to send (TCP_FASTOPEN_CONNECT): it calls [Socket.Defer] and answers OK.
type FastOpener interface {
	// MayFastOpen is asked before a send connects to addr.
	MayFastOpen(addr []byte) errno.Errno
	// Begin starts the attempt that was put off, with c.Text. It answers as Connect does.
	Begin(c *Call) errno.Errno
}

// Defer tells that connect returns 0 though nothing was sent. The endpoint calls it.
func (s *Socket) Defer() { s.become(personality.Deferred, "there was nothing to send yet") }

// connectsBySending reports whether a send on s is also a connect: with MSG_FASTOPEN, or after a deferred connect.
func (s *Socket) connectsBySending(m *Message) bool {
	if s.state == personality.Deferred {
		return true
	}
	_, ok := s.Endpoint.(FastOpener)
	return ok && m.Flags&MsgFastOpen != 0
}

// sendFirst connects with the first bytes of a message, and returns how many went along (tcp_sendmsg_fastopen). With OK
// the rest may be sent.
func (s *Socket) sendFirst(c *Call, m *Message) (int, errno.Errno) {
	nonBlocking := c.NonBlocking
	defer func() { c.Text, c.NonBlocking = nil, nonBlocking }()
	c.Text, c.Taken = m.Data, 0
	c.NonBlocking = nonBlocking || m.Flags&MsgDontWait != 0
	if c.Text == nil {
		c.Text = []byte{}
	}
	fast := s.Endpoint.(FastOpener)
	e := fast.MayFastOpen(m.To)
	switch {
	case e != errno.OK:
	case s.state == personality.Deferred:
		e = s.begin(c, fast)
	default:
		e = s.connect(c, m.To)
	}
	if e == errno.EINPROGRESS && c.Taken > 0 {
		return c.Taken, errno.EAGAIN // the attempt goes on, and the bytes with it
	}
	return c.Taken, e
}

// begin starts a deferred attempt, and waits for its end.
func (s *Socket) begin(c *Call, fast FastOpener) errno.Errno {
	e := fast.Begin(c)
	if e != errno.EINPROGRESS {
		return e
	}
	if s.state == personality.Deferred { // else it has ended already
		s.become(personality.Connecting, "there is something to send")
	}
	if !s.Blocks(c) {
		return errno.EINPROGRESS
	}
	return s.waitConnected(c, s.Core.Personality.Stream.SendTimeout)
}
