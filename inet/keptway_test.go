// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"dialtone/errno"
)

// TestKeptWay_naiveTwin: whatever changes on the host, a way that is kept is the one that would be found now.
func TestKeptWay_naiveTwin(t *testing.T) {
	prefix := func(t *rapid.T) netip.Prefix {
		return netip.MustParsePrefix(rapid.SampledFrom([]string{
			"10.0.0.1/24", "10.0.0.2/24", "10.0.1.1/24", "10.0.0.2/32", "0.0.0.0/0", "fd00::1/64", "fd00::2/128", "::/0",
		}).Draw(t, "prefix"))
	}
	rapid.Check(t, func(t *rapid.T) {
		s := newTestStack(t)
		var kept [3]keptWay
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			i := s.interfaces[rapid.IntRange(0, 2).Draw(t, "interface")]
			p := prefix(t)
			switch rapid.IntRange(0, 7).Draw(t, "step") {
			case 0:
				i.AddAddress(p)
			case 1:
				i.RemoveAddress(p)
			case 2:
				if err := s.AddRoute(Route{Prefix: p, Interface: i}); err != nil {
					t.Fatal(err)
				}
			case 3:
				s.RemoveRoute(Unicast, p)
			case 4:
				if err := s.AddRule(Rule{Type: Prohibit, Prefix: p}); err != nil {
					t.Fatal(err)
				}
			case 5:
				i.SetUp(!i.up)
			case 6:
				s.Crash()
			case 7:
				s.Restart()
			}
			for k := range kept {
				q := query{to: netip.MustParseAddr([]string{"10.0.0.2", "10.0.1.255", "fd00::2"}[k])}
				q.device = rapid.SampledFrom([]string{"", "", "a0", "lo"}).Draw(t, "device")
				for range 2 {
					want, _, wantErr := s.lookUp(q)
					if e := s.lookUpAgain(&kept[k], &q); e != wantErr || e == errno.OK && kept[k].way != want {
						t.Fatalf("to %v: %+v, %s, want %+v, %s", q.to, kept[k].way, e.Name(), want, wantErr.Name())
					}
				}
			}
		}
	})
}
