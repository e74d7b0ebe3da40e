// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"encoding/binary"

	"dialtone/sockaddr"

	"golang.org/x/sys/unix"
)

// rawAddress copies a sockaddr argument once. What lies outside of the
// caller's memory is found by its length.
func (c *call) rawAddress(ptr, length uint64) sockaddr.Raw {
	r := sockaddr.Raw{Len: int(int32(length))}
	if ptr == 0 {
		return r
	}
	r.Mem = make([]byte, min(max(r.Len, 0), sockaddr.LenStorage))
	if e := c.read(ptr, r.Mem); e != 0 {
		r.Mem = r.Mem[:0]
	}
	return r
}

// portOf returns the port in an inet address; 0 in others.
func portOf(r sockaddr.Raw) uint16 {
	if len(r.Mem) < 4 {
		return 0
	}
	return binary.BigEndian.Uint16(r.Mem[2:])
}

// writeAddress stores an address and its length as getsockname(2) does: what
// has no room is cut off, the length is the full one.
func (c *call) writeAddress(b []byte, ptr, lenPtr uint64) unix.Errno {
	var l [4]byte
	if e := c.readBeforeWrite(lenPtr, l[:]); e != 0 {
		return e
	}
	room := int(int32(binary.LittleEndian.Uint32(l[:])))
	if room < 0 {
		return unix.EINVAL
	}
	binary.LittleEndian.PutUint32(l[:], uint32(len(b)))
	return c.writeBoth(ptr, b[:min(room, len(b))], lenPtr, l[:])
}
