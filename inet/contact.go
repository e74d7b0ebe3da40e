// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"net/netip"
	"time"

	"dialtone/wire"
)

// contacts are the neighbours of an interface that were there when something was sent to them.
type contacts struct {
	recent contact // the last one: most packets are for the same as those before
	others map[netip.Addr]contact
}

// contact is one of them.
type contact struct {
	ip    netip.Addr
	at    time.Duration // when something was sent there last
	asked time.Duration // since when it is asked whether it is there still; 0: it is not
}

// contactsMost bounds the neighbours that an interface remembers (net.ipv4.neigh.default.gc_thresh3). With one more they
// are forgotten; Linux would look for those that are not in use.
const contactsMost = 1024

// met notes that a neighbour is there.
func (c *contacts) met(ip netip.Addr, now time.Duration) {
	if c.recent.ip != ip {
		c.put(c.recent)
		c.recent = contact{ip: ip}
	}
	c.recent.at, c.recent.asked = now, 0
}

// put keeps a contact among the others.
func (c *contacts) put(one contact) {
	switch {
	case !one.ip.IsValid():
		return
	case c.others == nil:
		c.others = make(map[netip.Addr]contact)
	case len(c.others) >= contactsMost:
		clear(c.others)
	}
	c.others[one.ip] = one
}

// forget has a neighbour count as gone.
func (c *contacts) forget(ip netip.Addr) {
	if c.recent.ip == ip {
		c.recent = contact{}
	}
	delete(c.others, ip)
}

// find returns the contact with a neighbour, as the recent one; nil if there is none.
func (c *contacts) find(ip netip.Addr) *contact {
	if c.recent.ip == ip {
		return &c.recent
	}
	one, ok := c.others[ip]
	if !ok {
		return nil
	}
	c.put(c.recent)
	c.recent = one
	return &c.recent
}

// vacated is the station of a neighbour that is believed to be there still: what is sent to it crosses the link, and then
// nobody takes it.
type vacated struct{}

// Answers implements [link.Station].
func (vacated) Answers(netip.Addr) bool { return false }

// Deliver implements [link.Station].
func (vacated) Deliver(_ time.Duration, p *wire.Packet) { p.Free() }

// believes reports whether a neighbour that does not answer is believed to be there still, because it was. Now it is used
// once more. On a cable the carrier is lost with the neighbour, and with that what was known of it (neigh_carrier_down).
func (s *Stack) believes(out *Interface, ip netip.Addr) bool {
	facts, now := &s.core.Personality.IP, s.core.NowLocked()
	c := out.contacts.find(ip)
	switch {
	case out.cable || c == nil:
		return false
	case now < c.at+facts.NeighbourBelieved:
		return true
	case c.asked == 0:
		c.asked = now
	}
	if now < c.asked+facts.NeighbourProbed {
		return true
	}
	out.contacts.forget(ip)
	return false
}
