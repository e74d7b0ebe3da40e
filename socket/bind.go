// SPDX-License-Identifier: Apache-2.0

package socket

import (
	"dialtone/errno"
	"dialtone/personality"
	"dialtone/sockaddr"
)

// Bind is bind(2) on a descriptor that leads to f; see [Connect].
func Bind(c *Call, p *personality.Personality, f File, raw sockaddr.Raw) errno.Errno {
	addr, s, e := argument(p, f, raw)
	if e != errno.OK {
		return e
	}
	if e := s.enter(); e != errno.OK {
		return e
	}
	defer s.leave(c)
	if e := s.check(c, OpBind, addr); e != errno.OK {
		return e
	}
	return s.Endpoint.Bind(c, addr)
}

// Listen is listen(2). A negative backlog counts as the most there can be (listen(2) casts it to unsigned).
func (s *Socket) Listen(c *Call, backlog int) errno.Errno { return s.listen(c, backlog, 0, false) }

func (s *Socket) listen(c *Call, backlog int, newconn uint32, useClient bool) errno.Errno {
	if e := s.enter(); e != errno.OK {
		return e
	}
	defer s.leave(c)
	if !s.Type.ConnectionOriented() {
		return errno.EOPNOTSUPP
	}
	if most := s.Core.Somaxconn; backlog < 0 || backlog > most {
		backlog = most
	}
	if s.Core.Access != nil {
		if e := s.Core.Access.Listen(c, s, newconn, useClient); e != errno.OK {
			return e
		}
	}
	if e := s.Endpoint.Listen(c, backlog); e != errno.OK {
		return e
	}
	s.Label.NewConn, s.Label.UseClient = newconn, useClient
	s.become(personality.Listening, "listen was called")
	return errno.OK
}
