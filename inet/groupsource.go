// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"dialtone/errno"
	"dialtone/sockaddr"
)

// Options by which a socket says whom it hears in a group, in Linux's numbers (ip(7), RFC 3678).
const (
	ipUnblockSource   = 37
	ipBlockSource     = 38
	ipAddSource       = 39 // IP_ADD_SOURCE_MEMBERSHIP
	ipDropSource      = 40
	mcastBlockSource  = 43 // of either level
	mcastUnblock      = 44
	mcastJoinSource   = 46
	mcastLeaveSource  = 47
	sourceRequestLen4 = 12  // struct ip_mreq_source: group, address of the interface, source
	sourceRequestLen  = 264 // struct group_source_req: index, and two addresses in 128 bytes each that are aligned
)

// Most sources that a socket may name of a group (net.ipv4.igmp_max_msf, net.ipv6.mld_max_msf).
const (
	maxSources4 = 10
	maxSources6 = 64
)

// takes reports whether what a source sends to the group is for a member.
func (m *membership) takes(source netip.Addr) bool {
	return slices.Contains(m.sources, source) == m.only
}

// sourceChange says what becomes of a source.
type sourceChange struct {
	only bool // of those that alone are heard; else of those that are not
	add  bool
}

// sourceOption returns what an option does to a source; ok is false if it does nothing of the kind.
func sourceOption(level, name int) (c sourceChange, ok bool) {
	if level != solIP && level != solIPv6 {
		return c, false
	}
	switch {
	case name == mcastJoinSource, level == solIP && name == ipAddSource:
		return sourceChange{only: true, add: true}, true
	case name == mcastLeaveSource, level == solIP && name == ipDropSource:
		return sourceChange{only: true}, true
	case name == mcastBlockSource, level == solIP && name == ipBlockSource:
		return sourceChange{add: true}, true
	case name == mcastUnblock, level == solIP && name == ipUnblockSource:
		return sourceChange{}, true
	}
	return c, false
}

// setSource sets such an option.
func (d *datagram) setSource(level, name int, c sourceChange, value []byte) errno.Errno {
	r, source, e := sourceRequest(level, name, value)
	if e != errno.OK {
		return e
	}
	on, e := d.stack.joinable(&r)
	if e != errno.OK {
		return e
	}
	if c.only && c.add {
		m := membership{group: r.group, on: on, by: r.by, only: true}
		if e := d.joinGroup(m); e != errno.OK && e != errno.EADDRINUSE {
			return e
		}
	}
	return d.changeSource(r.group, on, source, c)
}

// sourceRequest reads a group, an interface and a source.
func sourceRequest(level, name int, b []byte) (r request, source netip.Addr, e errno.Errno) {
	if name < mcastBlockSource {
		if len(b) != sourceRequestLen4 {
			return r, source, errno.EINVAL
		}
		r.group, r.by = netip.AddrFrom4([4]byte(b)), netip.AddrFrom4([4]byte(b[4:]))
		return r, netip.AddrFrom4([4]byte(b[8:])), errno.OK
	}
	if len(b) < sourceRequestLen {
		return r, source, errno.EINVAL
	}
	family, parse := sockaddr.Inet, sockaddr.ParseInet
	if level == solIPv6 {
		family, parse = sockaddr.Inet6, sockaddr.ParseInet6
	}
	group, from := parse(b[8:]), parse(b[8+128:])
	if group.Family != family || from.Family != family {
		return r, source, errno.EADDRNOTAVAIL
	}
	return request{group: group.IP, index: binary.LittleEndian.Uint32(b)}, from.IP, errno.OK
}

// changeSource adds a source to those of a membership, or takes it off (ip_mc_source, ip6_mc_source). Before the first was added
// it is not settled what they are to be; who hears no source any more leaves.
func (d *datagram) changeSource(group netip.Addr, on *Interface, source netip.Addr, c sourceChange) errno.Errno {
	at := slices.IndexFunc(d.groups, func(m membership) bool { return m.group == group && m.on == on })
	if at < 0 {
		return errno.EINVAL
	}
	m := &d.groups[at]
	if m.settled && m.only != c.only {
		return errno.EINVAL
	}
	m.only = c.only
	most := maxSources6
	if group.Is4() {
		most = maxSources4
	}
	which := slices.Index(m.sources, source)
	switch {
	case c.add && len(m.sources) == most:
		return errno.ENOBUFS
	case c.add == (which >= 0):
		return errno.EADDRNOTAVAIL // it is there already, or is not there
	case c.add:
		m.sources, m.settled = append(m.sources, source), true
	case m.only && len(m.sources) == 1:
		d.quit(*m)
		d.groups = slices.Delete(d.groups, at, at+1)
	default:
		m.sources = slices.Delete(m.sources, which, which+1)
	}
	return errno.OK
}
