// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"dialtone/conformance/internal/linux"
)

// optionKind says how the value of a socket option is written and laid out.
type optionKind int

const (
	optionInt      optionKind = iota
	optionTime                // struct timeval, written as a duration
	optionText                // an interface's name or a security context, written in quotes
	optionLinger              // struct linger, written as "off" or a duration in whole seconds
	optionErrno               // SO_ERROR
	optionRange               // IP_LOCAL_PORT_RANGE, written low-high
	optionMD5Addr             // struct tcp_md5sig, written as the peer's address and a key in quotes; without one it is "key"
	optionPass6               // struct icmp6_filter, written as the only type that is let in
	optionGroup               // struct ip_mreq, ip_mreqn or ipv6_mreq: a group, and an address or the name of an interface
	optionSource              // struct ip_mreq_source or group_source_req: a group, an interface, and a source
	optionVia                 // an interface by one of its IPv4 addresses, or by its name in struct ip_mreqn
	optionIndex               // an interface by its name
	optionIndexBig            // the same in the network's byte order
)

// Option is a socket option.
type Option struct {
	Name        string
	Level, Code int
	kind        optionKind
}

// options are those that scripts may name. TCP_INFO is not among them: see "state".
var options = []Option{
	{"SO_ERROR", linux.SOL_SOCKET, linux.SO_ERROR, optionErrno},
	{"SO_REUSEADDR", linux.SOL_SOCKET, linux.SO_REUSEADDR, optionInt},
	{"SO_REUSEPORT", linux.SOL_SOCKET, linux.SO_REUSEPORT, optionInt},
	{"SO_BROADCAST", linux.SOL_SOCKET, linux.SO_BROADCAST, optionInt},
	{"SO_DONTROUTE", linux.SOL_SOCKET, linux.SO_DONTROUTE, optionInt},
	{"SO_KEEPALIVE", linux.SOL_SOCKET, linux.SO_KEEPALIVE, optionInt},
	{"SO_PASSCRED", linux.SOL_SOCKET, linux.SO_PASSCRED, optionInt},
	{"SO_SNDBUF", linux.SOL_SOCKET, linux.SO_SNDBUF, optionInt},
	{"SO_RCVBUF", linux.SOL_SOCKET, linux.SO_RCVBUF, optionInt},
	{"SO_TYPE", linux.SOL_SOCKET, linux.SO_TYPE, optionInt},
	{"SO_ACCEPTCONN", linux.SOL_SOCKET, linux.SO_ACCEPTCONN, optionInt},
	{"SO_PEERSEC", linux.SOL_SOCKET, linux.SO_PEERSEC, optionText},
	{"SO_MARK", linux.SOL_SOCKET, linux.SO_MARK, optionInt},
	{"SO_SNDTIMEO", linux.SOL_SOCKET, linux.SO_SNDTIMEO, optionTime},
	{"SO_RCVTIMEO", linux.SOL_SOCKET, linux.SO_RCVTIMEO, optionTime},
	{"SO_LINGER", linux.SOL_SOCKET, linux.SO_LINGER, optionLinger},
	{"SO_BINDTODEVICE", linux.SOL_SOCKET, linux.SO_BINDTODEVICE, optionText},
	{"IP_RECVERR", linux.IPPROTO_IP, linux.IP_RECVERR, optionInt},
	{"IP_TTL", linux.IPPROTO_IP, linux.IP_TTL, optionInt},
	{"IP_TOS", linux.IPPROTO_IP, 1, optionInt},
	{"SO_BINDTOIFINDEX", linux.SOL_SOCKET, 62, optionIndex},
	{"SO_SELECT_ERR_QUEUE", linux.SOL_SOCKET, 45, optionInt},
	{"SO_MAX_PACING_RATE", linux.SOL_SOCKET, 47, optionInt},
	{"IP_NODEFRAG", linux.IPPROTO_IP, 22, optionInt},
	{"IP_CHECKSUM", linux.IPPROTO_IP, 23, optionInt},
	{"IP_RECVERR_RFC4884", linux.IPPROTO_IP, 26, optionInt},
	{"IPV6_ROUTER_ALERT_ISOLATE", linux.IPPROTO_IPV6, 30, optionInt},
	{"IPV6_RECVERR_RFC4884", linux.IPPROTO_IPV6, 31, optionInt},
	{"IP_MINTTL", linux.IPPROTO_IP, 21, optionInt},
	{"IPV6_MINHOPCOUNT", linux.IPPROTO_IPV6, 73, optionInt},
	{"UDP_CORK", linux.IPPROTO_UDP, 1, optionInt},
	{"IP_MULTICAST_IF", linux.IPPROTO_IP, 32, optionVia},
	{"IP_MULTICAST_TTL", linux.IPPROTO_IP, 33, optionInt},
	{"IP_MULTICAST_LOOP", linux.IPPROTO_IP, 34, optionInt},
	{"IP_ADD_MEMBERSHIP", linux.IPPROTO_IP, 35, optionGroup},
	{"IP_DROP_MEMBERSHIP", linux.IPPROTO_IP, 36, optionGroup},
	{"IP_UNBLOCK_SOURCE", linux.IPPROTO_IP, 37, optionSource},
	{"IP_BLOCK_SOURCE", linux.IPPROTO_IP, 38, optionSource},
	{"IP_ADD_SOURCE_MEMBERSHIP", linux.IPPROTO_IP, 39, optionSource},
	{"IP_DROP_SOURCE_MEMBERSHIP", linux.IPPROTO_IP, 40, optionSource},
	{"MCAST_JOIN_SOURCE_GROUP", linux.IPPROTO_IPV6, 46, optionSource},
	{"MCAST_LEAVE_SOURCE_GROUP", linux.IPPROTO_IPV6, 47, optionSource},
	{"MCAST_BLOCK_SOURCE", linux.IPPROTO_IPV6, 43, optionSource},
	{"MCAST_UNBLOCK_SOURCE", linux.IPPROTO_IPV6, 44, optionSource},
	{"IP_MULTICAST_ALL", linux.IPPROTO_IP, 49, optionInt},
	{"IP_UNICAST_IF", linux.IPPROTO_IP, 50, optionIndexBig},
	{"IP_FREEBIND", linux.IPPROTO_IP, linux.IP_FREEBIND, optionInt},
	{"IP_TRANSPARENT", linux.IPPROTO_IP, linux.IP_TRANSPARENT, optionInt},
	{"IP_BIND_ADDRESS_NO_PORT", linux.IPPROTO_IP, linux.IP_BIND_ADDRESS_NO_PORT, optionInt},
	{"IP_LOCAL_PORT_RANGE", linux.IPPROTO_IP, 51, optionRange},
	{"IPV6_V6ONLY", linux.IPPROTO_IPV6, linux.IPV6_V6ONLY, optionInt},
	{"IPV6_RECVERR", linux.IPPROTO_IPV6, linux.IPV6_RECVERR, optionInt},
	{"IPV6_UNICAST_HOPS", linux.IPPROTO_IPV6, 16, optionInt},
	{"IPV6_MULTICAST_IF", linux.IPPROTO_IPV6, 17, optionIndex},
	{"IPV6_UNICAST_IF", linux.IPPROTO_IPV6, 76, optionIndexBig},
	{"IPV6_JOIN_GROUP", linux.IPPROTO_IPV6, 20, optionGroup},
	{"IPV6_LEAVE_GROUP", linux.IPPROTO_IPV6, 21, optionGroup},
	{"IPV6_MULTICAST_ALL", linux.IPPROTO_IPV6, 29, optionInt},
	{"IPV6_MULTICAST_HOPS", linux.IPPROTO_IPV6, 18, optionInt},
	{"IPV6_TCLASS", linux.IPPROTO_IPV6, 67, optionInt},
	{"IPV6_ADDRFORM", linux.IPPROTO_IPV6, 1, optionInt},
	{"IPV6_FLOWINFO_SEND", linux.IPPROTO_IPV6, 33, optionInt},
	{"IP_HDRINCL", linux.IPPROTO_IP, 3, optionInt},
	{"IPV6_HDRINCL", linux.IPPROTO_IPV6, 36, optionInt},
	{"ICMP_FILTER", 255, 1, optionInt},
	{"ICMP6_FILTER", linux.IPPROTO_ICMPV6, 1, optionPass6},
	{"TCP_NODELAY", linux.IPPROTO_TCP, linux.TCP_NODELAY, optionInt},
	{"TCP_MAXSEG", linux.IPPROTO_TCP, linux.TCP_MAXSEG, optionInt},
	{"TCP_SYNCNT", linux.IPPROTO_TCP, linux.TCP_SYNCNT, optionInt},
	{"TCP_KEEPIDLE", linux.IPPROTO_TCP, linux.TCP_KEEPIDLE, optionInt},
	{"TCP_KEEPINTVL", linux.IPPROTO_TCP, linux.TCP_KEEPINTVL, optionInt},
	{"TCP_KEEPCNT", linux.IPPROTO_TCP, linux.TCP_KEEPCNT, optionInt},
	{"TCP_USER_TIMEOUT", linux.IPPROTO_TCP, linux.TCP_USER_TIMEOUT, optionInt},
	{"TCP_DEFER_ACCEPT", linux.IPPROTO_TCP, linux.TCP_DEFER_ACCEPT, optionInt},
	{"TCP_FASTOPEN", linux.IPPROTO_TCP, linux.TCP_FASTOPEN, optionInt},
	{"TCP_FASTOPEN_CONNECT", linux.IPPROTO_TCP, linux.TCP_FASTOPEN_CONNECT, optionInt},
	{"SO_DEBUG", linux.SOL_SOCKET, 1, optionInt},
	{"SO_NO_CHECK", linux.SOL_SOCKET, 11, optionInt},
	{"SO_RCVLOWAT", linux.SOL_SOCKET, 18, optionInt},
	{"SO_SNDBUFFORCE", linux.SOL_SOCKET, 32, optionInt},
	{"SO_RCVBUFFORCE", linux.SOL_SOCKET, 33, optionInt},
	{"SO_TIMESTAMP", linux.SOL_SOCKET, 29, optionInt},
	{"SO_TIMESTAMPNS", linux.SOL_SOCKET, 35, optionInt},
	{"SO_RXQ_OVFL", linux.SOL_SOCKET, 40, optionInt},
	{"SO_BUSY_POLL", linux.SOL_SOCKET, 46, optionInt},
	{"SO_BPF_EXTENSIONS", linux.SOL_SOCKET, 48, optionInt},
	{"SO_INCOMING_CPU", linux.SOL_SOCKET, 49, optionInt},
	{"SO_CNX_ADVICE", linux.SOL_SOCKET, 53, optionInt},
	{"SO_TXREHASH", linux.SOL_SOCKET, 74, optionInt},
	{"IP_OPTIONS", linux.IPPROTO_IP, 4, optionInt},
	{"IP_RECVOPTS", linux.IPPROTO_IP, 6, optionInt},
	{"IP_RETOPTS", linux.IPPROTO_IP, 7, optionInt},
	{"IP_MTU_DISCOVER", linux.IPPROTO_IP, 10, optionInt},
	{"IP_PKTINFO", linux.IPPROTO_IP, 8, optionInt},
	{"IP_RECVTTL", linux.IPPROTO_IP, 12, optionInt},
	{"IP_RECVTOS", linux.IPPROTO_IP, 13, optionInt},
	{"IP_RECVORIGDSTADDR", linux.IPPROTO_IP, 20, optionInt},
	{"IP_MTU", linux.IPPROTO_IP, 14, optionInt},
	{"IP_RECVFRAGSIZE", linux.IPPROTO_IP, 25, optionInt},
	{"IP_PROTOCOL", linux.IPPROTO_IP, 52, optionInt},
	{"IPV6_MULTICAST_LOOP", linux.IPPROTO_IPV6, 19, optionInt},
	{"IPV6_MTU_DISCOVER", linux.IPPROTO_IPV6, 23, optionInt},
	{"IPV6_MTU", linux.IPPROTO_IPV6, 24, optionInt},
	{"IPV6_2292PKTINFO", linux.IPPROTO_IPV6, 2, optionInt},
	{"IPV6_2292HOPLIMIT", linux.IPPROTO_IPV6, 8, optionInt},
	{"IPV6_RECVPKTINFO", linux.IPPROTO_IPV6, 49, optionInt},
	{"IPV6_RECVHOPLIMIT", linux.IPPROTO_IPV6, 51, optionInt},
	{"IPV6_RECVTCLASS", linux.IPPROTO_IPV6, 66, optionInt},
	{"IPV6_RECVORIGDSTADDR", linux.IPPROTO_IPV6, 74, optionInt},
	{"IPV6_RECVHOPOPTS", linux.IPPROTO_IPV6, 53, optionInt},
	{"IPV6_HOPOPTS", linux.IPPROTO_IPV6, 54, optionInt},
	{"IPV6_PATHMTU", linux.IPPROTO_IPV6, 61, optionInt},
	{"IPV6_DONTFRAG", linux.IPPROTO_IPV6, 62, optionInt},
	{"IPV6_AUTOFLOWLABEL", linux.IPPROTO_IPV6, 70, optionInt},
	{"IPV6_RECVFRAGSIZE", linux.IPPROTO_IPV6, 77, optionInt},
	{"TCP_LINGER2", linux.IPPROTO_TCP, 8, optionInt},
	{"TCP_WINDOW_CLAMP", linux.IPPROTO_TCP, 10, optionInt},
	{"UDP_NO_CHECK6_TX", linux.IPPROTO_UDP, 101, optionInt},
	{"UDP_SEGMENT", linux.IPPROTO_UDP, 103, optionInt},
	{"UDP_GRO", linux.IPPROTO_UDP, 104, optionInt},
	{"TCP_MD5SIG", linux.IPPROTO_TCP, linux.TCP_MD5SIG, optionMD5Addr},
}

