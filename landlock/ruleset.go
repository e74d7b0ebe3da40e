// SPDX-License-Identifier: Apache-2.0

package landlock

import (
	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// Access is a set of rights about TCP ports, in the kernel's bits (LANDLOCK_ACCESS_NET_*).
type Access uint8

// The rights.
const (
	BindTCP    Access = 1 << iota // bind(2) to the port
	ConnectTCP                    // connect(2) to the port, of whatever host
)

// Ruleset says what a process gives up (struct landlock_ruleset_attr), and what it keeps (struct landlock_net_port_attr).
type Ruleset struct {
	// Handled are the rights that are given up for all ports without a rule.
	Handled Access
	// Ports are the rules: what may still be done with a port. A port to bind is the one asked for; 0 is one of its own.
	Ports map[uint16]Access
	// ScopeAbstract: AF_UNIX sockets that were made outside of the sandbox are out of reach by an abstract name
	// (LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET).
	ScopeAbstract bool
}

// maxLayers is how often a process can be restricted (LANDLOCK_MAX_NUM_LAYERS).
const maxLayers = 16

// Restrict makes a ruleset hold for the caller's later calls, beside those that hold already: landlock_restrict_self(2).
// The caller is taken to have no_new_privs, which the kernel asks for. ENOMSG: the ruleset, or one of its rules, says
// nothing. EINVAL: a rule is about rights that the ruleset doesn't handle. E2BIG: 16 rulesets hold already. A caller must
// not be in a call meanwhile.
func Restrict(c *socket.Caller, r Ruleset) errno.Errno {
	if r.Handled == 0 && !r.ScopeAbstract {
		return errno.ENOMSG
	}
	if r.Handled&^(BindTCP|ConnectTCP) != 0 {
		return errno.EINVAL
	}
	kept := make(map[uint16]Access, len(r.Ports))
	for port, a := range r.Ports {
		switch {
		case a == 0:
			return errno.ENOMSG
		case a&^r.Handled != 0:
			return errno.EINVAL
		}
		kept[port] = a
	}
	layers := 1
	for d := c.Domain; d != nil; d = d.Outer {
		layers++
	}
	if layers > maxLayers {
		return errno.E2BIG
	}
	c.Domain = &socket.Domain{Outer: c.Domain, Limit: limit{r.Handled, kept}, ScopeAbstract: r.ScopeAbstract}
	return errno.OK
}

// limit is a ruleset that holds. It implements [socket.Limit].
type limit struct {
	handled Access
	kept    map[uint16]Access
}

// Check implements [socket.Limit] (current_check_access_socket).
func (l limit) Check(s *socket.Socket, op socket.Op, addr []byte) errno.Errno {
	wanted := ConnectTCP
	if op == socket.OpBind {
		wanted = BindTCP
	}
	if l.handled&wanted == 0 || !isTCP(s) {
		return errno.OK
	}
	if len(addr) < sockaddr.LenFamily {
		return errno.EINVAL
	}
	family := sockaddr.FamilyOf(addr)
	least := sockaddr.LenInet
	switch {
	case family == sockaddr.Unspec && wanted == ConnectTCP:
		return errno.OK // dissolving gives up more yet
	case family == sockaddr.Unspec:
		if e := unspecified(s, addr); e != errno.OK {
			return e
		}
	case family == sockaddr.Inet6:
		least = sockaddr.LenInet6Short
	case family != sockaddr.Inet:
		return errno.OK // the protocol will refuse it
	}
	switch {
	case len(addr) < least:
		return errno.EINVAL
	case family != sockaddr.Unspec && family != s.Family:
		return errno.EINVAL
	case l.kept[uint16(addr[2])<<8|uint16(addr[3])]&wanted == 0: // the port is in the same place in both families
		return errno.EACCES
	}
	return errno.OK
}

// unspecified is bind to an address of AF_UNSPEC, which AF_INET takes for its own wildcard.
func unspecified(s *socket.Socket, addr []byte) errno.Errno {
	switch {
	case s.Family != sockaddr.Inet && len(addr) < sockaddr.LenInet6Short, s.Family == sockaddr.Inet && len(addr) < sockaddr.LenInet:
		return errno.EINVAL
	case s.Family != sockaddr.Inet || [4]byte(addr[4:8]) != [4]byte{}:
		return errno.EAFNOSUPPORT
	}
	return errno.OK
}

// isTCP is sk_is_tcp: Multipath TCP is none.
func isTCP(s *socket.Socket) bool {
	const protoTCP = 6
	internet := s.Family == sockaddr.Inet || s.Family == sockaddr.Inet6
	return internet && s.Type == socket.Stream && s.Protocol == protoTCP
}
