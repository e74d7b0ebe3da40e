// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

// numbered returns the nth address of an IPv4 or IPv6 network.
func numbered(is6 bool, n int) netip.Addr {
	if !is6 {
		b := [4]byte{10}
		binary.BigEndian.PutUint32(b[:], 10<<24+uint32(n))
		return netip.AddrFrom4(b)
	}
	b := [16]byte{0: 0xfd}
	binary.BigEndian.PutUint64(b[8:], uint64(n))
	return netip.AddrFrom16(b)
}

// TestDemux_chainsAreShort: whatever the connections of a host differ in, no chain is much longer than chance
// makes it.
func TestDemux_chainsAreShort(t *testing.T) {
	const most = 24 // of 20,000 in 32,768 chains chance makes one of 8 or so
	for name, ends := range map[string]func(is6 bool, n int) (local, remote netip.AddrPort){
		"ports of one client": func(is6 bool, n int) (netip.AddrPort, netip.AddrPort) {
			return netip.AddrPortFrom(numbered(is6, 1), 80), netip.AddrPortFrom(numbered(is6, 2), uint16(32768+n))
		},
		"ports of one's own": func(is6 bool, n int) (netip.AddrPort, netip.AddrPort) {
			return netip.AddrPortFrom(numbered(is6, 1), uint16(32768+n)), netip.AddrPortFrom(numbered(is6, 2), 80)
		},
		"clients": func(is6 bool, n int) (netip.AddrPort, netip.AddrPort) {
			return netip.AddrPortFrom(numbered(is6, 1), 80), netip.AddrPortFrom(numbered(is6, 2+n), 40000)
		},
		"addresses of one's own": func(is6 bool, n int) (netip.AddrPort, netip.AddrPort) {
			return netip.AddrPortFrom(numbered(is6, 2+n), 80), netip.AddrPortFrom(numbered(is6, 1), 40000)
		},
		"addresses of one's own and ports": func(is6 bool, n int) (netip.AddrPort, netip.AddrPort) {
			return netip.AddrPortFrom(numbered(is6, 2+n%100), 80), netip.AddrPortFrom(numbered(is6, 1), uint16(32768+n/100))
		},
	} {
		for _, is6 := range []bool{false, true} {
			for seed := range uint64(8) {
				r := rand.New(rand.NewPCG(seed, 1))
				d := demux{seed: r.Uint64(), factor: r.Uint64()}
				for n := range 20_000 {
					c := &stream{}
					c.local, c.remote = ends(is6, n)
					d.add(c)
				}
				if n := d.longest(); n > most {
					t.Errorf("%s, IPv6 %v, seed %d: a chain of %d, want %d at most", name, is6, seed, n, most)
				}
			}
		}
	}
}

func (d *demux) longest() (most int) {
	for _, c := range d.buckets {
		n := 0
		for ; c != nil; c = c.next {
			n++
		}
		most = max(most, n)
	}
	return most
}

// TestDemux_isAMap: it finds what a map finds.
func TestDemux_isAMap(t *testing.T) {
	type pair struct{ local, remote netip.AddrPort }
	rapid.Check(t, func(t *rapid.T) {
		d, naive := demux{seed: 1, factor: 2}, map[pair]*stream{}
		for range rapid.IntRange(0, 300).Draw(t, "steps") {
			p := pair{
				netip.AddrPortFrom(numbered(false, rapid.IntRange(1, 3).Draw(t, "own")), 80),
				netip.AddrPortFrom(numbered(false, 9), uint16(rapid.IntRange(1, 60).Draw(t, "port"))),
			}
			switch c := naive[p]; {
			case d.find(p.local, p.remote) != c:
				t.Fatalf("%v: found %p, want %p", p, d.find(p.local, p.remote), c)
			case c == nil:
				c = &stream{local: p.local, remote: p.remote}
				d.add(c)
				naive[p] = c
			default:
				d.remove(c)
				delete(naive, p)
			}
			if len(d.all()) != len(naive) || d.len != len(naive) {
				t.Fatalf("%d and %d of %d", len(d.all()), d.len, len(naive))
			}
		}
	})
}