func findOption(s string) (Option, bool) {
	for _, o := range options {
		if o.Name == s {
			return o, true
		}
	}
	return Option{}, false
}

// encode lays a value out as Linux on amd64 wants it.
func (o Option) encode(s string) ([]byte, error) {
	switch o.kind {
	case optionTime:
		d, err := time.ParseDuration(s)
		if err != nil {
			return nil, fmt.Errorf("%s: expected a time as in 300ms, got %q", o.Name, s)
		}
		b := binary.NativeEndian.AppendUint64(nil, uint64(d/time.Second))
		return binary.NativeEndian.AppendUint64(b, uint64(d%time.Second/time.Microsecond)), nil
	case optionLinger:
		onoff, d := uint32(1), time.Duration(0)
		if s == "off" {
			onoff = 0
		} else {
			var err error
			if d, err = time.ParseDuration(s); err != nil {
				return nil, fmt.Errorf("%s: expected off or a time as in 2s, got %q", o.Name, s)
			}
		}
		b := binary.NativeEndian.AppendUint32(nil, onoff)
		return binary.NativeEndian.AppendUint32(b, uint32(d/time.Second)), nil
	case optionText:
		t, err := strconv.Unquote(s)
		if err != nil {
			return nil, fmt.Errorf("%s: expected a text in quotes, got %s", o.Name, s)
		}
		return append([]byte(t), 0), nil
	case optionRange:
		low, high, _ := strings.Cut(s, "-")
		l, err1 := strconv.ParseUint(low, 10, 16)
		h, err2 := strconv.ParseUint(high, 10, 16)
		if err1 != nil || err2 != nil {
			return nil, fmt.Errorf("%s: expected ports as in 41000-41010, got %q", o.Name, s)
		}
		return binary.NativeEndian.AppendUint32(nil, uint32(h<<16|l)), nil // ip(7)
	case optionPass6:
		n, err := strconv.ParseUint(s, 0, 8)
		if err != nil {
			return nil, fmt.Errorf("%s: expected a type of ICMPv6, got %q", o.Name, s)
		}
		b := bytes.Repeat([]byte{0xff}, 32) // RFC 3542, 3.2, as Linux has it: a bit for each type that is not let in
		b[n/8] &^= 1 << (n % 8)
		return b, nil
	case optionMD5Addr:
		peer, quoted, hasKey := strings.Cut(s, " ")
		key := "key"
		ip, err := netip.ParseAddr(strings.Trim(peer, "[]"))
		if hasKey && err == nil {
			key, err = strconv.Unquote(strings.TrimSpace(quoted))
		}
		if err != nil {
			return nil, fmt.Errorf("%s: expected the peer's IP address and perhaps a key in quotes, got %q", o.Name, s)
		}
		return md5sig(ip, key), nil
	default:
		if s == "none" {
			return nil, nil
		}
		if one, ok := strings.CutPrefix(s, "byte "); ok {
			n, err := strconv.ParseUint(one, 0, 8)
			if err != nil {
				return nil, fmt.Errorf("%s: expected a byte as in byte 255, got %q", o.Name, s)
			}
			return []byte{byte(n)}, nil
		}
		n, err := strconv.ParseInt(s, 0, 32)
		if err != nil {
			return nil, fmt.Errorf("%s: expected a number, got %q", o.Name, s)
		}
		return binary.NativeEndian.AppendUint32(nil, uint32(n)), nil
	}
}

