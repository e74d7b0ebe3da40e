// SPDX-License-Identifier: Apache-2.0

package mac

import (
	"encoding/binary"
	"net/netip"

	"dialtone/errno"
	"dialtone/selinux"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// leastInet6 is the length of a struct sockaddr_in6 without its scope (SIN6_LEN_RFC2133), in bytes.
const leastInet6 = 24

// endOf reads the address and port of an internet address that has at least the length of its family.
func endOf(addr []byte) netip.AddrPort {
	port := binary.BigEndian.Uint16(addr[2:])
	if sockaddr.FamilyOf(addr) == sockaddr.Inet6 {
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(addr[8:24])), port)
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(addr[4:8])), port)
}

// internet reports whether s is of AF_INET or AF_INET6.
func internet(s *socket.Socket) bool { return s.Family == sockaddr.Inet || s.Family == sockaddr.Inet6 }

// bind checks the port and the address that a socket is bound to (selinux_socket_bind).
func (m *Module) bind(s *socket.Socket, addr []byte) errno.Errno {
	if !internet(s) {
		return errno.OK
	}
	if len(addr) < sockaddr.LenFamily {
		return errno.EINVAL
	}
	family := sockaddr.FamilyOf(addr)
	switch {
	case family == sockaddr.Inet || family == sockaddr.Unspec && s.Family == sockaddr.Inet:
		if len(addr) < sockaddr.LenInet {
			return errno.EINVAL
		}
	case family == sockaddr.Inet6 || family == sockaddr.Unspec:
		if len(addr) < leastInet6 {
			return errno.EINVAL
		}
	default:
		return errno.EAFNOSUPPORT
	}
	at := endOf(addr)
	if family == sockaddr.Unspec && s.Family == sockaddr.Inet && !at.Addr().IsUnspecified() {
		return errno.EAFNOSUPPORT // only "any" may be written so
	}
	own, class := m.sid(&s.Label), classOfSocket(s)
	m.subject.socket = nil // the record shows what is asked for
	if p := m.ports(); at.Port() != 0 && (at.Port() < max(p.First, p.Unprivileged) || at.Port() > p.Last) {
		m.subject.source = netip.AddrPortFrom(netip.Addr{}, at.Port())
		if e := m.may(own, m.server.PortSID(protocolOf(s), at.Port()), class, selinux.SocketNameBind); e != errno.OK {
			return e
		}
	}
	m.subject.source = at
	return m.may(own, m.server.NodeSID(at.Addr()), class, selinux.SocketNodeBind)
}

// connect checks the port that a TCP socket is to be connected to (selinux_socket_connect_helper).
func (m *Module) connect(s *socket.Socket, addr []byte) errno.Errno {
	if !internet(s) {
		return errno.OK
	}
	if len(addr) < sockaddr.LenFamily {
		return errno.EINVAL
	}
	family := sockaddr.FamilyOf(addr)
	class := classOfSocket(s)
	if family == sockaddr.Unspec || class != selinux.ClassTCPSocket {
		return errno.OK
	}
	switch {
	case family != sockaddr.Inet && family != sockaddr.Inet6:
		return errno.EAFNOSUPPORT
	case family == sockaddr.Inet && len(addr) < sockaddr.LenInet, family == sockaddr.Inet6 && len(addr) < leastInet6:
		return errno.EINVAL
	}
	port := endOf(addr).Port()
	m.subject.socket, m.subject.destination = nil, netip.AddrPortFrom(netip.Addr{}, port)
	return m.may(m.sid(&s.Label), m.server.PortSID(protocolOf(s), port), class, selinux.SocketNameConnect)
}

// protocolOf returns the IP protocol of an internet socket.
func protocolOf(s *socket.Socket) int {
	switch {
	case s.Protocol != 0:
		return int(s.Protocol)
	case s.Type.ConnectionOriented():
		return protoTCP
	}
	return 17
}

// connectSecure checks a wanted peer: the node that it is on must be one that can be trusted to enforce it. As in Flask it
// is the wanted peer that is asked about, and an address must have its exact length.
func (m *Module) connectSecure(s *socket.Socket, addr []byte, peer uint32) errno.Errno {
	if !m.known(peer) {
		return errno.EINVAL
	}
	if !internet(s) || sockaddr.FamilyOf(addr) == sockaddr.Unspec {
		return errno.OK
	}
	return m.enforces(s, addr, peer)
}

// sendSecure checks the wanted receiver of a datagram: the node of the address given, or of the peer.
func (m *Module) sendSecure(s *socket.Socket, msg *socket.Message) errno.Errno {
	if !m.known(msg.Receiver) {
		return errno.EINVAL
	}
	if !internet(s) {
		return errno.OK
	}
	to := msg.To
	if to == nil {
		peer, e := s.Endpoint.Peer()
		if e != errno.OK {
			return e
		}
		to = peer.Append(nil)
	}
	return m.enforces(s, to, msg.Receiver)
}

func (m *Module) enforces(s *socket.Socket, addr []byte, peer uint32) errno.Errno {
	exact := sockaddr.LenInet
	if s.Family == sockaddr.Inet6 {
		exact = sockaddr.LenInet6
	}
	if len(addr) != exact || sockaddr.FamilyOf(addr) != s.Family {
		return errno.EINVAL
	}
	node := endOf(addr).Addr()
	m.subject.socket, m.subject.destination = nil, netip.AddrPortFrom(node, 0)
	return m.may(selinux.SID(peer), m.server.NodeSID(node), selinux.ClassNode, selinux.NodeEnforceDest)
}
