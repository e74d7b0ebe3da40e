// SPDX-License-Identifier: Apache-2.0

package socket

import (
	"dialtone/errno"
	"dialtone/sockaddr"
)

// Op is a call that access control may refuse.
type Op uint8

// The operations, one for each kind of call.
const (
	OpCreate Op = iota
	OpBind
	OpListen
	OpConnect
	OpAccept
	OpSend
	OpReceive
	OpGetOption
	OpSetOption
	OpName
	OpShutdown
)

// Access is mandatory access control (SELinux's hooks in the socket calls). With none, nothing is asked.
type Access interface {
	// Create is asked before a socket is made, and says which SID it gets.
	Create(c *Call, family sockaddr.Family, typ Type, protocol int) (sid uint32, e errno.Errno)
	// Check is asked before an operation on s; addr are the bytes of the address it names, if it names one.
	Check(c *Call, s *Socket, op Op, addr []byte) errno.Errno
}

func (c *Core) checkCreate(call *Call, family sockaddr.Family, typ Type, protocol int) (uint32, errno.Errno) {
	if c.Access == nil {
		return 0, errno.OK
	}
	return c.Access.Create(call, family, typ, protocol)
}

// Faults says which calls fail though nothing is wrong, to rehearse what happens then. With none, nothing is asked.
type Faults interface {
	// Connect is asked before s connects, once access control has permitted it; addr are the bytes of the address.
	Connect(c *Call, s *Socket, addr []byte) errno.Errno
}

// check asks access control, then the faults, where there are any.
func (s *Socket) check(c *Call, op Op, addr []byte) errno.Errno {
	if s.Core.Access != nil {
		if e := s.Core.Access.Check(c, s, op, addr); e != errno.OK {
			return e
		}
	}
	if s.Core.Faults != nil && op == OpConnect {
		return s.Core.Faults.Connect(c, s, addr)
	}
	return errno.OK
}
