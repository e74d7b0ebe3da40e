// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"net/netip"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/wire"
)

// Protocols of internet sockets (ip(7), tcp(7), udp(7)); 0 stands for the type's own.
const (
	protoTCP     = 6
	protoMPTCP   = 262
	protoUDP     = 17
	protoUDPLite = 136
)

// space is AF_INET or AF_INET6 on a stack; it implements [socket.Space].
type space struct {
	stack  *Stack
	family sockaddr.Family
}

// NewEndpoint implements [socket.Space].
func (f space) NewEndpoint(call *socket.Call, s *socket.Socket) (socket.Endpoint, errno.Errno) {
	if facts := &f.stack.core.Personality.IP; s.Protocol < 0 || s.Protocol >= facts.Protocols {
		return nil, facts.NoProtocol
	}
	switch s.Type {
	case socket.Stream:
		switch {
		case s.Protocol == 0:
			s.Protocol = protoTCP
		case s.Protocol == protoTCP, s.Protocol == protoMPTCP && f.stack.core.Personality.TCP.Multipath:
		default:
			return nil, errno.EPROTONOSUPPORT
		}
		return f.stack.newStream(s), errno.OK
	case socket.Dgram:
		switch s.Protocol {
		case 0:
			s.Protocol = protoUDP
		case protoUDP, protoUDPLite:
		case f.icmp():
			return f.stack.newPing(call, s)
		default:
			return nil, errno.EPROTONOSUPPORT
		}
		return f.stack.newDatagram(s), errno.OK
	case socket.Raw:
		return f.stack.newRaw(call, s)
	}
	return nil, errno.ESOCKTNOSUPPORT
}

// Pair implements [socket.Space]: the internet families have no pairs (socketpair(2)).
func (space) Pair(_ *socket.Call, _, _ *socket.Socket) (socket.Endpoint, socket.Endpoint, errno.Errno) {
	return nil, nil, errno.EOPNOTSUPP
}

// icmp returns the protocol number of the family's ICMP.
func (f space) icmp() int32 {
	if f.family == sockaddr.Inet {
		return int32(wire.ICMP)
	}
	return int32(wire.ICMPv6)
}

// withFamily returns the address b as one of the family f.
func withFamily(f sockaddr.Family, b []byte) []byte {
	return append([]byte{byte(f), 0}, b[sockaddr.LenFamily:]...)
}

// wildcard returns the family's unspecified address.
func wildcard(f sockaddr.Family) netip.Addr {
	if f == sockaddr.Inet {
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

// leastLen returns the length that an address of the family has at least, in bytes.
func leastLen(f sockaddr.Family) int {
	if f == sockaddr.Inet {
		return sockaddr.LenInet
	}
	return sockaddr.LenInet6Short
}

// fullLen returns the length of the family's structure, in bytes.
func fullLen(f sockaddr.Family) int {
	if f == sockaddr.Inet {
		return sockaddr.LenInet
	}
	return sockaddr.LenInet6
}

// parse reads the address b for a socket of the family: its length first, then its family. IPv4-mapped addresses become
// IPv4 ones; mapped says that it was one.
func (s *Stack) parse(f sockaddr.Family, b []byte) (a sockaddr.Addr, mapped bool, e errno.Errno) {
	if len(b) < leastLen(f) || s.core.Personality.IP.ExactLength && len(b) != fullLen(f) {
		return a, false, errno.EINVAL
	}
	if f == sockaddr.Inet {
		if a = sockaddr.ParseInet(b); a.Family != sockaddr.Inet {
			return a, false, errno.EAFNOSUPPORT
		}
		return a, false, errno.OK
	}
	if a = sockaddr.ParseInet6(b); a.Family != sockaddr.Inet6 {
		return a, false, errno.EAFNOSUPPORT
	}
	if mapped = a.IP.Is4In6(); mapped {
		a.IP = a.IP.Unmap()
	}
	return a, mapped, errno.OK
}
