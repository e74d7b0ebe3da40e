// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"net/netip"
	"testing"

	"dialtone/wire"
)

// What conformance/cases/others/martians.txt can't send: no address at all as source, and a source that becomes the host's
// own, or ceases to be, after it was heard.
func TestInput_martians(t *testing.T) {
	s := newTestStack(t)
	in := s.interfaces[1]
	in.AddAddress(netip.MustParsePrefix("10.0.0.2/24"))
	own := netip.MustParsePrefix("10.0.0.9/24")
	for _, c := range []struct {
		name     string
		change   func()
		src, dst string
		dropped  bool
	}{
		{"a neighbour", nil, "10.0.0.9", "10.0.0.2", false},
		{"again", nil, "10.0.0.9", "10.0.0.2", false},
		{"its address is the host's now", func() { s.interfaces[2].AddAddress(own) }, "10.0.0.9", "10.0.0.2", true},
		{"and again", nil, "10.0.0.9", "10.0.0.2", true},
		{"and no more", func() { s.interfaces[2].RemoveAddress(own) }, "10.0.0.9", "10.0.0.2", false},
		{"no address", nil, "0.0.0.0", "10.0.0.2", true},
		{"no address, to everybody", nil, "0.0.0.0", "255.255.255.255", false},
		{"no address, to everybody on the network", nil, "0.0.0.0", "10.0.0.255", true},
		{"IPv6's of lo", nil, "::1", "fd00::2", true},
		{"no IPv6 address", nil, "::", "fd00::2", false},
	} {
		if c.change != nil {
			c.change()
		}
		p := wire.NewPacket()
		p.Src, p.Dst, p.Proto = netip.MustParseAddr(c.src), netip.MustParseAddr(c.dst), noNextHeader
		if got := p.Src != in.harmless && in.martian(p); got != c.dropped {
			t.Errorf("%s: %s to %s: dropped %t, want %t", c.name, c.src, c.dst, got, c.dropped)
		}
		in.Input(p)
	}
}
