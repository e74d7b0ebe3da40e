// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"net/netip"
	"slices"
	"time"

	"dialtone/firewall"
	"dialtone/wire"
)

// Tap is told of each packet at a host's interfaces, at the places where Linux shows them to packet(7) sockets: what comes
// in before the firewall has seen it, what goes out after (__netif_receive_skb_core, dev_queue_xmit_nit). What a host sends
// to itself is told twice, once each way, both times at lo. at is the time of the network's clock.
//
// It is called with the core locked, so it must not ask the host for anything that takes the lock. p is lent: what is to be
// kept must be copied, a payload too.
type Tap func(at time.Duration, i *Interface, d firewall.Direction, p *wire.Packet)

// Tap has t told of each packet from now on, until remove is called. Several are told in the order they were added.
func (s *Stack) Tap(t Tap) (remove func()) {
	s.core.Lock()
	defer s.core.Unlock()
	s.taps = append(s.taps, &t)
	return func() {
		s.core.Lock()
		defer s.core.Unlock()
		s.taps = slices.DeleteFunc(s.taps, func(x *Tap) bool { return x == &t })
	}
}

// tell tells the taps of a packet.
func (i *Interface) tell(d firewall.Direction, p *wire.Packet) {
	at, by := i.stack.core.NowLocked(), i
	if i.standsIn {
		by = i.stack.interfaces[0]
	}
	for _, t := range i.stack.taps {
		(*t)(at, by, d, p)
	}
}

// Addresses returns the interface's addresses while it is up, sorted; none while it is down. The core may be locked or not.
func (i *Interface) Addresses() []netip.Addr { return slices.Clone(*i.answers.Load()) }
