// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"encoding/binary"
	"net/netip"

	"dialtone/errno"
	"dialtone/sockaddr"
)

// Options by which a socket joins groups and leaves them, in Linux's numbers (ip(7), ipv6(7), RFC 3678).
const (
	ipAddMembership  = 35
	ipDropMembership = 36
	mcastJoinGroup   = 42 // of either level
	mcastLeaveGroup  = 45
	ipv6JoinGroup    = 20
	ipv6LeaveGroup   = 21
)

// groupOption reports whether an option joins a group, or leaves one.
func groupOption(level, name int) bool {
	switch (storedKey{level, name}) {
	case storedKey{solIP, ipAddMembership}, storedKey{solIP, ipDropMembership},
		storedKey{solIP, mcastJoinGroup}, storedKey{solIP, mcastLeaveGroup},
		storedKey{solIPv6, ipv6JoinGroup}, storedKey{solIPv6, ipv6LeaveGroup},
		storedKey{solIPv6, mcastJoinGroup}, storedKey{solIPv6, mcastLeaveGroup}:
		return true
	}
	return false
}

// setGroup sets such an option.
func (d *datagram) setGroup(level, name int, value []byte) errno.Errno {
	switch (storedKey{level, name}) {
	case storedKey{solIP, ipAddMembership}:
		return d.joinNamed(value, membershipRequest)
	case storedKey{solIP, ipDropMembership}:
		return d.leaveNamed(value, membershipRequest)
	case storedKey{solIPv6, ipv6JoinGroup}:
		return d.joinNamed(value, ipv6Request)
	case storedKey{solIPv6, ipv6LeaveGroup}:
		return d.leaveNamed(value, ipv6Request)
	case storedKey{solIP, mcastJoinGroup}:
		return d.joinNamed(value, groupRequest4)
	case storedKey{solIP, mcastLeaveGroup}:
		return d.leaveNamed(value, groupRequest4)
	case storedKey{solIPv6, mcastJoinGroup}:
		return d.joinNamed(value, groupRequest6)
	}
	return d.leaveNamed(value, groupRequest6)
}

// request is a group, and the interface that it is to be joined on: by its index, or by an address of it. Neither says any.
type request struct {
	group netip.Addr
	index uint32
	by    netip.Addr
}

// membershipRequest reads struct ip_mreq or ip_mreqn (ip(7)).
func membershipRequest(b []byte) (r request, e errno.Errno) {
	if len(b) < 8 {
		return r, errno.EINVAL
	}
	r.group, r.by = netip.AddrFrom4([4]byte(b)), netip.AddrFrom4([4]byte(b[4:]))
	if len(b) >= 12 {
		r.index = binary.LittleEndian.Uint32(b[8:])
	}
	return r, errno.OK
}

// ipv6Request reads struct ipv6_mreq (ipv6(7)).
func ipv6Request(b []byte) (r request, e errno.Errno) {
	if len(b) < 20 {
		return r, errno.EINVAL
	}
	return request{group: netip.AddrFrom16([16]byte(b)), index: binary.LittleEndian.Uint32(b[16:])}, errno.OK
}

// groupRequestLen is the length of struct group_req (RFC 3678, 5.1): an index, and an address in 128 bytes that are aligned.
const groupRequestLen = 136

func groupRequest4(b []byte) (r request, e errno.Errno) {
	if len(b) < groupRequestLen {
		return r, errno.EINVAL
	}
	a := sockaddr.ParseInet(b[8:])
	if a.Family != sockaddr.Inet {
		return r, errno.EINVAL
	}
	return request{group: a.IP, index: binary.LittleEndian.Uint32(b)}, errno.OK
}

func groupRequest6(b []byte) (r request, e errno.Errno) {
	if len(b) < groupRequestLen {
		return r, errno.EINVAL
	}
	a := sockaddr.ParseInet6(b[8:])
	if a.Family != sockaddr.Inet6 {
		return r, errno.EADDRNOTAVAIL
	}
	return request{group: a.IP, index: binary.LittleEndian.Uint32(b)}, errno.OK
}

// joinNamed joins the group that an option's value names.
func (d *datagram) joinNamed(value []byte, read func([]byte) (request, errno.Errno)) errno.Errno {
	r, e := read(value)
	if e != errno.OK {
		return e
	}
	on, e := d.stack.joinable(&r)
	if e != errno.OK {
		return e
	}
	return d.joinGroup(membership{group: r.group, on: on, by: r.by})
}

// joinable returns the interface at which what is asked for can be joined.
func (s *Stack) joinable(r *request) (*Interface, errno.Errno) {
	if !r.group.IsMulticast() {
		return nil, errno.EINVAL
	}
	on := s.groupInterface(r)
	if on == nil {
		return nil, errno.ENODEV
	}
	return on, errno.OK
}

// leaveNamed leaves it. An IPv4 group without a way to it, and without an interface, is no group of any device.
func (d *datagram) leaveNamed(value []byte, read func([]byte) (request, errno.Errno)) errno.Errno {
	r, e := read(value)
	if e != errno.OK {
		return e
	}
	unnamed := r.index == 0 && (!r.by.IsValid() || r.by.IsUnspecified())
	if unnamed && r.group.Is4() && d.stack.groupInterface(&r) == nil {
		return errno.ENODEV
	}
	on := d.stack.interfaceIndexed(r.index)
	if r.index != 0 && on == nil {
		return errno.EADDRNOTAVAIL
	}
	return d.leaveGroup(membership{group: r.group, on: on, by: r.by})
}

// groupInterface is where a group is to be joined: on the interface that is named, or where the way to it leads (ip_mc_find_dev).
func (s *Stack) groupInterface(r *request) *Interface {
	switch {
	case r.index != 0:
		return s.interfaceIndexed(r.index)
	case r.by.IsValid() && !r.by.IsUnspecified():
		return s.owner(r.by)
	}
	w, _, e := s.lookUp(query{to: r.group})
	if e != errno.OK {
		return nil
	}
	return w.out
}
