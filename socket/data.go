// SPDX-License-Identifier: Apache-2.0

package socket

import (
	"dialtone/errno"
	"dialtone/personality"
	"dialtone/sockaddr"
)

// Destination copies the address given to send(2), as connect's would be; no address at all is nil.
func Destination(p *personality.Personality, raw sockaddr.Raw) ([]byte, errno.Errno) {
	if raw.Null() && raw.Len == 0 {
		return nil, errno.OK
	}
	return copyAddress(p, raw)
}

// Send is send(2), sendto(2) and sendmsg(2). On a stream a blocking call returns once everything is taken; if it must
// end before, it returns what was taken, if any was (send(2), signal(7)). Whether EPIPE also means SIGPIPE is the
// caller's business.
func (s *Socket) Send(c *Call, m *Message) (int, errno.Errno) {
	if e := s.enter(); e != errno.OK {
		return 0, e
	}
	defer s.leave(c)
	if s.Core.Access != nil {
		if e := s.Core.Access.Send(c, s, m); e != errno.OK {
			return 0, e
		}
	}
	blocks := s.Blocks(c) && m.Flags&MsgDontWait == 0
	c.Final = false
	deadline := s.until(s.opts.get().sendTimeout)
	all, sent := m.Data, 0
	if s.connectsBySending(m) {
		var e errno.Errno
		sent, e = s.sendFirst(c, m)
		switch {
		case sent > 0 && (e == errno.EAGAIN || e == errno.OK && sent == len(all)):
			return sent, errno.OK
		case e != errno.OK:
			return 0, e
		}
		m.Data = all[sent:]
	}
	var room *Queue // where it waited, if not at s
	defer func() { m.Data = all }()
	for {
		n, e := s.Endpoint.Send(c, m)
		sent += n
		if e == errno.OK && (s.Type != Stream || sent == len(all)) {
			return sent, errno.OK
		}
		m.Data = all[sent:]
		if n > 0 {
			m.Rights, m.Credentials = nil, nil // they went with the first byte
		}
		if e == errno.OK || e == errno.EAGAIN {
			room = c.WaitAt
			if !blocks || c.Final {
				e = errno.EAGAIN
			} else if e = s.waitData(c, Out, deadline, s.WriteBy()); e == errno.OK {
				continue
			}
		} else if room != nil {
			room.WakeOne(Out) // another may use what it was woken for
		}
		if sent > 0 {
			if e != errno.EAGAIN && e != errno.EINTR && e != errno.ECANCELED {
				s.err = e // the bytes count first; the next call has the error
			}
			return sent, errno.OK
		}
		return 0, e
	}
}

// Recv is recv(2), recvfrom(2) and recvmsg(2): it returns how many bytes were written to m.Data. MSG_WAITALL on a stream
// waits for all of them.
func (s *Socket) Recv(c *Call, m *Message) (int, errno.Errno) {
	if e := s.enter(); e != errno.OK {
		return 0, e
	}
	defer s.leave(c)
	if e := s.check(c, OpReceive, nil); e != errno.OK {
		return 0, e
	}
	blocks := s.Blocks(c) && m.Flags&(MsgDontWait|MsgErrQueue) == 0
	waitAll := m.Flags&MsgWaitAll != 0 && s.Type == Stream && m.Flags&MsgPeek == 0
	deadline := s.until(s.opts.get().receiveTimeout)
	if s.Core.Access != nil && s.Type.ConnectionOriented() {
		m.Sender, m.SID = s.Label.Peer, s.Label.Peer // all that a connection carries has its socket's SID
	}
	all, got := m.Data, 0
	defer func() { m.Data = all }()
	for {
		n, e := s.Endpoint.Recv(c, m)
		got += n
		if e == errno.OK && (!waitAll || n == 0 || got == len(all) || m.Rights != nil) { // rights end a read (unix(7))
			return got, errno.OK
		}
		m.Data = all[got:]
		if e == errno.OK {
			continue // MSG_WAITALL: what is there already, first
		}
		if e == errno.EAGAIN && blocks {
			if e = s.waitData(c, In, deadline, s.ReadBy()); e == errno.OK {
				continue
			}
		}
		if got > 0 {
			return got, errno.OK
		}
		return 0, e
	}
}
