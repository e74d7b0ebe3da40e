// SPDX-License-Identifier: Apache-2.0

package sockaddr

import (
	"bytes"
	"encoding/binary"
	"net/netip"
)

// FamilyOf returns the sa_family of b, which must hold at least [LenFamily] bytes.
func FamilyOf(b []byte) Family { return Family(binary.LittleEndian.Uint16(b)) }

// ParseInet returns the address in a struct sockaddr_in; b must hold at least [LenInet] bytes. The family in b is taken
// as it is: whether it fits is the caller's question.
func ParseInet(b []byte) Addr {
	return Addr{
		Family: FamilyOf(b),
		Port:   binary.BigEndian.Uint16(b[2:]),
		IP:     netip.AddrFrom4([4]byte(b[4:8])),
	}
}

// ParseInet6 returns the address in a struct sockaddr_in6; b must hold at least [LenInet6Short] bytes. Like
// [ParseInet] it takes the family as it is.
func ParseInet6(b []byte) Addr {
	a := Addr{
		Family:   FamilyOf(b),
		Port:     binary.BigEndian.Uint16(b[2:]),
		FlowInfo: binary.BigEndian.Uint32(b[4:]),
		IP:       netip.AddrFrom16([16]byte(b[8:24])),
	}
	if len(b) >= LenInet6 {
		a.Scope = binary.LittleEndian.Uint32(b[24:])
	}
	return a
}

// ParseUnix returns the address in a struct sockaddr_un of exactly the bytes b, at least [LenFamily]: a path ends at
// its first NUL or at the end, an abstract name at the end alone (unix(7)).
func ParseUnix(b []byte) Addr { return Addr{Family: FamilyOf(b), Name: string(UnixName(b))} }

// UnixName returns the name that [ParseUnix] finds in b, without a copy.
func UnixName(b []byte) []byte {
	path := b[LenFamily:]
	if len(path) > 0 && path[0] != 0 {
		if end := bytes.IndexByte(path, 0); end >= 0 {
			path = path[:end]
		}
	}
	return path
}

// Append appends a in the layout its family has: a sockaddr_in, a sockaddr_in6, a sockaddr_un (a path with its
// terminating NUL, as getsockname(2) returns it), or the family and Name.
func (a Addr) Append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint16(b, uint16(a.Family))
	switch a.Family {
	case Inet:
		b = binary.BigEndian.AppendUint16(b, a.Port)
		ip := a.IP.Unmap()
		if !ip.Is4() {
			ip = netip.IPv4Unspecified()
		}
		ip4 := ip.As4()
		b = append(b, ip4[:]...)
		b = append(b, make([]byte, 8)...)
	case Inet6:
		b = binary.BigEndian.AppendUint16(b, a.Port)
		b = binary.BigEndian.AppendUint32(b, a.FlowInfo)
		ip := a.IP
		if !ip.IsValid() {
			ip = netip.IPv6Unspecified()
		}
		ip16 := ip.As16()
		b = append(b, ip16[:]...)
		b = binary.LittleEndian.AppendUint32(b, a.Scope)
	case Unix:
		b = append(b, a.Name...)
		if a.Name != "" && a.Name[0] != 0 {
			b = append(b, 0)
		}
	default:
		b = append(b, a.Name...)
	}
	return b
}

// Raw returns a as a caller would pass it.
func (a Addr) Raw() Raw { return Bytes(a.Append(nil)) }
