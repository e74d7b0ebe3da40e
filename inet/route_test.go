// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"dialtone/clock"
	"dialtone/errno"
	"dialtone/link"
	"dialtone/personality"
	"dialtone/socket"
)

func newTestStack(t interface{ Fatal(...any) }) *Stack {
	s := New(socket.NewCore(clock.NewManual(), personality.Linux), 1)
	for _, name := range []string{"a0", "a1"} {
		if _, err := s.AddInterface(name, link.NewHub(0)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// The naive twin of the sorted table: look at all routes, keep the best.
func TestLookUpIsBestOfAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newTestStack(t)
		var naive []Route
		for range rapid.IntRange(0, 12).Draw(t, "routes") {
			ip := netip.AddrFrom4([4]byte{172, 16, byte(rapid.IntRange(0, 3).Draw(t, "third")), byte(rapid.IntRange(0, 3).Draw(t, "fourth"))})
			r := Route{
				Type:      RouteType(rapid.IntRange(int(Unicast), int(Throw)).Draw(t, "type")),
				Prefix:    netip.PrefixFrom(ip, rapid.SampledFrom([]int{0, 12, 24, 30, 32}).Draw(t, "bits")).Masked(),
				Metric:    rapid.IntRange(0, 2).Draw(t, "metric"),
				Interface: s.interfaces[rapid.IntRange(1, 2).Draw(t, "interface")],
			}
			if err := s.AddRoute(r); err != nil {
				t.Fatal(err)
			}
			naive = append(naive, r)
		}
		down := rapid.Bool().Draw(t, "a1 down")
		s.interfaces[2].SetUp(!down)
		dst := netip.AddrFrom4([4]byte{172, 16, byte(rapid.IntRange(0, 3).Draw(t, "to third")), byte(rapid.IntRange(0, 3).Draw(t, "to fourth"))})

		var best *Route
		for i := range naive {
			r := &naive[i]
			if !r.Prefix.Contains(dst) || r.Type == Unicast && !r.Interface.up {
				continue
			}
			if best == nil || r.Prefix.Bits() > best.Prefix.Bits() ||
				r.Prefix.Bits() == best.Prefix.Bits() && r.Metric < best.Metric {
				best = r
			}
		}
		s.core.Lock()
		w, r, e := s.lookUp(query{to: dst})
		s.core.Unlock()
		switch {
		case best == nil:
			if e != errno.ENETUNREACH || r != nil {
				t.Fatalf("found %v, %v where no route is", r, e)
			}
		case r == nil || r.Type != best.Type || r.Prefix != best.Prefix || r.Metric != best.Metric:
			t.Fatalf("found %v, want %v", r, best)
		case best.Type == Unicast && (e != errno.OK || w.out != best.Interface || w.nextHop != dst):
			t.Fatalf("way %v, %v; want by %v", w, e, best)
		}
	})
}

func TestRouteErrors(t *testing.T) {
	s := newTestStack(t)
	for _, c := range []struct {
		name  string
		route Route
	}{
		{"no prefix", Route{Interface: s.interfaces[1]}},
		{"no interface", Route{Prefix: netip.MustParsePrefix("10.0.0.0/8")}},
		{"gateway of the other version", Route{
			Prefix: netip.MustParsePrefix("10.0.0.0/8"), Interface: s.interfaces[1], Gateway: netip.MustParseAddr("fd00::1"),
		}},
	} {
		if err := s.AddRoute(c.route); err == nil {
			t.Errorf("%s: accepted", c.name)
		}
	}
}

func TestRouteTypeErrnos(t *testing.T) {
	for typ, want := range map[RouteType]errno.Errno{
		Unreachable: errno.EHOSTUNREACH, Blackhole: errno.EINVAL, Prohibit: errno.EACCES, Throw: errno.ENETUNREACH,
	} {
		s := newTestStack(t)
		if err := s.AddRoute(Route{Type: typ, Prefix: netip.MustParsePrefix("198.51.100.0/24")}); err != nil {
			t.Fatal(err)
		}
		s.core.Lock()
		_, _, e := s.lookUp(query{to: netip.MustParseAddr("198.51.100.1")})
		s.core.Unlock()
		if e != want {
			t.Errorf("%v route: %s, want %s", typ, e.Name(), want.Name())
		}
	}
}

func TestBroadcastOf(t *testing.T) {
	for _, c := range []struct{ prefix, want string }{
		{"10.0.0.1/24", "10.0.0.255"}, {"10.1.2.3/8", "10.255.255.255"}, {"192.168.7.9/30", "192.168.7.11"},
	} {
		if got := BroadcastOf(netip.MustParsePrefix(c.prefix)); got != netip.MustParseAddr(c.want) {
			t.Errorf("broadcast of %s: %v, want %s", c.prefix, got, c.want)
		}
	}
}
