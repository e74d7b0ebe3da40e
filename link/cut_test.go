// SPDX-License-Identifier: Apache-2.0

package link

import (
	"bytes"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dialtone/wire"
)

// segment is a TCP segment from a to b, with a payload in a buffer, that no two bytes near each other of which are alike.
func (l *bench) segment(length int, flags wire.Flags) *wire.Packet {
	text := make([]byte, length)
	for i := range text {
		text[i] = byte(i % 251)
	}
	p := wire.NewPacket()
	p.Src, p.Dst, p.Proto, p.TTL = l.a.ip, l.b.ip, wire.TCP, 64
	p.TCP = wire.Segment{SrcPort: 5, DstPort: 7, Seq: 1<<32 - 2000, Ack: 9, Flags: flags | wire.ACK, Window: 100}
	p.TCP.Payload, p.TCP.Buffer = wire.Copy(text, 0)
	return p
}

// TestCut: whatever the segment is, packets fit the MTU, and together they are what was sent.
func TestCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l bench
		l.a, l.b = &taker{}, &taker{}
		l.a.ip, l.b.ip = netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
		length := rapid.IntRange(0, wire.MaxText).Draw(t, "length")
		flags := wire.Flags(rapid.SampledFrom([]wire.Flags{0, wire.PSH, wire.FIN, wire.FIN | wire.PSH | wire.CWR}).Draw(t, "flags"))
		p := l.segment(length, flags)
		p.TCP.Options.HasTimestamps = rapid.Bool().Draw(t, "timestamps")
		p.TCP.Options.SACKBlocks = rapid.Uint8Range(0, 3).Draw(t, "blocks")
		p.TCP.Part = rapid.SampledFrom([]uint16{0, 500, 1460}).Draw(t, "part")
		whole := *p
		want := bytes.Clone(p.TCP.Payload)
		p.TCP.Buffer.Hold()

		var text []byte
		var pieces int
		var last wire.Flags
		cut(p, DefaultMTU, func(q *wire.Packet) {
			if b, err := wire.Append(nil, q); err != nil || len(b) > DefaultMTU {
				t.Fatalf("a piece of %d bytes: %v", len(b), err)
			}
			if part := int(whole.TCP.Part); part > 0 && len(q.TCP.Payload) > part {
				t.Fatalf("a piece with %d bytes of payload, want %d at most", len(q.TCP.Payload), part)
			}
			if got, want := q.TCP.Seq, whole.TCP.Seq+uint32(len(text)); got != want {
				t.Fatalf("number %d, want %d", got, want)
			}
			if last.Has(wire.FIN) || last.Has(wire.PSH) || q.TCP.Flags.Has(wire.CWR) && pieces > 0 {
				t.Fatalf("piece %d has %v after %v", pieces, q.TCP.Flags, last)
			}
			if !reflect.DeepEqual(q.TCP.Options, whole.TCP.Options) || q.TCP.Ack != whole.TCP.Ack || q.TCP.Window != whole.TCP.Window {
				t.Fatalf("another header: %+v", q.TCP)
			}
			text, last, pieces = append(text, q.TCP.Payload...), last|q.TCP.Flags, pieces+1
			q.Free()
		})
		if !bytes.Equal(text, want) || last != whole.TCP.Flags {
			t.Fatalf("%d bytes and %v in %d pieces, want %d and %v", len(text), last, pieces, len(want), whole.TCP.Flags)
		}
		whole.TCP.Buffer.Release() // panics if the pieces have let it go too often
	})
}

// TestCut_effects: what acts on packets acts on those that the link would carry; for what doesn't, a segment stays whole.
func TestCut_effects(t *testing.T) {
	const length = 10 * 1460
	for _, c := range []struct {
		name   string
		effect Effect
		want   int // packets
	}{
		{"latency", Effect{Latency: time.Millisecond}, 1},
		{"loss", Effect{Loss: 1e-9}, 10},
		{"bursts", Effect{Bursts: GilbertElliott{ToGood: 0.5}}, 10},
		{"duplicates", Effect{Duplicate: 1}, 20},
		{"order", Effect{Reorder: 1, ReorderBy: 1}, 10},
		{"rate", Effect{Rate: 1e6}, 10},
		{"corruption", Effect{Corrupt: 1e-9}, 10},
	} {
		l := newBench(t, 1, Rule{Effect: c.effect})
		l.Send(0, l.a, l.b, l.segment(length, 0))
		if got := len(l.b.got); got != c.want {
			t.Errorf("%s: %d packets, want %d", c.name, got, c.want)
		}
	}
}

// TestCut_rate: the first bytes of a large segment are there when the link has sent one packet, not all of them; and a
// queue that has room for a part of it takes that part.
func TestCut_rate(t *testing.T) {
	l := newBench(t, 1, Rule{Effect: Effect{Rate: 12e6, Queue: 3 * DefaultMTU}}) // a packet in 1 ms
	l.Send(0, l.a, l.b, l.segment(10*1460, 0))
	if want := []time.Duration{time.Millisecond, 2 * time.Millisecond, 3 * time.Millisecond}; !slices.Equal(l.b.got, want) {
		t.Errorf("packets at %v, want %v", l.b.got, want)
	}
	if _, n := l.Rules(); n[0].Matched != 10 || n[0].Overflowed != 7 {
		t.Errorf("counts %+v", n[0])
	}
}

// TestCut_signed: one signature is for one segment (RFC 2385).
func TestCut_signed(t *testing.T) {
	l := newBench(t, 1, Rule{Effect: Effect{Loss: 1e-9}})
	p := l.segment(10*1460, 0)
	p.TCP.Options.MD5 = new([16]byte)
	l.Send(0, l.a, l.b, p)
	if len(l.b.got) != 1 {
		t.Errorf("%d packets", len(l.b.got))
	}
}