// md5sig is struct tcp_md5sig of linux/tcp.h with a key for one peer: sockaddr_storage (128), flags,
// prefix length, key length (16 bits), ifindex (32), key (80).
func md5sig(ip netip.Addr, key string) []byte {
	b := make([]byte, 216)
	if ip.Is4() {
		binary.NativeEndian.PutUint16(b, linux.AF_INET)
		copy(b[4:], ip.AsSlice())
	} else {
		binary.NativeEndian.PutUint16(b, linux.AF_INET6)
		copy(b[8:], ip.AsSlice())
	}
	binary.NativeEndian.PutUint16(b[130:], uint16(len(key)))
	copy(b[136:], key)
	return b
}

// Decode writes the value that getsockopt(2) gave.
func (o Option) Decode(b []byte) string {
	word := func(i int) uint32 { return binary.NativeEndian.Uint32(b[i:]) }
	switch {
	case o.kind == optionErrno && len(b) >= 4:
		return ErrnoName(int(word(0)))
	case o.kind == optionTime && len(b) >= 16:
		sec, usec := binary.NativeEndian.Uint64(b), binary.NativeEndian.Uint64(b[8:])
		return (time.Duration(sec)*time.Second + time.Duration(usec)*time.Microsecond).String()
	case o.kind == optionLinger && len(b) >= 8:
		if word(0) == 0 {
			return "off"
		}
		return (time.Duration(word(4)) * time.Second).String()
	case o.kind == optionText:
		return strconv.Quote(strings.TrimRight(string(b), "\x00"))
	case o.kind == optionVia && len(b) == 4:
		return netip.AddrFrom4([4]byte(b)).String()
	case o.kind == optionRange && len(b) >= 4:
		return fmt.Sprintf("%d-%d", word(0)&0xffff, word(0)>>16)
	case o.kind == optionInt && len(b) >= 4:
		return strconv.Itoa(int(int32(word(0))))
	}
	return fmt.Sprintf("%d bytes", len(b))
}
