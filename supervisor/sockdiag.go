// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"dialtone/inet"
	"dialtone/socket"
	"dialtone/wire"

	"golang.org/x/sys/unix"
)

// NETLINK_SOCK_DIAG (sock_diag(7)): the sockets of the virtual host, for ss(8),
// of TCP, UDP, UDP-Lite and raw(7). Those of its programs have the number of
// the inode that /proc/PID/fd shows, so that ss -p finds whose they are; those
// of Go programs have none. Bytes that wait in a direct pair are not counted, for
// they are the kernel's. The kernel's own filters (INET_DIAG_REQ_BYTECODE)
// are left to ss, which applies them, too.

// sockDiagByFamily is SOCK_DIAG_BY_FAMILY (linux/sock_diag.h).
const sockDiagByFamily = 20

// Extensions that a request names by the bit below their number
// (linux/inet_diag.h).
const (
	inetDiagInfo   = 2
	inetDiagCong   = 4
	inetDiagV6Only = 11
)

// The lengths of struct inet_diag_req_v2, and of the struct inet_diag_sockid
// within it and within the answers, bytes.
const (
	inetDiagRequest = 56
	inetDiagID      = 48
)

// tellSockets answers SOCK_DIAG_BY_FAMILY: a dump of the sockets in the states
// that are asked for, or one socket by its ends.
func (h *hosted) tellSockets(q *netlinkQuestion, typ uint16) unix.Errno {
	req := q.payload
	switch {
	case typ != sockDiagByFamily || len(req) < 2:
		return unix.EINVAL
	case req[0] != unix.AF_INET && req[0] != unix.AF_INET6:
		return unix.ENOENT // as where the kernel lacks that family's module
	case len(req) < inetDiagRequest:
		return unix.EINVAL
	}
	states := binary.LittleEndian.Uint32(req[4:])
	found, hosts := false, h.sup.bySocket()
	for _, i := range h.stack.Sockets() {
		protocol := i.Protocol
		if i.Raw {
			protocol = unix.IPPROTO_RAW
		}
		d := diagnosis{i, 0}
		switch {
		case byte(i.Family) != req[0] || byte(protocol) != req[1]:
			continue
		case q.dump() && states&(1<<i.State) == 0:
			continue
		case !q.dump() && string(d.ends(h.stack)[:36]) != string(req[8:44]):
			continue
		}
		d.inode = hosts[i.Socket].inode()
		d.tell(h.stack, &q.m, req[2])
		if found = true; !q.dump() {
			break
		}
	}
	if !found && !q.dump() {
		return unix.ENOENT
	}
	return 0
}

// bySocket returns the hosted sockets by the layer's. The supervisor is locked.
func (s *Supervisor) bySocket() map[*socket.Socket]*hosted {
	all := make(map[*socket.Socket]*hosted, len(s.byID))
	for _, h := range s.byID {
		if h.sock != nil {
			all[h.sock] = h
		}
	}
	return all
}

// inode returns the number of the inode under the target's descriptor, 0 if
// none leads there any more, or h is nil.
func (h *hosted) inode() uint32 {
	var st unix.Stat_t
	if h == nil || unix.Stat(fmt.Sprintf("/proc/%d/fd/%d", h.tid, h.fd), &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFSOCK {
		return 0
	}
	return uint32(st.Ino)
}

// diagnosis is a socket as it is told.
type diagnosis struct {
	inet.SocketInfo
	inode uint32
}

// ends returns its struct inet_diag_sockid.
func (d *diagnosis) ends(stack *inet.Stack) []byte {
	b := make([]byte, 0, inetDiagID)
	b = binary.BigEndian.AppendUint16(b, d.Local.Port())
	b = binary.BigEndian.AppendUint16(b, d.Remote.Port())
	for _, ip := range []netip.Addr{d.Local.Addr(), d.Remote.Addr()} {
		if d.Family == unix.AF_INET6 {
			a := ip.As16() // IPv4 is mapped there
			b = append(b, a[:]...)
		} else {
			a := ip.As4()
			b = append(append(b, a[:]...), make([]byte, 12)...)
		}
	}
	index := 0
	for _, i := range stack.Interfaces() {
		if i.Name == d.Device {
			index = i.Index
		}
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(index))
	cookie := uint64(0)
	if d.Socket != nil {
		cookie = d.Socket.Cookie
	}
	return binary.LittleEndian.AppendUint64(b, cookie)
}

// tell appends a struct inet_diag_msg, and what else was asked for.
func (d *diagnosis) tell(stack *inet.Stack, m *netlinkMessages, extensions byte) {
	wants := func(extension int) bool { return extensions&(1<<(extension-1)) != 0 }
	m.begin(sockDiagByFamily)
	m.b = append(m.b, byte(d.Family), byte(d.State), 0, 0) // no timers are told of
	m.b = append(m.b, d.ends(stack)...)
	m.uint32(0)
	m.uint32(uint32(d.Received))
	m.uint32(uint32(d.Sent))
	m.uint32(d.UID)
	m.uint32(d.inode)
	if d.Family == unix.AF_INET6 {
		v6only := byte(0)
		if d.V6Only {
			v6only = 1
		}
		m.attribute(inetDiagV6Only, []byte{v6only})
	}
	if d.Protocol == wire.TCP && d.TCPInfo != nil {
		if wants(inetDiagInfo) {
			m.attribute(inetDiagInfo, d.TCPInfo)
		}
		if wants(inetDiagCong) {
			m.attribute(inetDiagCong, []byte("reno\x00"))
		}
	}
	m.end()
}
