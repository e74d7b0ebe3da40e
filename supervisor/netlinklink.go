// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"encoding/binary"
	"net/netip"
	"strings"

	"dialtone/inet"
	"dialtone/socket"

	"golang.org/x/sys/unix"
)

// tellLinks answers RTM_GETLINK: all, or the one with an index or a name.
func (h *hosted) tellLinks(q *netlinkQuestion) unix.Errno {
	var index uint32
	var name string
	if !q.dump() {
		if len(q.payload) < unix.SizeofIfInfomsg {
			return unix.EINVAL
		}
		index = binary.LittleEndian.Uint32(q.payload[4:])
		name = strings.TrimRight(string(q.attributes(unix.SizeofIfInfomsg)[unix.IFLA_IFNAME]), "\x00")
		if index == 0 && name == "" {
			return unix.EINVAL
		}
	}
	found := false
	for _, i := range h.stack.Interfaces() {
		if q.dump() || index == uint32(i.Index) || index == 0 && name == i.Name {
			q.m.link(i)
			found = true
		}
	}
	if !found {
		return unix.ENODEV
	}
	return 0
}

// link appends RTM_NEWLINK: struct ifinfomsg and attributes.
func (m *netlinkMessages) link(i *inet.Interface) {
	m.begin(unix.RTM_NEWLINK)
	hardware, address, broadcast := uint16(unix.ARPHRD_ETHER), hardwareAddress(i), []byte{255, 255, 255, 255, 255, 255}
	if i.Loopback() {
		hardware, address, broadcast = unix.ARPHRD_LOOPBACK, make([]byte, 6), make([]byte, 6)
	}
	m.b = append(m.b, unix.AF_UNSPEC, 0)
	m.b = binary.LittleEndian.AppendUint16(m.b, hardware)
	m.uint32(uint32(i.Index))
	m.uint32(interfaceFlags(i))
	m.uint32(0) // changed
	m.attribute(unix.IFLA_IFNAME, append([]byte(i.Name), 0))
	m.attribute(unix.IFLA_MTU, socket.Int(i.MTU()))
	m.attribute(unix.IFLA_ADDRESS, address)
	m.attribute(unix.IFLA_BROADCAST, broadcast)
	m.end()
}

// tellAddresses answers RTM_GETADDR.
func (h *hosted) tellAddresses(q *netlinkQuestion) unix.Errno {
	if !q.dump() {
		return unix.EOPNOTSUPP
	}
	for _, i := range h.stack.Interfaces() {
		for _, p := range i.Prefixes() {
			if q.asks(netlinkFamily(p.Addr())) {
				q.m.address(i, p)
			}
		}
	}
	return 0
}

// address appends RTM_NEWADDR: struct ifaddrmsg and attributes.
func (m *netlinkMessages) address(i *inet.Interface, p netip.Prefix) {
	family, scope := netlinkFamily(p.Addr()), byte(unix.RT_SCOPE_UNIVERSE)
	switch {
	case p.Addr().IsLoopback():
		scope = unix.RT_SCOPE_HOST
	case p.Addr().IsLinkLocalUnicast():
		scope = unix.RT_SCOPE_LINK
	}
	m.begin(unix.RTM_NEWADDR)
	m.b = append(m.b, family, byte(p.Bits()), unix.IFA_F_PERMANENT, scope)
	m.uint32(uint32(i.Index))
	m.ip(unix.IFA_ADDRESS, p.Addr())
	if family == unix.AF_INET {
		m.ip(unix.IFA_LOCAL, p.Addr())
		m.attribute(unix.IFA_LABEL, append([]byte(i.Name), 0))
	}
	m.end()
}

// interfaceFlags are netdevice(7)'s IFF_.
func interfaceFlags(i *inet.Interface) uint32 {
	flags := uint32(0)
	if i.Up() {
		flags |= unix.IFF_UP | unix.IFF_RUNNING | unix.IFF_LOWER_UP
	}
	if i.Loopback() {
		return flags | unix.IFF_LOOPBACK
	}
	return flags | unix.IFF_BROADCAST | unix.IFF_MULTICAST
}

// hardwareAddress makes up a locally administered address (IEEE 802, the
// second bit) for an interface: virtual links have none.
func hardwareAddress(i *inet.Interface) []byte {
	return []byte{2, 0, 0, 0, byte(i.Index >> 8), byte(i.Index)}
}
