// SPDX-License-Identifier: Apache-2.0

package inet

import "net/netip"

// ownAddress is what an address means to the host itself. Every packet asks, so it is found out when addresses change.
type ownAddress struct {
	ip        netip.Addr
	owner     *Interface // the first one that has it, lo before the others; nil: none
	broadcast bool       // of a network the host is on
}

// indexAddresses makes the addresses of all interfaces count.
func (s *Stack) indexAddresses() {
	s.changes++
	s.own, s.ownAt = s.own[:0], nil
	for _, i := range s.interfaces {
		i.harmless = netip.Addr{}
		for _, p := range i.prefixes {
			if o := s.ownEntry(p.Addr()); o.owner == nil {
				if o.owner = s.inLoopback(p.Addr()); o.owner == nil {
					o.owner = i
				}
			}
			if p.Addr().Is4() && p.Bits() < 31 {
				s.ownEntry(BroadcastOf(p)).broadcast = true
			}
		}
	}
}

// ownEntry returns the entry of an address, which is made if there is none. It holds until the next one is made.
func (s *Stack) ownEntry(ip netip.Addr) *ownAddress {
	if o := s.meaning(ip); o != nil {
		return o
	}
	s.own = append(s.own, ownAddress{ip: ip})
	if len(s.own) > fewAddresses {
		if s.ownAt == nil {
			s.ownAt = map[netip.Addr]int{}
			for at := range s.own {
				s.ownAt[s.own[at].ip] = at
			}
		}
		s.ownAt[ip] = len(s.own) - 1
	}
	return &s.own[len(s.own)-1]
}

// fewAddresses is how many addresses are looked through sooner than a map is asked. Most hosts have fewer.
const fewAddresses = 8

// meaning returns what an address means to the host, nil for nothing.
func (s *Stack) meaning(ip netip.Addr) *ownAddress {
	if s.ownAt != nil {
		if at, ok := s.ownAt[ip]; ok {
			return &s.own[at]
		}
		return nil
	}
	for at := range s.own {
		if s.own[at].ip == ip {
			return &s.own[at]
		}
	}
	return nil
}

// AppendAddresses appends the addresses of the interfaces to ips, but for those of lo, in the order they were given.
func (s *Stack) AppendAddresses(ips []netip.Addr) []netip.Addr {
	s.core.Lock()
	defer s.core.Unlock()
	for _, i := range s.interfaces {
		if i.loopback {
			continue
		}
		for _, p := range i.prefixes {
			ips = append(ips, p.Addr())
		}
	}
	return ips
}

// owner returns the interface that has the address ip; of lo's IPv4 networks every address is the host's.
func (s *Stack) owner(ip netip.Addr) *Interface {
	if o := s.meaning(ip); o != nil && o.owner != nil {
		return o.owner
	}
	return s.inLoopback(ip)
}

// inLoopback returns lo if one of its IPv4 networks has the address, else nil.
func (s *Stack) inLoopback(ip netip.Addr) *Interface {
	if !ip.Is4() {
		return nil
	}
	lo := s.interfaces[0]
	for _, p := range lo.prefixes {
		if p.Contains(ip) {
			return lo
		}
	}
	return nil
}

// isBroadcast reports whether ip is the limited broadcast address or that of a network the host is on.
func (s *Stack) isBroadcast(ip netip.Addr) bool {
	if !ip.Is4() {
		return false
	}
	o := s.meaning(ip)
	return o != nil && o.broadcast || ip == limitedBroadcast
}

var limitedBroadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// BroadcastOf returns the last address of an IPv4 network.
func BroadcastOf(p netip.Prefix) netip.Addr {
	b := p.Addr().As4()
	for bit := p.Bits(); bit < 32; bit++ {
		b[bit/8] |= 0x80 >> (bit % 8)
	}
	return netip.AddrFrom4(b)
}
