// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"net/netip"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/trail"
)

// hearsOnly reports whether no packet of IPv4 can come from an address that a socket may be bound to.
func (s *Stack) hearsOnly(ip netip.Addr) bool {
	return ip.Is6() || ip.IsMulticast() || s.isBroadcast(ip)
}

// way finds the route to an address and the source address; it holds until the next one is asked for.
func (d *datagram) way(a *sockaddr.Addr, itself bool, own *ownOptions, t *trail.Trail) (*path, errno.Errno) {
	s := d.stack
	o := d.sock.Options()
	q := query{to: a.IP, from: d.local.Addr(), device: o.Device(), onLink: o.DontRoute && a.IP.Is4(), foreign: d.opts.transparent}
	q.itself = itself
	if a.IP.Is4() && (q.from.Is6() || d.source4.IsValid()) {
		q.from = d.source4
	}
	if a.Scope != 0 && needsScope(a.IP) {
		i := s.interfaceIndexed(a.Scope)
		if i == nil {
			return nil, s.core.Personality.IP.NoRoute
		}
		q.device = i.Name // even if the socket is bound to another
	}
	if own != nil {
		own.query(&q)
	}
	if d.egress != nil {
		d.egress.query(&q)
	}
	if t != nil {
		w, r, e := s.lookUp(q)
		s.recordRoute(t, a.IP, w, r, e)
		return &w, e
	}
	if d.lastWay == nil {
		d.lastWay = new(keptWay)
	}
	return &d.lastWay.way, s.lookUpAgain(d.lastWay, &q)
}

// sendWay finds the way of a packet that carries so many bytes to an address, and says why it may not go it.
func (d *datagram) sendWay(to *sockaddr.Addr, carried int, own *ownOptions) (*path, errno.Errno) {
	itself := to.IP == netip.IPv4Unspecified()
	to.IP = d.stack.meant(to.IP, d.local.Addr(), d.sock.Options().Device())
	w, e := d.way(to, itself, own, nil)
	switch {
	case e != errno.OK:
	case w.broadcast && !d.sock.Options().Broadcast:
		e = errno.EACCES
	case headerLen(to.IP)+carried > d.opts.longest(to.IP, w.out, own):
		e = d.tooLong(*to, w.out, own)
	}
	return w, e
}
