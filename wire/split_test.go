// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"bytes"
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

// What a large segment stands for carries the same bytes at the same places of the stream, and its marks at the end.
func TestSegments(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		payload := rapid.SliceOfN(rapid.Byte(), 0, 5000).Draw(t, "payload")
		p := &Packet{Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("10.0.0.2"), Proto: TCP, TTL: 64}
		p.TCP = Segment{
			Seq: rapid.Uint32().Draw(t, "seq"), Flags: ACK | PSH | FIN, Payload: payload,
			Part: uint16(rapid.IntRange(0, 1500).Draw(t, "part")),
		}
		var got []byte
		count := 0
		for s := range p.Segments() {
			count++
			if s.TCP.Seq != p.TCP.Seq+uint32(len(got)) {
				t.Fatalf("segment %d starts at %d, want %d", count, s.TCP.Seq, p.TCP.Seq+uint32(len(got)))
			}
			got = append(got, s.TCP.Payload...)
			want := ACK
			if len(got) == len(payload) {
				want |= PSH | FIN
			}
			if s.TCP.Flags != want {
				t.Fatalf("after %d of %d bytes: flags %b, want %b", len(got), len(payload), s.TCP.Flags, want)
			}
			if p.TCP.Part > 0 && len(s.TCP.Payload) > int(p.TCP.Part) {
				t.Fatalf("%d bytes in a segment of at most %d", len(s.TCP.Payload), p.TCP.Part)
			}
		}
		if !bytes.Equal(got, payload) {
			t.Fatalf("%d bytes of %d", len(got), len(payload))
		}
		want := 1
		if n := int(p.TCP.Part); n > 0 {
			want = max(1, (len(payload)+n-1)/n)
		}
		if count != want {
			t.Fatalf("%d segments, want %d", count, want)
		}
	})
}
