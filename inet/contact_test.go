// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The naive twin of the contacts is a map.
func TestContacts_naiveTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c contacts
		naive := make(map[netip.Addr]contact)
		for now := range time.Duration(rapid.IntRange(1, 60).Draw(t, "steps")) {
			ip := netip.AddrFrom4([4]byte{10, 0, 0, rapid.Byte().Draw(t, "neighbour") % 5})
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				c.met(ip, now)
				naive[ip] = contact{ip: ip, at: now}
			case 1:
				if one := c.find(ip); one != nil {
					one.asked = now
					want := naive[ip]
					want.asked = now
					naive[ip] = want
				}
			case 2:
				c.forget(ip)
				delete(naive, ip)
			}
			got, want := c.find(ip), naive[ip]
			if (got != nil) != want.ip.IsValid() || got != nil && *got != want {
				t.Fatalf("%v: %+v, want %+v", ip, got, want)
			}
		}
	})
}

// However many neighbours there are, those that are remembered are few, and the last one is among them.
func TestContacts_bounded(t *testing.T) {
	var c contacts
	for i := range 5 * contactsMost {
		ip := netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
		c.met(ip, time.Duration(i))
		if len(c.others) > contactsMost {
			t.Fatalf("%d after %d", len(c.others), i)
		}
		if one := c.find(ip); one == nil || one.at != time.Duration(i) {
			t.Fatalf("%d is forgotten: %+v", i, one)
		}
	}
}
