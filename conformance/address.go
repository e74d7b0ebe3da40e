// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"dialtone/conformance/internal/linux"
)

// Pointer says what a call is given for the address.
type Pointer int

const (
	// PointerGood points at the bytes.
	PointerGood Pointer = iota
	// PointerNull is NULL.
	PointerNull
	// PointerBad is (void*)1.
	PointerBad
	// PointerKernel points into the kernel's half of the address space.
	PointerKernel
	// PointerGuarded points at the bytes, and an unreadable page follows right behind the last one.
	PointerGuarded
)

// Address is the argument of bind(2), connect(2) and their like, bytes and length apart.
type Address struct {
	Pointer Pointer
	Bytes   []byte // struct sockaddr in the layout of Linux; the scope id of IPv6 is filled in by the arm
	Len     int64  // what the call says; unless written, the length of Bytes
	Zone    string // name of the IPv6 scope's interface; "" if there is none or it is a number
}

// Storage is the buffer that the caller holds: Bytes, followed by zeros so that a Len up to 4096 reads no stranger's
// memory.
func (a Address) Storage() []byte {
	if a.Pointer == PointerGuarded {
		return a.Bytes
	}
	return append(a.Bytes[:len(a.Bytes):len(a.Bytes)], make([]byte, 4096)...)
}

// parseAddress reads an address and the key=value arguments behind it.
//
//	10.0.0.2:80   [fd00::2]:80   [fe80::1%a0]:80     INET, INET6
//	unix:/path  unix:"pa\x00th"  unix:@name  unix:   UNIX: pathname, the same quoted, abstract, family alone
//	unspec                                           16 bytes of AF_UNSPEC
//	netlink:4242  netlink:0/1                        NETLINK: port, and groups in hex
//	raw:10000000...                                  bytes in hex
//	NULL  bad  kernel                                pointers to nowhere
//	len=N  family=N  flowinfo=N  guard               what is said about it, or written over it
func parseAddress(s string, modifiers []string) (Address, error) {
	a := Address{Len: -1 << 40}
	switch {
	case s == "NULL":
		a.Pointer = PointerNull
	case s == "bad":
		a.Pointer = PointerBad
	case s == "kernel":
		a.Pointer = PointerKernel
	case s == "unspec":
		a.Bytes = make([]byte, 16)
	case strings.HasPrefix(s, "raw:"):
		b, err := hex.DecodeString(s[len("raw:"):])
		if err != nil {
			return a, fmt.Errorf("expected hex digits behind raw:, got %q", s)
		}
		a.Bytes = b
	case strings.HasPrefix(s, "netlink:"):
		b, err := netlinkBytes(s[len("netlink:"):])
		if err != nil {
			return a, err
		}
		a.Bytes = b
	case strings.HasPrefix(s, "unix:"):
		b, err := unixBytes(s[len("unix:"):])
		if err != nil {
			return a, err
		}
		a.Bytes = b
	default:
		ap, err := netip.ParseAddrPort(s)
		if err != nil {
			return a, fmt.Errorf("expected an address (10.0.0.2:80 [fd00::2]:80 unix:/path unspec NULL ...), got %q", s)
		}
		a.Zone = ap.Addr().Zone()
		a.Bytes = inetBytes(ap)
		if _, err := strconv.ParseUint(a.Zone, 10, 32); err == nil {
			a.Zone = ""
		}
	}
	for _, m := range modifiers {
		if err := a.modify(m); err != nil {
			return a, err
		}
	}
	if a.Len == -1<<40 {
		if a.Bytes == nil {
			return a, fmt.Errorf("%s needs a length: len=N", s)
		}
		a.Len = int64(len(a.Bytes))
	}
	return a, nil
}

func (a *Address) modify(m string) error {
	key, value, _ := strings.Cut(m, "=")
	if key == "guard" && a.Pointer == PointerGood {
		a.Pointer = PointerGuarded
		return nil
	}
	n, err := strconv.ParseInt(value, 0, 64)
	switch {
	case err != nil:
		return fmt.Errorf("expected len=N, family=N, flowinfo=N or guard, got %q", m)
	case key == "len" && n >= -1<<31 && n < 1<<31:
		a.Len = n
	case key == "family" && n >= 0 && n < 1<<16 && len(a.Bytes) >= 2:
		binary.NativeEndian.PutUint16(a.Bytes, uint16(n))
	case key == "flowinfo" && n >= 0 && n < 1<<32 && len(a.Bytes) == linux.SizeofSockaddrInet6:
		binary.BigEndian.PutUint32(a.Bytes[4:], uint32(n))
	default:
		return fmt.Errorf("expected len=N, family=N, flowinfo=N (IPv6) or guard, got %q", m)
	}
	return nil
}

