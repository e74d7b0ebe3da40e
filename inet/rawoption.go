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
	icmpFilter  = 1
	icmp6Filter = 1
)

// filterOption returns the bits of the filter that an option names, nil if it names none.
func (r *raw) filterOption(level, name int) ([]uint32, errno.Errno) {
	proto, words := wire.ICMP, 1
	switch {
	case level == solRaw && name == icmpFilter && r.family == sockaddr.Inet:
	case level == solICMPv6 && name == icmp6Filter && r.family == sockaddr.Inet6:
		proto, words = wire.ICMPv6, len(r.filter)
	case level == solRaw, level == solICMPv6:
		return nil, errno.ENOPROTOOPT
	default:
		return nil, errno.OK
	}
	if r.proto != proto {
		return nil, errno.EOPNOTSUPP
	}
	return r.filter[:words], errno.OK
}

// Option implements [socket.Endpoint].
func (r *raw) Option(call *socket.Call, level, name int) ([]byte, errno.Errno) {
	if level == solIP && name == ipHdrIncl {
		return socket.Bool(r.header), errno.OK
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
	if level == solIP && name == ipHdrIncl {
		if len(value) < 4 {
			return errno.EINVAL
		}
		r.header = socket.IntValue(value) != 0
		return errno.OK
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
