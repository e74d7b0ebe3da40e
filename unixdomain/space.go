// SPDX-License-Identifier: Apache-2.0

package unixdomain

import (
	"fmt"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// Space is AF_UNIX on one host. It implements [socket.Space].
type Space struct {
	core         *socket.Core
	tree         *Tree
	abstract     map[abstractName]*endpoint
	live         roll
	maxDatagrams int
}

// abstractName is a name in the abstract space: sockets of another type don't meet (a look-up with the wrong type is
// ECONNREFUSED, as if there were none).
type abstractName struct {
	typ  socket.Type
	name string
}

// New gives the host of core AF_UNIX, with tree as its files. A tree belongs to one machine: hosts that share it have cores
// made by [socket.Core.Beside].
func New(core *socket.Core, tree *Tree) *Space {
	sp := &Space{
		core: core, tree: tree, abstract: map[abstractName]*endpoint{},
		maxDatagrams: core.Personality.Unix.MaxDatagrams,
	}
	core.AddSpace(sockaddr.Unix, sp)
	return sp
}

// SetMaxDatagrams sets how many datagrams may wait at a receiver (net.unix.max_dgram_qlen), for sockets that are made
// from now on; one more than that is admitted.
func (sp *Space) SetMaxDatagrams(n int) {
	sp.core.Lock()
	sp.maxDatagrams = n
	sp.core.Unlock()
}

// NewEndpoint implements [socket.Space]. SOCK_RAW means SOCK_DGRAM, as it does on Linux.
func (sp *Space) NewEndpoint(_ *socket.Call, s *socket.Socket) (socket.Endpoint, errno.Errno) {
	if e := sp.check(s); e != errno.OK {
		return nil, e
	}
	return sp.newEndpoint(s, s.Type), errno.OK
}

// check is socket(2)'s check of protocol and type (unix_create).
func (sp *Space) check(s *socket.Socket) errno.Errno {
	if s.Protocol != 0 && s.Protocol != int32(sockaddr.Unix) {
		return errno.EPROTONOSUPPORT
	}
	s.Protocol = 0
	switch s.Type {
	case socket.Stream, socket.Dgram:
		return errno.OK
	case socket.Raw:
		s.Type = socket.Dgram
		return errno.OK
	case socket.SeqPacket:
		return sp.core.Personality.Unix.NoSeqPacket
	}
	return errno.ESOCKTNOSUPPORT
}

// newEndpoint makes an endpoint. s is nil until somebody accepts it.
func (sp *Space) newEndpoint(s *socket.Socket, typ socket.Type) *endpoint {
	var e *endpoint
	if typ != socket.Dgram {
		e = &endpoint{}
	} else {
		both := &struct { // in one piece
			endpoint
			mailbox
		}{mailbox: mailbox{admits: sp.maxDatagrams + 1}}
		e = &both.endpoint
		e.mailbox = &both.mailbox
	}
	e.space, e.sock, e.typ, e.peerCred = sp, s, typ, socket.NoPeer
	sp.live.add(e)
	return e
}

// Pair implements [socket.Space] for socketpair(2).
func (sp *Space) Pair(c *socket.Call, a, b *socket.Socket) (socket.Endpoint, socket.Endpoint, errno.Errno) {
	for _, s := range []*socket.Socket{a, b} {
		if e := sp.check(s); e != errno.OK {
			return nil, nil, e
		}
	}
	x, y := sp.newEndpoint(a, a.Type), sp.newEndpoint(b, b.Type)
	x.peer, y.peer = y, x
	x.peerCred, y.peerCred = credentialsOf(c), credentialsOf(c)
	return x, y, errno.OK
}

// autobind gives e a free abstract name of five hexadecimal digits (unix(7), "Autobind feature"). The search begins at a
// place that depends on the socket alone, so that the same run gives the same names.
func (sp *Space) autobind(e *endpoint) errno.Errno {
	const names = 1 << 20
	start := scramble(e.sock.Cookie)
	for i := range uint64(names) {
		name := fmt.Sprintf("\x00%05x", (start+i)%names)
		key := abstractName{e.typ, name}
		if sp.abstract[key] == nil {
			e.take(key)
			return errno.OK
		}
	}
	return errno.ENOSPC
}

// scramble spreads consecutive numbers (the finalizer of MurmurHash3).
func scramble(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}
