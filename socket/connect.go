// SPDX-License-Identifier: Apache-2.0

package socket

import (
	"dialtone/errno"
	"dialtone/personality"
	"dialtone/sockaddr"
)

// Connect is connect(2) on a descriptor that leads to f: nil is no open descriptor, another file than a socket is known
// by [File.Socket] returning nil.
func Connect(c *Call, p *personality.Personality, f File, raw sockaddr.Raw) errno.Errno {
	addr, s, e := argument(p, f, raw)
	if e != errno.OK {
		return e
	}
	return s.Connect(c, addr)
}

// Connect is connect(2) once the address is copied: addr may have any length.
func (s *Socket) Connect(c *Call, addr []byte) errno.Errno {
	if e := s.enter(); e != errno.OK {
		return e
	}
	defer s.leave(c)
	if e := s.check(c, OpConnect, addr); e != errno.OK {
		return e
	}
	if !s.Type.ConnectionOriented() {
		return s.Endpoint.Connect(c, addr)
	}
	if s.Family == sockaddr.Unix && s.Core.Personality.Stream.UnixLooksFirst {
		return s.attempt(c, addr)
	}
	if s.dissolves(addr) {
		return s.dissolve(c, addr)
	}
	return s.connect(c, addr)
}

// connect does what the state table says.
func (s *Socket) connect(c *Call, addr []byte) errno.Errno {
	switch r := s.rule(c); r.Action {
	case personality.Attempt:
		return s.attempt(c, addr)
	case personality.Wait:
		return s.waitConnected(c, r.Errno)
	case personality.Succeed:
		s.become(personality.Connected, "connect reported it")
		return errno.OK
	case personality.Report:
		return s.report(c, r.Errno)
	case personality.ReportDead:
		if e := s.TakeError(); e != errno.OK {
			return e
		}
		return r.Errno
	case personality.Forget:
		s.TakeError()
		return r.Errno
	case personality.Examine:
		s.TakeError()
		return s.Endpoint.Connect(c, addr)
	default:
		return r.Errno
	}
}

// attempt asks the endpoint, and waits for the end of what it began.
func (s *Socket) attempt(c *Call, addr []byte) errno.Errno {
	deadline, late := forever, false
	var room *Queue // where it waited
	for {
		if s.trail == nil {
			s.trail = c.Trail
		}
		e := s.Endpoint.Connect(c, addr)
		if e != errno.EINPROGRESS && s.state != personality.Connecting {
			s.trail = nil
		}
		switch e {
		case errno.OK:
			if s.state != personality.Deferred {
				s.become(personality.Connected, "the peer has room")
			}
			return errno.OK
		case errno.EINPROGRESS:
			s.become(personality.Connecting, "connect was called")
			if !s.Blocks(c) {
				return errno.EINPROGRESS
			}
			return s.waitConnected(c, s.Core.Personality.Stream.SendTimeout)
		case errno.EAGAIN:
			if c.WaitAt == nil || late || !s.Blocks(c) {
				c.WaitAt = nil
				return e
			}
			if deadline == forever {
				deadline = s.until(s.opts.get().sendTimeout)
			}
			room = c.WaitAt
			// When the time is up the endpoint is asked once more: it may have a better reason by now than EAGAIN.
			e = s.waitData(c, Out, deadline, s.WriteBy())
			if late = e == errno.EAGAIN; e != errno.OK && !late {
				return e
			}
		default:
			if room != nil {
				room.WakeOne(Out) // another may use what it was woken for
			}
			return e
		}
	}
}

// Await waits for the end of the attempt under way, and reports how it ended: the second half of a blocking connect, for
// who has made the first half without blocking. Unlike a second connect it is no call that a system may refuse.
func (s *Socket) Await(c *Call) errno.Errno {
	if e := s.enter(); e != errno.OK {
		return e
	}
	defer s.leave(c)
	return s.waitConnected(c, s.Core.Personality.Stream.SendTimeout)
}