// inetBytes is struct sockaddr_in or sockaddr_in6, ip(7) and ipv6(7).
func inetBytes(ap netip.AddrPort) []byte {
	if ap.Addr().Is4() {
		b := make([]byte, linux.SizeofSockaddrInet4)
		binary.NativeEndian.PutUint16(b, linux.AF_INET)
		binary.BigEndian.PutUint16(b[2:], ap.Port())
		copy(b[4:], ap.Addr().AsSlice())
		return b
	}
	b := make([]byte, linux.SizeofSockaddrInet6)
	binary.NativeEndian.PutUint16(b, linux.AF_INET6)
	binary.BigEndian.PutUint16(b[2:], ap.Port())
	copy(b[8:], ap.Addr().AsSlice())
	if zone, err := strconv.ParseUint(ap.Addr().Zone(), 10, 32); err == nil {
		binary.NativeEndian.PutUint32(b[24:], uint32(zone))
	}
	return b
}

// unixBytes is struct sockaddr_un, unix(7): a pathname with its NUL, an abstract name without, or the family alone.
func unixBytes(s string) ([]byte, error) {
	b := binary.NativeEndian.AppendUint16(nil, linux.AF_UNIX)
	if strings.HasPrefix(s, `"`) {
		path, err := strconv.Unquote(s)
		if err != nil {
			return nil, fmt.Errorf("expected a quoted path, got %s", s)
		}
		return append(b, path...), nil
	}
	switch {
	case s == "":
		return b, nil
	case s[0] == '@':
		return append(append(b, 0), s[1:]...), nil
	default:
		return append(append(b, s...), 0), nil
	}
}

// netlinkBytes is struct sockaddr_nl, netlink(7): family, 16 bits of nothing, port, groups.
func netlinkBytes(s string) ([]byte, error) {
	port, groups, ok := strings.Cut(s, "/")
	if !ok {
		groups = "0"
	}
	p, err1 := strconv.ParseUint(port, 10, 32)
	g, err2 := strconv.ParseUint(groups, 16, 32)
	if err1 != nil || err2 != nil {
		return nil, fmt.Errorf("expected a port and perhaps groups in hex, as in netlink:4242/1, got %q", s)
	}
	b := binary.NativeEndian.AppendUint16(nil, linux.AF_NETLINK)
	b = binary.NativeEndian.AppendUint32(append(b, 0, 0), uint32(p))
	return binary.NativeEndian.AppendUint32(b, uint32(g)), nil
}

// AddressText writes a socket address in the layout of Linux the way scripts do. zone names the interface of an
// IPv6 scope id.
func AddressText(b []byte, zone func(int) string) string {
	if len(b) < 2 {
		return "nothing"
	}
	family := int(binary.NativeEndian.Uint16(b))
	switch {
	case family == linux.AF_INET && len(b) >= 8:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[4:8])), binary.BigEndian.Uint16(b[2:])).String()
	case family == linux.AF_INET6 && len(b) >= 24:
		ip := netip.AddrFrom16([16]byte(b[8:24]))
		if len(b) >= 28 {
			if id := binary.NativeEndian.Uint32(b[24:]); id != 0 {
				ip = ip.WithZone(zone(int(id)))
			}
		}
		return netip.AddrPortFrom(ip, binary.BigEndian.Uint16(b[2:])).String()
	case family == linux.AF_NETLINK && len(b) >= 12:
		text := fmt.Sprintf("netlink:%d", binary.NativeEndian.Uint32(b[4:]))
		if groups := binary.NativeEndian.Uint32(b[8:]); groups != 0 {
			text += fmt.Sprintf("/%x", groups)
		}
		return text
	case family == linux.AF_UNIX && len(b) == 2:
		return "unnamed"
	case family == linux.AF_UNIX && b[2] == 0:
		return "unix:@" + string(b[3:])
	case family == linux.AF_UNIX:
		path, _, _ := strings.Cut(string(b[2:]), "\x00")
		return "unix:" + path
	}
	return fmt.Sprintf("family %d, %d bytes", family, len(b))
}
