// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

// The naive twin of the table of a host's own addresses, few or many: look at all prefixes, lo's first.
func TestMeaningIsThatOfAllPrefixes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newTestStack(t)
		any4 := func(name string) netip.Addr {
			return netip.AddrFrom4([4]byte{10, 0, byte(rapid.IntRange(0, 2).Draw(t, name+" third")), byte(rapid.IntRange(0, 9).Draw(t, name))})
		}
		for range rapid.IntRange(0, 3*fewAddresses).Draw(t, "changes") {
			i := s.interfaces[rapid.IntRange(0, 2).Draw(t, "interface")]
			p := netip.PrefixFrom(any4("address"), rapid.SampledFrom([]int{24, 30, 31, 32}).Draw(t, "bits"))
			if rapid.IntRange(0, 3).Draw(t, "remove") == 0 {
				i.RemoveAddress(p)
			} else {
				i.AddAddress(p)
			}
		}
		ip := any4("asked")
		var owner *Interface
		broadcast := false
		for _, i := range s.interfaces {
			for _, p := range i.prefixes {
				if owner == nil && (p.Addr() == ip || i.loopback && p.Contains(ip)) {
					owner = i
				}
				broadcast = broadcast || p.Bits() < 31 && BroadcastOf(p) == ip
			}
		}
		if got := s.owner(ip); got != owner {
			t.Errorf("%v belongs to %v, want %v", ip, got, owner)
		}
		if got := s.isBroadcast(ip); got != broadcast {
			t.Errorf("%v is a broadcast address: %t, want %t", ip, got, broadcast)
		}
		want := others
		switch {
		case broadcast:
			want = everybody
		case owner != nil:
			want = us
		}
		if got := s.audience(netip.Addr{}, ip, s.interfaces[1]); got != want {
			t.Errorf("what comes to %v is for %v, want %v", ip, got, want)
		}
		for _, i := range s.interfaces {
			has := false
			for _, p := range i.prefixes {
				has = has || p.Addr() == ip
			}
			if i.Answers(ip) != has {
				t.Errorf("%s answers for %v: %t, want %t", i.Name, ip, !has, has)
			}
		}
	})
}
