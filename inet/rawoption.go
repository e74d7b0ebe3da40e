// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"encoding/binary"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/wire"
)

// Options of raw sockets, in Linux's numbers (raw(7), RFC 3542).
const (
	solRaw    = 255
	solICMPv6 = 58

	ipHdrIncl   = 3
	ipv6HdrIncl = 36
	icmpFilter  = 1
	icmp6Filter = 1
)

// filterOption returns the bits of the filter that an option names, nil if it names none.
func (r *raw) filterOption(level, name int) ([]uint32, errno.Errno) {
	proto, words := wire.ICMP, 1
	switch {
	case level == solRaw && r.family == sockaddr.Inet && name == icmpFilter:
	case level == solICMPv6 && r.family == sockaddr.Inet6:
		proto, words = wire.ICMPv6, len(r.filter)
	case level == solRaw && r.family == sockaddr.Inet:
		return nil, errno.ENOPROTOOPT
	default:
		return nil, errno.OK
	}
	if r.sock.Protocol != int32(proto) {
		return nil, errno.EOPNOTSUPP
	}
	if proto == wire.ICMPv6 && name != icmp6Filter {
		return nil, errno.ENOPROTOOPT
	}
	return r.filter[:words], errno.OK
}

// headerOption reports whether an option is about the IP header in front of what is sent.
func (r *raw) headerOption(level, name int) bool {
	if r.family == sockaddr.Inet {
		return level == solIP && name == ipHdrIncl
	}
	return level == solIPv6 && name == ipv6HdrIncl
}

// lacks reports whether r knows no options of the level: those of IPv4 are only for the other sockets of AF_INET6
// (ipv6_setsockopt).
func (r *raw) lacks(level int) bool { return level == solIP && r.family == sockaddr.Inet6 }

// Option implements [socket.Endpoint].
func (r *raw) Option(call *socket.Call, level, name int) ([]byte, errno.Errno) {
	switch {
	case r.headerOption(level, name):
		return socket.Bool(r.header), errno.OK
	case r.lacks(level):
		return nil, errno.ENOPROTOOPT
	}
	filter, e := r.filterOption(level, name)
	switch {
	case e != errno.OK:
		return nil, e
	case filter == nil:
		return r.datagram.Option(call, level, name)
	}
	var b []byte
	for _, word := range filter {
		b = binary.LittleEndian.AppendUint32(b, word)
	}
	return b, errno.OK
}

// SetOption implements [socket.Endpoint]. A filter may be shorter than all of it.
func (r *raw) SetOption(call *socket.Call, level, name int, value []byte) errno.Errno {
	switch {
	case r.headerOption(level, name):
		rule := optionRule{flag: true, empty: level == solIP}
		n, e := rule.value(level, value)
		if e == errno.OK {
			r.header = n != 0
		}
		return e
	case r.lacks(level):
		return errno.ENOPROTOOPT
	}
	filter, e := r.filterOption(level, name)
	if e != errno.OK {
		return e
	}
	if filter == nil {
		return r.datagram.SetOption(call, level, name, value)
	}
	for i := range filter {
		if len(value) < 4*(i+1) {
			break
		}
		filter[i] = binary.LittleEndian.Uint32(value[4*i:])
	}
	return errno.OK
}
