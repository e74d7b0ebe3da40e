// SPDX-License-Identifier: Apache-2.0

// Package sockaddr holds socket addresses in their two shapes: [Raw], the bytes and length a caller hands to a call,
// and [Addr], what they mean. The layout of the bytes is that of Linux on a little-endian machine (sockaddr(3type)),
// which hosted programs use; the family is 16 bits in host order, ports and addresses are in network order.
package sockaddr

import (
	"net/netip"
	"strconv"
)

// Family is an address family (address_families(7)), in Linux's numbers.
type Family uint16

// The families this project knows.
const (
	Unspec  Family = 0
	Unix    Family = 1
	Inet    Family = 2
	Inet6   Family = 10
	Netlink Family = 16
	Packet  Family = 17
	Vsock   Family = 40
)

func (f Family) String() string {
	switch f {
	case Unspec:
		return "AF_UNSPEC"
	case Unix:
		return "AF_UNIX"
	case Inet:
		return "AF_INET"
	case Inet6:
		return "AF_INET6"
	case Netlink:
		return "AF_NETLINK"
	case Packet:
		return "AF_PACKET"
	case Vsock:
		return "AF_VSOCK"
	}
	return "AF_" + strconv.Itoa(int(f))
}

// The lengths of addresses in bytes, and the most a call copies from its caller (struct sockaddr_storage).
const (
	LenFamily     = 2
	LenInet       = 16
	LenInet6      = 28
	LenInet6Short = 24 // without the scope, as RFC 2133 had it; Linux still takes it
	LenUnix       = 110
	LenStorage    = 128
	PathMax       = LenUnix - LenFamily // bytes of sun_path
)

// Raw is an address as the caller passed it: where the pointer points to, and how long he says it is.
type Raw struct {
	// Mem is the readable memory at the caller's pointer. It may be longer than Len; if it is shorter, the pointer
	// leads outside of the caller's memory. nil is the null pointer.
	Mem []byte
	// Len is the address length argument, in bytes, as given: it may be negative or absurd.
	Len int
}

// Bytes returns Raw for an address of exactly the bytes b.
func Bytes(b []byte) Raw { return Raw{Mem: b, Len: len(b)} }

// Null reports whether the caller passed the null pointer.
func (r Raw) Null() bool { return r.Mem == nil }

// Copy returns the address's bytes; ok is false if they are not all readable.
func (r Raw) Copy() (b []byte, ok bool) {
	if r.Len < 0 || r.Len > len(r.Mem) {
		return nil, false
	}
	return r.Mem[:r.Len], true
}

// Addr is a socket address. It is comparable; its zero value is the address without a family.
type Addr struct {
	Family Family
	// IP and Port (host order) of AF_INET and AF_INET6. IP has no zone; see Scope.
	IP   netip.Addr
	Port uint16
	// Scope is the interface index that an IPv6 link-local address belongs to, FlowInfo the field of that name.
	Scope    uint32
	FlowInfo uint32
	// Name is AF_UNIX's: a path, or an abstract name beginning with a NUL byte, or empty for an unnamed socket. Of families
	// that are not listed here it is all that follows the family, as bytes.
	Name string
}

// Of returns the address of an IP endpoint, its family from the address's version.
func Of(ap netip.AddrPort) Addr {
	ip := ap.Addr().WithZone("")
	if ip.Is4() {
		return Addr{Family: Inet, IP: ip, Port: ap.Port()}
	}
	return Addr{Family: Inet6, IP: ip, Port: ap.Port()}
}

// OfUnix returns the AF_UNIX address of a name; see [Addr.Name].
func OfUnix(name string) Addr { return Addr{Family: Unix, Name: name} }

// OfBytes returns the address of another family than AF_UNIX, AF_INET and AF_INET6, whose structure goes on with b.
func OfBytes(f Family, b []byte) Addr { return Addr{Family: f, Name: string(b)} }

// AddrPort returns the IP endpoint of a, invalid if a is of another family.
func (a Addr) AddrPort() netip.AddrPort { return netip.AddrPortFrom(a.IP, a.Port) }

// IsAbstract reports whether a is a name in AF_UNIX's abstract space.
func (a Addr) IsAbstract() bool { return a.Family == Unix && a.Name != "" && a.Name[0] == 0 }

// String prints a as strace and ss do: 10.0.0.1:80, [fd00::1]:80, "/run/s", "@name", "unnamed".
func (a Addr) String() string {
	switch a.Family {
	case Inet, Inet6:
		if a.Scope != 0 {
			return "[" + a.IP.String() + "%" + strconv.Itoa(int(a.Scope)) + "]:" + strconv.Itoa(int(a.Port))
		}
		return a.AddrPort().String()
	case Unix:
		switch {
		case a.Name == "":
			return "unnamed"
		case a.Name[0] == 0:
			return "@" + a.Name[1:]
		}
		return a.Name
	}
	return a.Family.String()
}
