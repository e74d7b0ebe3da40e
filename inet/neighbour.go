// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"net/netip"

	"dialtone/clock"
	"dialtone/link"
	"dialtone/wire"
)

// Neighbours on a link in memory answer at once if they are there, however long packets take: there is no ARP on the
// wire. One that does not answer is waited for as long as the personality says, then what waited for it is told that it
// can't be reached. But one that was there a while ago is believed to be there still (RFC 4861, 7.3.2: REACHABLE, then
// DELAY and PROBE at the next use): what is sent to it is lost.

type neighbourKey struct {
	out *Interface
	ip  netip.Addr
}

// neighbour is one who has not answered yet.
type neighbour struct {
	key     neighbourKey
	waiting []*wire.Packet
	expiry  clock.Event
}

// silentMost bounds how many neighbours are waited for, of IPv4 and of IPv6 (net.ipv4.neigh.default.gc_thresh3, which on
// Linux also counts those that have answered, of all namespaces). Packets for one more are lost.
const silentMost = 1024

// silent returns those of the address's version that have not answered yet.
func (s *Stack) silent(ip netip.Addr) map[neighbourKey]*neighbour {
	if ip.Is4() {
		return s.silent4
	}
	return s.silent6
}

// resolve returns the station for the next hop; nil if it has taken p, which is kept until there is one, or until the
// neighbour counts as unreachable.
func (s *Stack) resolve(out *Interface, hop netip.Addr, p *wire.Packet) (link.Station, fate) {
	if to, ok := out.link.Neighbour(out, hop); ok {
		out.contacts.met(hop, s.core.NowLocked())
		return to, sent
	}
	if s.believes(out, hop) {
		return vacated{}, sent
	}
	facts := &s.core.Personality.IP
	key := neighbourKey{out, hop}
	all := s.silent(hop)
	n := all[key]
	if n == nil {
		if len(all) >= silentMost { // neigh_alloc
			p.Free()
			return nil, crowded
		}
		n = &neighbour{key: key}
		n.expiry.Task = clock.Func(func() { s.neighbourFailed(n) })
		all[key] = n
		s.core.After(&n.expiry, s.core.Now()+facts.NeighbourFails)
	}
	if len(n.waiting) >= facts.NeighbourQueue {
		n.waiting[0].Free()
		n.waiting = n.waiting[:copy(n.waiting, n.waiting[1:])]
	}
	n.waiting = append(n.waiting, p)
	return nil, sent
}

// neighbourFailed looks once more, and else tells everyone whose packet waited.
func (s *Stack) neighbourFailed(n *neighbour) {
	delete(s.silent(n.key.ip), n.key)
	to, ok := n.key.out.link.Neighbour(n.key.out, n.key.ip)
	for _, p := range n.waiting {
		if ok {
			n.key.out.transmit(to, p)
			continue
		}
		if s.owner(p.Src) == nil { // forwarded
			s.undeliverable(p, nil, icmpHostUnreachable)
			continue
		}
		s.localError(p, icmpHostUnreachable, s.core.Personality.IP.NeighbourErrno, "no neighbour answers for "+n.key.ip.String()+s.crashOf(n.key.ip))
		p.Free()
	}
}
