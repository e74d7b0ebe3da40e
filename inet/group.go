// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"net/netip"
	"slices"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// membership is a group that a socket has joined on an interface (RFC 1112, 6.1; RFC 4291, 2.7). Nobody else is told, by IGMP
// or MLD: a link brings what is for a group to all that are on it, and each host takes in what it has members for.
type membership struct {
	group netip.Addr
	on    *Interface
	by    netip.Addr // the interface's address that the call named; invalid or unspecified: none

	sources []netip.Addr
	only    bool // the sources alone are heard; else all but them
	settled bool // a source has said which
}

// maxMemberships is how many groups of IPv4 a socket may be in (net.ipv4.igmp_max_memberships).
const maxMemberships = 20

// hasMembers reports whether a socket of the host is in a group on i, and hears a source there.
func (i *Interface) hasMembers(group, source netip.Addr) bool {
	return slices.ContainsFunc(i.members[group], func(d *datagram) bool {
		return slices.ContainsFunc(d.groups, func(m membership) bool {
			return m.group == group && m.on == i && m.takes(source)
		})
	})
}

// joinGroup puts d in a group (ip_mc_join_group, ipv6_sock_mc_join).
func (d *datagram) joinGroup(m membership) errno.Errno {
	is4, count := m.group.Is4(), 0
	for _, other := range d.groups {
		if other.group == m.group && other.on == m.on {
			return errno.EADDRINUSE
		}
		if other.group.Is4() {
			count++
		}
	}
	if is4 && count == maxMemberships {
		return errno.ENOBUFS
	}
	d.groups = append(d.groups, m)
	if m.on.members == nil {
		m.on.members = map[netip.Addr][]*datagram{}
	}
	m.on.members[m.group] = append(m.on.members[m.group], d)
	return errno.OK
}

// leaveGroup takes d out of a group: on the interface that m names, if it names one, or else on that of the address that it was
// joined by, if m has one (ip_mc_leave_group, ipv6_sock_mc_drop).
func (d *datagram) leaveGroup(m membership) errno.Errno {
	at := slices.IndexFunc(d.groups, func(other membership) bool {
		switch {
		case other.group != m.group:
			return false
		case m.on != nil:
			return other.on == m.on
		}
		return !m.by.IsValid() || m.by.IsUnspecified() || other.by == m.by
	})
	if at < 0 {
		return errno.EADDRNOTAVAIL
	}
	d.quit(d.groups[at])
	d.groups = slices.Delete(d.groups, at, at+1)
	return errno.OK
}

func (d *datagram) quit(m membership) {
	rest := slices.DeleteFunc(m.on.members[m.group], func(o *datagram) bool { return o == d })
	if len(rest) > 0 {
		m.on.members[m.group] = rest
	} else {
		delete(m.on.members, m.group)
	}
}

// leaveGroups takes d out of all groups.
func (d *datagram) leaveGroups() {
	for _, m := range d.groups {
		d.quit(m)
	}
	d.groups = nil
}

// hearsGroup reports whether what a source sent to a group, and came by in, is for d, whose host takes it in. A socket that has not joined it hears
// it all the same unless it says otherwise (IP_MULTICAST_ALL, IPV6_MULTICAST_ALL). For IPv6 it does not matter on which
// interface it has (ip_mc_sf_allow, inet6_mc_check).
func (d *datagram) hearsGroup(group, source netip.Addr, in *Interface) bool {
	at := slices.IndexFunc(d.groups, func(m membership) bool {
		return m.group == group && (group.Is6() || m.on == in)
	})
	if at < 0 {
		return d.opts.hearsAll(d.sock, group.Is4())
	}
	return d.groups[at].takes(source)
}

// hearsAll reads IP_MULTICAST_ALL or IPV6_MULTICAST_ALL. At first they are on, but for IPv4's of a socket of IPv6 (inet6_create).
func (o *ipOptions) hearsAll(sock *socket.Socket, is4 bool) bool {
	all := storedKey{solIP, ipMulticastAll}
	if !is4 {
		all = storedKey{solIPv6, ipv6MulticastAll}
	}
	if n, ok := o.stored[all]; ok {
		return n != 0
	}
	return !is4 || sock.Family == sockaddr.Inet
}
