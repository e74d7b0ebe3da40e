// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"encoding/binary"
	"slices"

	"dialtone/sockaddr"
	"dialtone/socket"

	"golang.org/x/sys/unix"
)

// writeControl stores control messages where m has room for them, and their
// length. One that does not fit is cut, and MSG_CTRUNC among the flags it
// returns (put_cmsg).
func (c *call) writeControl(m *header, messages []socket.ControlMessage) (flags int, e unix.Errno) {
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
		data := c.controlData(msg)
		n := start + len(data)
		if n > room {
			n, flags = room, unix.MSG_CTRUNC
		}
		one := make([]byte, min((n+word-1)/word*word, room))
		binary.LittleEndian.PutUint32(one, uint32(n)) // the upper half of a cmsg_len of 8 bytes is zero
		binary.LittleEndian.PutUint32(one[word:], uint32(msg.Level))
		binary.LittleEndian.PutUint32(one[word+4:], uint32(msg.Type))
		copy(one[start:n], data)
		b = append(b, one...)
	}
	if e := c.write(m.control, b); e != 0 {
		return 0, e
	}
	return flags, c.writeUint(m.controlLenAt, uint64(len(b)), m.controlLenSize)
}

// controlData returns what a message says to the caller: the times of a 32-bit
// program have 32 bits (put_cmsg_compat).
func (c *call) controlData(m socket.ControlMessage) []byte {
	old := m.Type == unix.SO_TIMESTAMP || m.Type == unix.SO_TIMESTAMPNS
	if !c.compat || m.Level != unix.SOL_SOCKET || !old {
		return m.Data
	}
	return append(slices.Clone(m.Data[:4]), m.Data[8:12]...)
}

// readControl copies the control messages that m comes with (CMSG_NXTHDR).
func (c *call) readControl(m *header) ([]socket.ControlMessage, unix.Errno) {
	if m.controlLen == 0 {
		return nil, 0
	}
	if m.controlLen > maxOption {
		return nil, unix.ENOBUFS // net.core.optmem_max
	}
	b := make([]byte, m.controlLen)
	if e := c.read(m.control, b); e != 0 {
		return nil, e
	}
	return parseControl(b, c.compat)
}

// parseControl takes control messages apart.
func parseControl(b []byte, compat bool) (all []socket.ControlMessage, e unix.Errno) {
	word := 8
	if compat {
		word = 4
	}
	start := word + 8
	for len(b) >= start {
		n := uint64(le32(b))
		if !compat {
			n = le64(b)
		}
		if n < uint64(start) || n > uint64(len(b)) {
			return nil, unix.EINVAL
		}
		all = append(all, socket.ControlMessage{
			Level: int(int32(le32(b[word:]))), Type: int(int32(le32(b[word+4:]))), Data: b[start:n],
		})
		b = b[min((int(n)+word-1)/word*word, len(b)):]
	}
	return all, 0
}

// errorMessage tells an error of the error queue: struct sock_extended_err and
// the address of who reported it (ip(7), IP_RECVERR).
func errorMessage(family sockaddr.Family, x *socket.ExtendedError) socket.ControlMessage {
	b := binary.LittleEndian.AppendUint32(nil, x.Errno)
	b = append(b, x.Origin, x.Type, x.Code, 0)
	b = binary.LittleEndian.AppendUint32(b, x.Info)
	b = binary.LittleEndian.AppendUint32(b, 0) // ee_data
	b = x.Offender.Append(b)
	if family == sockaddr.Inet6 {
		return socket.ControlMessage{Level: unix.SOL_IPV6, Type: unix.IPV6_RECVERR, Data: b}
	}
	return socket.ControlMessage{Level: unix.SOL_IP, Type: unix.IP_RECVERR, Data: b}
}
