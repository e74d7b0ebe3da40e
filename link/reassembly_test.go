// SPDX-License-Identifier: Apache-2.0

package link

import (
	"bytes"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dialtone/wire"
)

func drawDatagram(t *rapid.T) wire.Packet {
	p := wire.Packet{Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("10.0.0.2"), Proto: wire.UDP, TTL: 64}
	if rapid.Bool().Draw(t, "IPv6") {
		p.Src, p.Dst = netip.MustParseAddr("fd00::1"), netip.MustParseAddr("fd00::2")
	}
	p.UDP = wire.Datagram{SrcPort: 1, DstPort: 2, Payload: make([]byte, rapid.IntRange(0, 20000).Draw(t, "length"))}
	for i := range p.UDP.Payload {
		p.UDP.Payload[i] = byte(i * 7)
	}
	return p
}

func pieces(t *rapid.T, p *wire.Packet, mtu int, id uint32) (all [][]byte) {
	whole, err := wire.Append(nil, p)
	if err != nil {
		t.Fatal(err)
	}
	for b := range wire.Fragments(whole, mtu, id) {
		if len(b) > mtu {
			t.Fatalf("a piece of %d bytes, the MTU is %d", len(b), mtu)
		}
		all = append(all, bytes.Clone(b))
	}
	return all
}

// What was cut is put together again, in whatever order the pieces come, and however often; pieces of other packets
// between the same hosts are no hindrance.
func TestReassembly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawDatagram(t)
		mtu := rapid.IntRange(1280, 1500).Draw(t, "mtu") // 1280: RFC 8200, 5
		all := pieces(t, &p, mtu, 7)
		if len(all) == 1 {
			if _, ok, err := wire.ParseFragment(all[0]); ok || err != nil {
				t.Fatalf("a whole packet: %v, %v", ok, err)
			}
			return
		}
		arrivals := rapid.Permutation(append(all[:len(all):len(all)], all[:len(all)-1]...)).Draw(t, "arrivals")
		other := p
		other.UDP.DstPort = 3
		var r reassembly
		missing := map[int]bool{}
		for i := range all {
			missing[i] = true
		}
		for i, b := range append([][]byte{pieces(t, &other, mtu, 8)[0]}, arrivals...) {
			f, ok, err := wire.ParseFragment(b)
			if !ok || err != nil {
				t.Fatal(ok, err)
			}
			whole, err := r.add(time.Duration(i), f)
			if err != nil {
				t.Fatal(err)
			}
			for j := range all {
				if bytes.Equal(all[j], b) {
					delete(missing, j)
				}
			}
			if (whole != nil) != (len(missing) == 0) {
				t.Fatalf("%d pieces are missing, and the packet is there: %t", len(missing), whole != nil)
			}
			if whole == nil {
				continue
			}
			if got, err := wire.Parse(whole); err != nil || !reflect.DeepEqual(got, p) {
				t.Fatalf("put together: %v, %v", got, err)
			}
			return
		}
	})
}

// Pieces that contradict each other make no packet, nor do the right ones that come after them.
func TestReassemblyRefusesOverlaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawDatagram(t)
		p.UDP.Payload = append(p.UDP.Payload, make([]byte, 3000)...)
		all := pieces(t, &p, 1280, 7)
		var r reassembly
		first, _, err := wire.ParseFragment(all[0])
		if err != nil {
			t.Fatal(err)
		}
		overlapping := first
		overlapping.Offset += 8 * rapid.IntRange(1, len(first.Payload)/8-1).Draw(t, "by")
		if rapid.Bool().Draw(t, "end") { // a last piece where others go on
			overlapping.Offset, overlapping.Payload, overlapping.More = 0, first.Payload[:8], false
		}
		fragments := []wire.Fragment{first, overlapping}
		for _, b := range all[1:] {
			f, _, err := wire.ParseFragment(b)
			if err != nil {
				t.Fatal(err)
			}
			fragments = append(fragments, f)
		}
		for _, f := range fragments {
			if whole, err := r.add(0, f); whole != nil || err != nil {
				t.Fatalf("%d bytes, %v", len(whole), err)
			}
		}
	})
}

// What never comes is waited for only so long, and only so much of it.
func TestReassemblyBounds(t *testing.T) {
	var r reassembly
	f := wire.Fragment{Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("10.0.0.2"), More: true, Payload: make([]byte, 8)}
	for id := range uint32(10 * mostPartial) {
		f.ID = id
		if _, err := r.add(0, f); err != nil {
			t.Fatal(err)
		}
	}
	if len(r.partials) != mostPartial || r.partials[0].id != 9*mostPartial {
		t.Errorf("%d packets are waited for, the first is %d", len(r.partials), r.partials[0].id)
	}
	for k := range 2 * mostPieces {
		f.Offset = 16 * k
		if _, err := r.add(0, f); err != nil {
			t.Fatal(err)
		}
	}
	if last := r.partials[mostPartial-1]; !last.spoilt || last.pieces != nil {
		t.Errorf("%d pieces of one packet are kept", len(last.pieces))
	}
	f.ID = 1 << 20
	if _, err := r.add(reassemblyTime, f); err != nil || len(r.partials) != 1 {
		t.Errorf("%d packets after their time: %v", len(r.partials), err)
	}
}

// Whatever comes from outside, what is put together has the length that its pieces say, and nothing is kept beyond the
// bounds.
func FuzzReassembly(f *testing.F) {
	p := wire.Packet{Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("10.0.0.2"), Proto: wire.UDP, TTL: 64}
	p.UDP.Payload = make([]byte, 40)
	whole, err := wire.Append(nil, &p)
	if err != nil {
		f.Fatal(err)
	}
	for b := range wire.Fragments(whole, 36, 1) {
		f.Add(b, []byte{}, []byte{})
		f.Add(b, b, b)
	}
	f.Fuzz(func(t *testing.T, a, b, c []byte) {
		var r reassembly
		for _, piece := range [][]byte{a, b, c} {
			f, ok, err := wire.ParseFragment(piece)
			if err != nil || !ok {
				continue
			}
			if f.Offset+len(f.Payload) > 65535 {
				t.Fatalf("up to byte %d", f.Offset+len(f.Payload))
			}
			if whole, err := r.add(0, f); err == nil && whole != nil && len(whole) < len(f.Payload) {
				t.Fatalf("%d bytes of pieces of %d", len(whole), len(f.Payload))
			}
		}
	})
}