// waitConnected waits until the attempt under way has ended, and reports how. late is the error if SO_SNDTIMEO runs out
// first; the attempt goes on then, as it does after EINTR (connect(2)).
func (s *Socket) waitConnected(c *Call, late errno.Errno) errno.Errno {
	if ended, e := s.waitEnded(c, late); !ended {
		return e
	}
	switch s.state {
	case personality.Unreported:
		s.become(personality.Connected, "connect reported it")
		s.trail = nil
		return errno.OK
	case personality.Connected:
		return errno.OK // another thread has reported it
	case personality.Dead:
		return s.TakeError()
	default:
		return s.report(c, errno.ECONNABORTED)
	}
}

// AwaitEnd waits for the end of the attempt under way as [Socket.Await] does, and reports nothing: whoever asks the
// socket next is told how it ended. If the wait ends before, ended is false, and e says why; late is for SO_SNDTIMEO.
func (s *Socket) AwaitEnd(c *Call, late errno.Errno) (ended bool, e errno.Errno) {
	if e := s.enter(); e != errno.OK {
		return false, e
	}
	defer s.leave(c)
	return s.waitEnded(c, late)
}

// waitEnded waits while an attempt is under way.
func (s *Socket) waitEnded(c *Call, late errno.Errno) (ended bool, e errno.Errno) {
	p := &s.Core.Personality.Stream
	deadline := forever
	if p.SendTimeout != errno.OK {
		deadline = s.until(s.opts.get().sendTimeout)
	}
	before := s.dissolved
	s.Core.settle()
	if s.dissolved != before {
		return false, p.DissolvedMeanwhile
	}
	for s.state == personality.Connecting || s.state == personality.Deferred {
		if s.refs == s.calls && p.CloseAborts != errno.OK {
			return false, p.CloseAborts
		}
		switch o := s.sleep(c, &s.watchers, Out, deadline); {
		case s.dissolved != before:
			return false, p.DissolvedMeanwhile
		case o == timedOut:
			return false, late
		case o == interrupted, o == restarted && (!p.Restarts || deadline != forever):
			return false, errno.EINTR
		case o == canceled:
			return false, errno.ECANCELED
		}
	}
	return true, errno.OK
}

// report gives the reason why an attempt failed, or none if it has been read already, and makes the socket fresh.
func (s *Socket) report(c *Call, none errno.Errno) errno.Errno {
	e := s.TakeError()
	if e == errno.OK {
		e = none
	}
	s.Endpoint.Disconnect(c)
	s.become(personality.Fresh, "the failure was reported")
	s.trail = nil
	return e
}

// dissolves reports whether addr asks a stream socket to dissolve its association.
func (s *Socket) dissolves(addr []byte) bool {
	return s.Core.Personality.Stream.UnspecDissolves && s.Family != sockaddr.Unix &&
		(len(addr) < sockaddr.LenFamily || sockaddr.FamilyOf(addr) == sockaddr.Unspec)
}

// dissolve is connect(2) to AF_UNSPEC on a stream socket.
func (s *Socket) dissolve(c *Call, addr []byte) errno.Errno {
	if len(addr) < sockaddr.LenFamily {
		return errno.EINVAL
	}
	return s.disconnect(c, "the association was dissolved")
}

func (s *Socket) disconnect(c *Call, because string) errno.Errno {
	if e := s.Endpoint.Disconnect(c); e != errno.OK {
		return e
	}
	s.dissolved++
	s.become(personality.Fresh, because)
	s.trail = nil
	s.Wake(In | Out | Hup | RdHup)
	return errno.OK
}

// Abandon ends an attempt or a connection that the caller can't use, as connect to AF_UNSPEC does on Linux, under every
// personality and without asking access control; nothing of it is left pending.
func (s *Socket) Abandon(c *Call, because string) errno.Errno {
	if e := s.enter(); e != errno.OK {
		return e
	}
	defer s.leave(c)
	e := s.disconnect(c, because)
	s.TakeError()
	return e
}
