// SPDX-License-Identifier: Apache-2.0

package socket

import (
	"dialtone/errno"
	"dialtone/personality"
	"dialtone/sockaddr"
	"dialtone/trail"
)

// become is the one place where a socket's state changes. It says so in the trail of the attempt.
func (s *Socket) become(to personality.State, because string) {
	from := s.state
	s.state = to
	if s.trail != nil && from != to {
		s.trail.Add(s.Core.Now(), trail.State, "%v -> %v because %s", from, to, because)
	}
}

// Established tells that the attempt under way succeeded. The endpoint calls it, after it can carry data.
func (s *Socket) Established() {
	if s.state == personality.Connecting {
		s.become(personality.Unreported, "the peer accepted")
	}
	s.Wake(Out)
}

// Fail tells that the attempt under way, or the connection, ended with e; OK: without an error. The endpoint calls it,
// after it let go of everything the connection held. because is for the trail. A connection that ended before connect
// could report it counts as a failed attempt.
func (s *Socket) Fail(e errno.Errno, because string) {
	switch dies := s.Core.Personality.Stream.FailedIsDead; s.state {
	case personality.Connecting, personality.Unreported:
		if dies {
			s.become(personality.Dead, because)
		} else {
			s.become(personality.Failed, because)
		}
	case personality.Connected:
		if dies {
			s.become(personality.Dead, because)
		}
	}
	if e != errno.OK {
		s.err = e
	}
	s.Wake(In | Out | Err | Hup | RdHup)
}

// table returns the state table that holds for s.
func (s *Socket) table() *personality.ConnectTable {
	if s.Family != sockaddr.Inet && s.Family != sockaddr.Inet6 {
		return &s.Core.Personality.Stream.Unix // which is AF_VSOCK's too
	}
	return &s.Core.Personality.Stream.Inet
}

// rule returns what connect does now.
func (s *Socket) rule(c *Call) personality.Rule {
	cell := &s.table()[s.state]
	if s.Blocks(c) {
		return cell.Blocking
	}
	return cell.NonBlocking
}

// Refused returns the error that the state table has for a connect now; OK where it may be attempted. AF_UNIX asks it
// once it knows the peer, on systems that look first.
func (s *Socket) Refused(c *Call) errno.Errno {
	if r := s.rule(c); r.Action == personality.Refuse {
		return r.Errno
	}
	return errno.OK
}

// Busy reports whether the socket is anything but fresh: listen(2) refuses such sockets.
func (s *Socket) Busy() bool { return s.state != personality.Fresh }

// Settle tells that shutdown(2) was called, after which the end of the attempt needs no report any more: a success counts
// as reported, and after a failure connect refuses (inet_shutdown).
func (s *Socket) Settle() {
	switch s.state {
	case personality.Unreported:
		s.become(personality.Connected, "shutdown was called")
	case personality.Failed:
		s.become(personality.Dead, "shutdown was called")
	}
}

// Dissolved tells that a call other than connect ended the attempt under way: the socket is fresh again.
func (s *Socket) Dissolved(because string) {
	s.become(personality.Fresh, because)
	s.trail = nil
}
