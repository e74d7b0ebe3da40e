// SPDX-License-Identifier: Apache-2.0

package socket

import (
	"dialtone/errno"
	"dialtone/sockaddr"
)

// Name is getsockname(2).
func (s *Socket) Name(c *Call) (sockaddr.Addr, errno.Errno) {
	if e := s.enter(); e != errno.OK {
		return sockaddr.Addr{}, e
	}
	defer s.leave(c)
	if e := s.check(c, OpName, nil); e != errno.OK {
		return sockaddr.Addr{}, e
	}
	return s.Endpoint.Name(), errno.OK
}

// Peer is getpeername(2).
func (s *Socket) Peer(c *Call) (sockaddr.Addr, errno.Errno) {
	if e := s.enter(); e != errno.OK {
		return sockaddr.Addr{}, e
	}
	defer s.leave(c)
	if e := s.check(c, OpName, nil); e != errno.OK {
		return sockaddr.Addr{}, e
	}
	return s.Endpoint.Peer()
}

// Ends returns the addresses of both ends of a connection, whatever has become of it since; ok is false where the
// endpoint is no [Remote].
func (s *Socket) Ends() (local, peer sockaddr.Addr, ok bool) {
	s.Core.Lock()
	defer s.Core.Unlock()
	if r, ok := s.Endpoint.(Remote); ok {
		return s.Endpoint.Name(), r.Remote(), true
	}
	return local, peer, false
}

// Shutdown is shutdown(2).
func (s *Socket) Shutdown(c *Call, how How) errno.Errno {
	if e := s.enter(); e != errno.OK {
		return e
	}
	defer s.leave(c)
	if how < ShutRD || how > ShutRDWR {
		return errno.EINVAL
	}
	if e := s.check(c, OpShutdown, nil); e != errno.OK {
		return e
	}
	return s.Endpoint.Shutdown(c, how)
}

// SetNonBlocking is fcntl(2)'s O_NONBLOCK.
func (s *Socket) SetNonBlocking(on bool) {
	s.Core.Lock()
	s.nonBlocking = on
	s.Core.Unlock()
}

// NonBlocking reports whether O_NONBLOCK is set.
func (s *Socket) NonBlocking() bool {
	s.Core.Lock()
	defer s.Core.Unlock()
	return s.nonBlocking
}

// Hold counts one more descriptor that leads to s (dup(2), fork(2), SCM_RIGHTS).
func (s *Socket) Hold() {
	s.Core.Lock()
	s.refs++
	s.Core.Unlock()
}

// enter begins a call on s: it takes the lock, and holds the socket until the call leaves, whoever closes it meanwhile.
func (s *Socket) enter() errno.Errno {
	s.Core.Lock()
	if s.closed {
		s.Core.Unlock()
		return errno.EBADF
	}
	s.refs++
	s.calls++
	return errno.OK
}

// leave ends a call on s.
func (s *Socket) leave(c *Call) {
	s.calls--
	s.release(c)
	s.Core.Unlock()
}

// Close is close(2) of one descriptor that leads to s; the last one closes the socket itself. Calls that wait on it go
// on waiting: they hold the description (close(2), "Multithreaded processes"); a connect may end (CloseAborts).
func (s *Socket) Close(c *Call) {
	s.Core.Lock()
	s.release(c)
	if s.Core.Personality.Stream.CloseAborts != errno.OK && s.refs > 0 && s.refs == s.calls {
		s.Wake(Out)
	}
	s.Core.Unlock()
}

// CloseNow is Close for an owner who leaves no call behind: those that wait on s return ECANCELED, later ones EBADF.
func (s *Socket) CloseNow(c *Call) {
	s.Core.Lock()
	s.closed = true
	for sl := s.asleep; sl != nil; sl = sl.next {
		sl.end(canceled)
	}
	s.Wake(Nval)
	s.release(c)
	s.Core.Unlock()
}

// release counts one less who holds s, and closes it when nobody does.
func (s *Socket) release(c *Call) {
	s.refs--
	if s.refs == 0 {
		s.closed = true
		s.Endpoint.Close(c)
	}
}

// Error is getsockopt(2) of SO_ERROR.
func (s *Socket) Error() errno.Errno {
	s.Core.Lock()
	defer s.Core.Unlock()
	return s.readError()
}
