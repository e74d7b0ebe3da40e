// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"net/netip"

	"dialtone/errno"
	"dialtone/firewall"
	"dialtone/link"
)

// ClearTo reports whether nobody acts on packets from the host to an address of peer's, another host: they go straight
// over a link that hands them over as they are and at once, and neither host has firewall rules, taps, or access control
// to label them by. It says how things are now.
func (s *Stack) ClearTo(peer *Stack, ip netip.Addr) bool {
	if !peer.open() {
		return false
	}
	out, l := s.straight(ip)
	if l == nil || !link.Clear(l) {
		return false
	}
	to, ok := l.Neighbour(out, ip)
	i, isInterface := to.(*Interface)
	return ok && isInterface && i.stack == peer
}

// straight returns the interface and the link by which an address is reached without a gateway, if the host does
// nothing to packets on the way; nil otherwise.
func (s *Stack) straight(ip netip.Addr) (*Interface, link.Link) {
	s.core.Lock()
	defer s.core.Unlock()
	if !s.openLocked() {
		return nil, nil
	}
	w, _, e := s.lookUp(query{to: ip})
	if e != errno.OK || w.nextHop != ip || w.broadcast || w.local || !w.out.up {
		return nil, nil
	}
	return w.out, w.out.link
}

func (s *Stack) open() bool {
	s.core.Lock()
	defer s.core.Unlock()
	return s.openLocked()
}

// openLocked reports whether the host has no firewall, no access control, and nobody who looks on.
func (s *Stack) openLocked() bool {
	open := func(c *firewall.Chain) bool { return len(c.Rules) == 0 && c.Policy.Action == firewall.Accept }
	return open(&s.Firewall.Input) && open(&s.Firewall.Output) && s.core.Access == nil && len(s.taps) == 0
}
