// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"encoding/binary"

	"dialtone/sockaddr"
	"dialtone/socket"

	"golang.org/x/sys/unix"
)

// controlMessage is a control message that the target receives (cmsg(3)).
type controlMessage struct {
	level, typ int32
	data       []byte
}

// writeControl stores control messages where m has room for them, and their
// length. One that does not fit is cut, and MSG_CTRUNC among the flags it
// returns (put_cmsg).
func (c *call) writeControl(m *header, messages []controlMessage) (flags int, e unix.Errno) {
	word := 8 // the size of cmsg_len, and the alignment
	if c.compat {
		word = 4
	}
	start := word + 8
	var b []byte
	for _, msg := range messages {
		room := int(min(m.controlLen, maxOption)) - len(b)
		if room < start {
			flags = unix.MSG_CTRUNC
			break
		}
		n := start + len(msg.data)
		if n > room {
			n, flags = room, unix.MSG_CTRUNC
		}
		one := make([]byte, min((n+word-1)/word*word, room))
		binary.LittleEndian.PutUint32(one, uint32(n)) // the upper half of a cmsg_len of 8 bytes is zero
		binary.LittleEndian.PutUint32(one[word:], uint32(msg.level))
		binary.LittleEndian.PutUint32(one[word+4:], uint32(msg.typ))
		copy(one[start:n], msg.data)
		b = append(b, one...)
	}
	if e := c.write(m.control, b); e != 0 {
		return 0, e
	}
	return flags, c.writeUint(m.controlLenAt, uint64(len(b)), m.controlLenSize)
}

// ttlMessage tells the TTL or hop limit that a datagram came with (IP_RECVTTL,
// IPV6_RECVHOPLIMIT).
func ttlMessage(family sockaddr.Family, ttl uint8) controlMessage {
	m := controlMessage{unix.SOL_IP, unix.IP_TTL, socket.Int(int(ttl))}
	if family == sockaddr.Inet6 {
		m.level, m.typ = unix.SOL_IPV6, unix.IPV6_HOPLIMIT
	}
	return m
}

// errorMessage tells an error of the error queue: struct sock_extended_err and
// the address of who reported it (ip(7), IP_RECVERR).
func errorMessage(family sockaddr.Family, x *socket.ExtendedError) controlMessage {
	b := binary.LittleEndian.AppendUint32(nil, x.Errno)
	b = append(b, x.Origin, x.Type, x.Code, 0)
	b = binary.LittleEndian.AppendUint32(b, x.Info)
	b = binary.LittleEndian.AppendUint32(b, 0) // ee_data
	b = x.Offender.Append(b)
	if family == sockaddr.Inet6 {
		return controlMessage{unix.SOL_IPV6, unix.IPV6_RECVERR, b}
	}
	return controlMessage{unix.SOL_IP, unix.IP_RECVERR, b}
}
