// SPDX-License-Identifier: Apache-2.0

package socket

import (
	"dialtone/errno"
	"dialtone/personality"
)

// Accept is accept(2): it takes the next connection from s's queue and returns its socket, connected. The new socket
// blocks, whatever s does.
func (s *Socket) Accept(c *Call) (*Socket, errno.Errno) {
	if e := s.enter(); e != errno.OK {
		return nil, e
	}
	defer s.leave(c)
	if !s.Type.ConnectionOriented() {
		return nil, errno.EOPNOTSUPP
	}
	if e := s.check(c, OpAccept, nil); e != errno.OK {
		return nil, e
	}
	fresh := s.Core.bareSocket(s.Family, s.Type, s.Protocol)
	fresh.SID = s.SID
	deadline := s.until(s.opts.ReceiveTimeout)
	for {
		ep, e := s.Endpoint.Accept(c, fresh)
		if e == errno.OK {
			fresh.Endpoint = ep
			fresh.become(personality.Connected, "accept")
			return fresh, errno.OK
		}
		if e != errno.EAGAIN || !s.Blocks(c) {
			return nil, e
		}
		if e := s.waitData(c, In, deadline, s.recvBy); e != errno.OK {
			return nil, e
		}
	}
}
