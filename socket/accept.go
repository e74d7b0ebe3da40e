// SPDX-License-Identifier: Apache-2.0

package socket

import (
	"dialtone/errno"
	"dialtone/personality"
	"dialtone/sockaddr"
)

// Remote is implemented by an [Endpoint] that knows the address of a peer whom getpeername(2) does not tell: one who has
// gone, or a datagram socket's without a port.
type Remote interface {
	Remote() sockaddr.Addr
}

// From returns the address that accept(2) gives with s: the peer's, even if the connection has ended since.
func (s *Socket) From() sockaddr.Addr {
	s.Core.Lock()
	defer s.Core.Unlock()
	if r, ok := s.Endpoint.(Remote); ok {
		return r.Remote()
	}
	a, _ := s.Endpoint.Peer() // unnamed if it has none
	return a
}

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
	fresh := s.Core.bareSocket(s.Family, s.Type, int(s.Protocol))
	deadline := s.until(s.opts.get().receiveTimeout)
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
		if e := s.waitData(c, In, deadline, s.ReadBy()); e != errno.OK {
			return nil, e
		}
	}
}
