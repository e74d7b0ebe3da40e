// SPDX-License-Identifier: Apache-2.0

package socket

import (
	"sync/atomic"

	"dialtone/errno"
	"dialtone/personality"
	"dialtone/sockaddr"
	"dialtone/trail"
)

// Type is a socket's type (socket(2)), in Linux's numbers.
type Type uint8

// The types.
const (
	Stream    Type = 1
	Dgram     Type = 2
	Raw       Type = 3
	SeqPacket Type = 5
)

func (t Type) String() string {
	switch t {
	case Stream:
		return "SOCK_STREAM"
	case Dgram:
		return "SOCK_DGRAM"
	case Raw:
		return "SOCK_RAW"
	case SeqPacket:
		return "SOCK_SEQPACKET"
	}
	return "SOCK_?"
}

// ConnectionOriented reports whether sockets of the type connect to one peer, once.
func (t Type) ConnectionOriented() bool { return t == Stream || t == SeqPacket }

// Socket is the socket layer's object: one open file description of a socket. The host's lock guards it; the exported
// fields are set when it is made and do not change, but where said.
type Socket struct {
	Core *Core
	// Endpoint is what the family put under the socket.
	Endpoint Endpoint
	Cookie   uint64 // SO_COOKIE: never used twice on a host
	Family   sockaddr.Family
	Type     Type

	state       personality.State
	nonBlocking bool // O_NONBLOCK of the description
	closed      bool

	Protocol int32
	// Label is access control's. It changes with the lock held.
	Label Label

	dissolved uint32      // how often AF_UNSPEC has made it fresh again
	refs      int32       // descriptors that lead here, and calls under way
	calls     int32       // calls under way
	err       errno.Errno // pending
	soft      errno.Errno // noted, and not serious enough to end anything
	opts      options
	watchers  Queue
	asleep    *sleeper     // calls that wait on s
	trail     *trail.Trail // of the attempt under way
	// Calls stop waiting at these times of the core's clock, in nanoseconds (net.Conn's deadlines); 0: they don't.
	// Written with the host locked.
	sendBy, recvBy atomic.Int64
}

// State returns where the socket stands.
func (s *Socket) State() personality.State { return s.state }

// Wake tells whoever waits at s that e happened. The endpoint calls it when readiness grows.
func (s *Socket) Wake(e Events) { s.watchers.Wake(e) }

// Watch adds a lasting interest in the socket's events; w.Remove ends it. The host must be locked for both.
func (s *Socket) Watch(w *Watch) { s.watchers.Add(w) }

// Ready returns what poll(2) would say of s now. An internet listener does not show its pending error (tcp_poll).
func (s *Socket) Ready() Events {
	e := s.Endpoint.Ready()
	failed := s.err != errno.OK && (!s.Listening() || s.Family == sockaddr.Unix)
	if !s.Core.Personality.Poll.ErrorReads {
		if failed {
			e |= Err
		}
		return e
	}
	if e &^= Err | RdHup; failed {
		e |= In | Out
	}
	return e
}

// SetError makes e pending: SO_ERROR will tell it, once, or the next call that it stops.
func (s *Socket) SetError(e errno.Errno) {
	s.err = e
	s.Wake(Err)
}

// PendingError returns the pending error and leaves it.
func (s *Socket) PendingError() errno.Errno { return s.err }

// TakeError returns the pending error, which is none from then on.
func (s *Socket) TakeError() errno.Errno {
	e := s.err
	s.err = errno.OK
	return e
}

// NoteError takes note of an error that ends nothing yet, a soft one (RFC 1122, 4.2.3.9). getsockopt(2) of SO_ERROR tells
// it, once, when nothing is pending; it stops no call.
func (s *Socket) NoteError(e errno.Errno) { s.soft = e }

// NotedError returns the error that was noted last and not read since.
func (s *Socket) NotedError() errno.Errno { return s.soft }

// readError is SO_ERROR: the pending error, else the noted one; it is gone from then on.
func (s *Socket) readError() errno.Errno {
	if e := s.TakeError(); e != errno.OK || s.Core.Personality.Stream.HidesNoted {
		return e
	}
	e := s.soft
	s.soft = errno.OK
	return e
}

// Trail returns the trail of the attempt under way; nil where nobody wants one.
func (s *Socket) Trail() *trail.Trail { return s.trail }
