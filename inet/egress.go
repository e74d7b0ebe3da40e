// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"encoding/binary"
	"net/netip"

	"dialtone/errno"
	"dialtone/socket"
)

// egress is by which interface a socket's datagrams leave where nothing else says so. nil: as routes say.
type egress struct {
	group4  *Interface // IP_MULTICAST_IF, and the address
	from4   netip.Addr // that it was named by, where they come from; unspecified: none
	group6  *Interface // IPV6_MULTICAST_IF
	others4 *Interface // IP_UNICAST_IF
	others6 *Interface // IPV6_UNICAST_IF
}

// query puts what is said about the way in q.
func (x *egress) query(q *query) {
	var by *Interface
	switch is4, group := q.to.Is4(), q.to.IsMulticast(); {
	case is4 && group:
		by = x.group4
		if x.from4.IsValid() && !x.from4.IsUnspecified() && !q.bound() {
			q.from = x.from4
		}
	case group:
		by = x.group6
	case is4:
		by = x.others4
	default:
		by = x.others6
	}
	if by != nil && q.device == "" {
		q.device = by.Name
	}
}

// egressOption reports whether an option says by which interface to leave.
func egressOption(level, name int) bool {
	switch (storedKey{level, name}) {
	case storedKey{solIP, ipMulticastIf}, storedKey{solIPv6, ipv6MulticastIf}, storedKey{solIP, ipUnicastIf}, storedKey{solIPv6, ipv6UnicastIf}:
		return true
	}
	return false
}

// egressValue reads such an option.
func (d *datagram) egressValue(level, name int) []byte {
	var x egress
	if d.egress != nil {
		x = *d.egress
	}
	index := func(i *Interface) uint32 {
		if i == nil {
			return 0
		}
		return uint32(i.Index)
	}
	switch (storedKey{level, name}) {
	case storedKey{solIP, ipMulticastIf}:
		if !x.from4.IsValid() {
			return make([]byte, 4)
		}
		return x.from4.AsSlice()
	case storedKey{solIPv6, ipv6MulticastIf}:
		return socket.Int(int(index(x.group6)))
	case storedKey{solIP, ipUnicastIf}:
		return binary.BigEndian.AppendUint32(nil, index(x.others4))
	}
	return binary.BigEndian.AppendUint32(nil, index(x.others6))
}

// setEgress sets such an option.
func (d *datagram) setEgress(level, name int, value []byte) errno.Errno {
	if d.egress == nil {
		d.egress = new(egress)
	}
	if len(value) < 4 {
		return errno.EINVAL
	}
	s, x := d.stack, d.egress
	key := storedKey{level, name}
	index := binary.BigEndian.Uint32(value) // of IP_UNICAST_IF and IPV6_UNICAST_IF
	missing := errno.EADDRNOTAVAIL
	var from netip.Addr
	switch key {
	case storedKey{solIPv6, ipv6MulticastIf}:
		index, missing = binary.LittleEndian.Uint32(value), errno.ENODEV
	case storedKey{solIP, ipMulticastIf}:
		index, from = 0, netip.AddrFrom4([4]byte(value))
		if len(value) >= 8 { // struct ip_mreq, ip_mreqn
			from = netip.AddrFrom4([4]byte(value[4:]))
		}
		if len(value) >= 12 {
			index = binary.LittleEndian.Uint32(value[8:])
		}
	}
	by := s.interfaceIndexed(index)
	if index == 0 && from.IsValid() && !from.IsUnspecified() {
		if by = s.owner(from); by == nil {
			return missing
		}
	}
	bound := s.interfaceNamed(d.sock.Options().Device())
	switch {
	case index != 0 && by == nil:
		return missing
	case by != nil && bound != nil && (bound != by || key.name == ipUnicastIf || key.name == ipv6UnicastIf):
		return errno.EINVAL
	}
	switch key {
	case storedKey{solIP, ipMulticastIf}:
		x.group4, x.from4 = by, from
	case storedKey{solIPv6, ipv6MulticastIf}:
		x.group6 = by
	case storedKey{solIP, ipUnicastIf}:
		x.others4 = by
	default:
		x.others6 = by
	}
	return errno.OK
}
