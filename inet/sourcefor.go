// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"net/netip"

	"dialtone/errno"
)

// SourceFor returns the address that packets to dst would come from; ok is false if there is no way to dst. Address
// selection asks it (RFC 6724).
func (s *Stack) SourceFor(dst netip.Addr) (source netip.Addr, ok bool) {
	s.core.Lock()
	defer s.core.Unlock()
	w, _, e := s.lookUp(query{to: dst})
	return w.source, e == errno.OK
}

// Way is how packets to an address leave the host.
type Way struct {
	Route     Route // zero where none was asked: for the host's own addresses, broadcast and multicast
	Out       *Interface
	NextHop   netip.Addr // the destination itself, or a gateway
	Source    netip.Addr
	Local     bool // to the host itself
	Broadcast bool
}

// WayTo returns the way to dst for a sender that is bound to from, unless it is invalid, and to the device, unless it is
// "". The error is what a connect would get.
func (s *Stack) WayTo(dst, from netip.Addr, device string) (Way, errno.Errno) {
	s.core.Lock()
	defer s.core.Unlock()
	w, _, e := s.lookUp(query{to: dst, from: from, device: device})
	if e != errno.OK {
		return Way{}, e
	}
	way := Way{Out: w.out, NextHop: w.nextHop, Source: w.source, Local: w.local, Broadcast: w.broadcast}
	if w.route != nil {
		way.Route = *w.route
	}
	return way, errno.OK
}
