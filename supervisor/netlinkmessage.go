// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"
)

// netlinkRoom is how many bytes of messages go into one datagram at most: one
// page, which every reader provides for (netlink(7)).
const netlinkRoom = 4096

// netlinkMessages builds the datagrams of an answer, message by message.
type netlinkMessages struct {
	b         []byte // the datagram under construction
	full      [][]byte
	start     int
	seq, port uint32
	flags     uint16 // of each message that tells something
}

// datagrams returns what was built.
func (m *netlinkMessages) datagrams() [][]byte {
	if len(m.b) > 0 {
		m.full, m.b = append(m.full, m.b), nil
	}
	return m.full
}

func (m *netlinkMessages) begin(typ uint16) {
	m.start = len(m.b)
	m.b = append(m.b, 0, 0, 0, 0) // the length, when it is known
	m.b = binary.LittleEndian.AppendUint16(m.b, typ)
	m.b = binary.LittleEndian.AppendUint16(m.b, m.flags)
	m.uint32(m.seq)
	m.uint32(m.port)
}

func (m *netlinkMessages) end() {
	binary.LittleEndian.PutUint32(m.b[m.start:], uint32(len(m.b)-m.start))
	if m.start > 0 && len(m.b) > netlinkRoom {
		last := append([]byte(nil), m.b[m.start:]...)
		m.full, m.b = append(m.full, m.b[:m.start]), last
	}
}

// done ends a dump. It comes by itself, since that is how the kernel sends it.
func (m *netlinkMessages) done() {
	m.datagrams()
	m.begin(unix.NLMSG_DONE)
	m.uint32(0)
	m.end()
}

// fail makes the answer an error, and nothing else. req is the header of the
// request.
func (m *netlinkMessages) fail(e unix.Errno, req []byte) {
	m.b, m.full, m.flags = nil, nil, 0
	m.begin(unix.NLMSG_ERROR)
	m.uint32(uint32(-int32(e)))
	m.b = append(m.b, req...)
	m.end()
}

func (m *netlinkMessages) uint32(n uint32) { m.b = binary.LittleEndian.AppendUint32(m.b, n) }

// attribute appends a struct rtattr.
func (m *netlinkMessages) attribute(typ uint16, value []byte) {
	m.b = binary.LittleEndian.AppendUint16(m.b, uint16(unix.SizeofRtAttr+len(value)))
	m.b = binary.LittleEndian.AppendUint16(m.b, typ)
	m.b = append(m.b, value...)
	for len(m.b)%4 != 0 {
		m.b = append(m.b, 0)
	}
}

func (m *netlinkMessages) number(typ uint16, n uint32) {
	m.attribute(typ, binary.LittleEndian.AppendUint32(nil, n))
}

func (m *netlinkMessages) ip(typ uint16, ip netip.Addr) { m.attribute(typ, ip.AsSlice()) }

func align4(n int) int { return (n + 3) &^ 3 }

// netlinkFamily is the family of an address.
func netlinkFamily(ip netip.Addr) byte {
	if ip.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}
