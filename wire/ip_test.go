// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var (
	addr4a = netip.MustParseAddr("192.0.2.1")
	addr4b = netip.MustParseAddr("198.51.100.7")
	addr6a = netip.MustParseAddr("2001:db8::1")
	addr6b = netip.MustParseAddr("2001:db8:1::ff")
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// quoted4 is a packet as an ICMP error quotes it.
func quoted4() *Packet {
	return &Packet{Src: addr4b, Dst: addr4a, Proto: UDP, TTL: 3, UDP: Datagram{SrcPort: 40000, DstPort: 53}}
}

func quoted6() *Packet {
	return &Packet{Src: addr6b, Dst: addr6a, Proto: TCP, TTL: 3, FlowLabel: 7, TCP: Segment{
		SrcPort: 40000, DstPort: 80, Seq: 1, Ack: 2, Flags: ACK | PSH, Window: 3, Urgent: 4,
	}}
}

// samples are whole packets with their bytes, packed by hand from the RFCs' drawings, their checksums added up in Python.
var samples = []struct {
	name   string
	packet Packet
	bytes  string
}{
	{
		"udp over IPv4",
		Packet{Src: addr4a, Dst: addr4b, Proto: UDP, TTL: 64, TOS: 0x10, UDP: Datagram{SrcPort: 4660, DstPort: 53, Payload: []byte("hello")}},
		`4510 0021 0000 4000 4011 4e80 c000 0201 c633 6407  1234 0035 000d bd5c 6865 6c6c 6f`,
	},
	{
		"udp over IPv6",
		Packet{Src: addr6a, Dst: addr6b, Proto: UDP, TTL: 64, TOS: 0x10, FlowLabel: 0xabcde, UDP: Datagram{SrcPort: 4660, DstPort: 53, Payload: []byte("hello")}},
		`610a bcde 000d 1140 2001 0db8 0000 0000 0000 0000 0000 0001 2001 0db8 0001 0000 0000 0000 0000 00ff
		1234 0035 000d 4d26 6865 6c6c 6f`,
	},
	{
		"echo request over IPv4",
		Packet{Src: addr4a, Dst: addr4b, Proto: ICMP, TTL: 1, ICMP: Message{Type: 8, Info: 0x00070001, Payload: []byte("ab")}},
		`4500 001e 0000 4000 0101 8da3 c000 0201 c633 6407  0800 9695 0007 0001 6162`,
	},
	{
		"protocol 253, for experiments (RFC 3692)",
		Packet{Src: addr4a, Dst: addr4b, Proto: 253, TTL: 64, Body: []byte("hello")},
		`4500 0019 0000 4000 40fd 4dac c000 0201 c633 6407  6865 6c6c 6f`,
	},
	{
		"ICMP over IPv6, which is a protocol like any other",
		Packet{Src: addr6a, Dst: addr6b, Proto: ICMP, TTL: 64, Body: []byte("ab")},
		`6000 0000 0002 0140 2001 0db8 0000 0000 0000 0000 0000 0001 2001 0db8 0001 0000 0000 0000 0000 00ff  6162`,
	},
}

func TestPacketAndBytes(t *testing.T) {
	for _, test := range samples {
		t.Run(test.name, func(t *testing.T) {
			want := unhex(t, test.bytes)
			got, err := Append(nil, &test.packet)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("Append:\n% x, %v; want\n% x", got, err, want)
			}
			packet, err := Parse(want)
			if err != nil || !reflect.DeepEqual(packet, test.packet) {
				t.Errorf("Parse:\n%+v, %v; want\n%+v", packet, err, test.packet)
			}
		})
	}
}

// TestParseUndoesAppend also pads the packet and puts it behind other bytes.
func TestParseUndoesAppend(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawPacket(t)
		prefix := []byte("before")
		b, err := Append(prefix, &want)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(b, prefix) {
			t.Fatalf("Append changed the bytes before: % x", b)
		}
		b = append(b[len(prefix):], make([]byte, rapid.IntRange(0, 6).Draw(t, "padding"))...)
		got, err := Parse(b)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v, %v; want\n%+v\nfrom % x", got, err, want, b)
		}
	})
}

func drawPacket(t *rapid.T) Packet {
	p := Packet{
		Src: addr4a, Dst: addr4b,
		TTL: rapid.Uint8().Draw(t, "ttl"),
		TOS: rapid.Uint8().Draw(t, "tos"),
	}
	icmp, quote := ICMP, quoted4()
	if rapid.Bool().Draw(t, "IPv6") {
		p.Src, p.Dst, icmp, quote = addr6a, addr6b, ICMPv6, quoted6()
		p.FlowLabel = rapid.Uint32Range(0, 1<<20-1).Draw(t, "label")
	}
	p.Proto = rapid.SampledFrom([]Protocol{UDP, UDPLite, icmp}).Draw(t, "protocol")
	payload := append([]byte{}, rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "payload")...)
	if p.Proto != icmp {
		p.UDP = Datagram{
			SrcPort: rapid.Uint16().Draw(t, "source"), DstPort: rapid.Uint16().Draw(t, "destination"), Payload: payload,
		}
		return p
	}
	p.ICMP = Message{Type: rapid.Uint8().Draw(t, "type"), Code: rapid.Uint8().Draw(t, "code"), Info: rapid.Uint32().Draw(t, "info")}
	if p.IsError() {
		p.ICMP.Quote = quote
	} else {
		p.ICMP.Payload = payload
	}
	return p
}

// TestChecksumOfZero checks that a UDP checksum that comes out as 0 is sent as ffff (RFC 768).
func TestChecksumOfZero(t *testing.T) {
	p := Packet{Src: addr4a, Dst: addr4b, Proto: UDP, UDP: Datagram{SrcPort: 1, DstPort: 2, Payload: []byte{0, 0}}}
	b, err := Append(nil, &p)
	if err != nil {
		t.Fatal(err)
	}
	copy(p.UDP.Payload, b[26:28]) // with its own checksum in it, the sum of all is ffff
	if b, err = Append(nil, &p); err != nil {
		t.Fatal(err)
	}
	if got := binary.BigEndian.Uint16(b[26:]); got != 0xffff {
		t.Errorf("checksum %#04x, want 0xffff", got)
	}
	if _, err := Parse(b); err != nil {
		t.Error(err)
	}
}

// TestEveryBitIsChecked flips each bit of some packets: none may go unnoticed but in the fields that an IPv6 header's lack
// of a checksum leaves open; its next header may turn into that of a protocol nobody here knows.
func TestEveryBitIsChecked(t *testing.T) {
	for _, p := range []Packet{
		{Src: addr4a, Dst: addr4b, Proto: UDP, TTL: 64, UDP: Datagram{SrcPort: 4660, DstPort: 53, Payload: []byte("hello")}},
		{Src: addr6a, Dst: addr6b, Proto: UDP, TTL: 64, UDP: Datagram{SrcPort: 4660, DstPort: 53, Payload: []byte("hello")}},
		{Src: addr6a, Dst: addr6b, Proto: TCP, TTL: 64, TCP: Segment{SrcPort: 1, Flags: SYN, Options: Options{MSS: 9}}},
		{Src: addr4a, Dst: addr4b, Proto: UDPLite, TTL: 64, UDP: Datagram{SrcPort: 4660, DstPort: 53, Payload: []byte("hello")}},
		{Src: addr4a, Dst: addr4b, Proto: ICMP, TTL: 64, ICMP: Message{Type: 3, Code: 1, Quote: quoted4()}},
		{Src: addr6a, Dst: addr6b, Proto: ICMPv6, TTL: 64, ICMP: Message{Type: 1, Code: 4, Quote: quoted6()}},
	} {
		b, err := Append(nil, &p)
		if err != nil {
			t.Fatal(err)
		}
		for i := range len(b) * 8 {
			if !p.Is4() && (i >= 4 && i < 32 || i/8 == 7) {
				continue // traffic class, flow label, hop limit
			}
			b[i/8] ^= 1 << (7 - i%8)
			if q, err := Parse(b); err == nil && q.Body == nil {
				t.Errorf("protocol %d, IPv4 %v: bit %d of byte %d flipped, and Parse took it", p.Proto, p.Is4(), 7-i%8, i/8)
			}
			b[i/8] ^= 1 << (7 - i%8)
		}
		for n := range b {
			if _, err := Parse(b[:n]); err == nil {
				t.Errorf("protocol %d, IPv4 %v: Parse took the first %d of %d bytes", p.Proto, p.Is4(), n, len(b))
			}
		}
	}
}

// reseal sets an IPv4 header's checksum anew.
func reseal(b []byte) {
	headerLen := int(b[0]&0xf) * 4
	b[10], b[11] = 0, 0
	binary.BigEndian.PutUint16(b[10:], checksum(0, b[:headerLen]))
}

func TestParseRefuses(t *testing.T) {
	udp4 := Packet{Src: addr4a, Dst: addr4b, Proto: UDP, TTL: 64, UDP: Datagram{SrcPort: 1, DstPort: 2, Payload: []byte("x")}}
	udp6 := Packet{Src: addr6a, Dst: addr6b, Proto: UDP, TTL: 64, UDP: Datagram{SrcPort: 1, DstPort: 2, Payload: []byte("x")}}
	for _, test := range []struct {
		name   string
		packet Packet
		change func(b []byte) []byte
		want   error
	}{
		{"no bytes", udp4, func([]byte) []byte { return nil }, ErrShort},
		{"version 5", udp4, func(b []byte) []byte { b[0] = 0x55; return b }, ErrMalformed},
		{"IPv4 header of 16 bytes", udp4, func(b []byte) []byte { b[0] = 0x44; return b }, ErrMalformed},
		{"IPv4 length within the header", udp4, func(b []byte) []byte { b[3] = 19; reseal(b); return b }, ErrMalformed},
		{"first fragment", udp4, func(b []byte) []byte { b[6] = 0x20; reseal(b); return b }, ErrFragment},
		{"later fragment", udp4, func(b []byte) []byte { b[7] = 1; reseal(b); return b }, ErrFragment},
		{"UDP length 7", udp4, func(b []byte) []byte { b[25] = 7; return b }, ErrMalformed},
		{"UDP length past the end", udp4, func(b []byte) []byte { b[25] = 10; return b }, ErrShort},
		{"no UDP checksum over IPv6", udp6, func(b []byte) []byte { b[46], b[47] = 0, 0; return b }, ErrChecksum},
		{"v4-mapped source", udp6, func(b []byte) []byte {
			mapped := netip.MustParseAddr("::ffff:192.0.2.1").As16()
			copy(b[8:], mapped[:])
			return b
		}, ErrAddress},
		{"IPv6 fragment", udp6, insertExtension(44, 17, 0, 0, 1, 0, 0, 0, 0), ErrFragment},
		{"IPv6 fragment at an offset", udp6, insertExtension(44, 17, 0, 0, 8, 0, 0, 0, 0), ErrFragment},
		{"routing header under way", udp6, insertExtension(43, 17, 0, 2, 1, 0, 0, 0, 0), ErrMalformed},
		{"extension past the end", udp6, insertExtension(60, 17, 9, 1, 4, 0, 0, 0, 0), ErrShort},
		{"cut extension", udp6, func(b []byte) []byte { b[6] = 0; b[5] = 1; return b[:41] }, ErrShort},
	} {
		t.Run(test.name, func(t *testing.T) {
			b, err := Append(nil, &test.packet)
			if err != nil {
				t.Fatal(err)
			}
			if p, err := Parse(test.change(b)); !errors.Is(err, test.want) {
				t.Errorf("%+v, %v; want error %v", p, err, test.want)
			}
		})
	}
}

// insertExtension puts an extension header numbered number between IPv6 header and payload.
func insertExtension(number byte, extension ...byte) func([]byte) []byte {
	return func(b []byte) []byte {
		b[6] = number
		b[5] += byte(len(extension))
		return append(b[:ipv6HeaderLen:ipv6HeaderLen], append(extension, b[ipv6HeaderLen:]...)...)
	}
}

func TestOptionsAreSkipped(t *testing.T) {
	udp4 := Packet{Src: addr4a, Dst: addr4b, Proto: UDP, TTL: 64, UDP: Datagram{SrcPort: 1, DstPort: 2, Payload: []byte("x")}}
	udp6 := Packet{Src: addr6a, Dst: addr6b, Proto: UDP, TTL: 64, UDP: Datagram{SrcPort: 1, DstPort: 2, Payload: []byte("x")}}
	for _, test := range []struct {
		name   string
		packet Packet
		change func(b []byte) []byte
	}{
		{"IPv4 router alert", udp4, func(b []byte) []byte {
			b = append(b[:20:20], append([]byte{0x94, 4, 0, 0}, b[20:]...)...) // RFC 2113
			b[0], b[3] = 0x46, b[3]+4
			reseal(b)
			return b
		}},
		{"destination options", udp6, insertExtension(60, 17, 0, 1, 4, 0, 0, 0, 0)},
		{"hop by hop of 16 bytes", udp6, insertExtension(0, 17, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)},
		{"routing header at its end", udp6, insertExtension(43, 17, 0, 2, 0, 0, 0, 0, 0)},
		{"atomic fragment", udp6, insertExtension(44, 17, 0, 0, 0, 1, 2, 3, 4)}, // RFC 6946
	} {
		t.Run(test.name, func(t *testing.T) {
			b, err := Append(nil, &test.packet)
			if err != nil {
				t.Fatal(err)
			}
			if p, err := Parse(test.change(b)); err != nil || !reflect.DeepEqual(p, test.packet) {
				t.Errorf("%+v, %v; want\n%+v", p, err, test.packet)
			}
		})
	}
}

func TestAppendRefuses(t *testing.T) {
	for _, test := range []struct {
		name   string
		packet Packet
		want   error
	}{
		{"no addresses", Packet{Proto: UDP}, ErrAddress},
		{"two versions", Packet{Src: addr4a, Dst: addr6a, Proto: UDP}, ErrAddress},
		{"v4-mapped", Packet{Src: addr6a, Dst: netip.MustParseAddr("::ffff:1.2.3.4"), Proto: UDP}, ErrAddress},
		{"UDP of 65536", Packet{Src: addr6a, Dst: addr6b, Proto: UDP, UDP: Datagram{Payload: make([]byte, 65528)}}, ErrTooLong},
		{"IPv4 of 65536", Packet{Src: addr4a, Dst: addr4b, Proto: UDP, UDP: Datagram{Payload: make([]byte, 65508)}}, ErrTooLong},
		{"error without quote", Packet{Src: addr4a, Dst: addr4b, Proto: ICMP, ICMP: Message{Type: 3}}, ErrMalformed},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := []byte("before")
			if b, err := Append(before, &test.packet); !errors.Is(err, test.want) || !bytes.Equal(b, before) {
				t.Errorf("%q, %v; want %q, %v", b, err, before, test.want)
			}
		})
	}
}

func TestParseDoesNotCopyPayload(t *testing.T) {
	b := unhex(t, samples[0].bytes)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := Parse(b); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func FuzzParse(f *testing.F) {
	for _, test := range samples {
		f.Add(unhex(f, test.bytes))
	}
	for _, p := range []Packet{
		{Src: addr4a, Dst: addr4b, Proto: ICMP, ICMP: Message{Type: 3, Quote: quoted4()}},
		{Src: addr6a, Dst: addr6b, Proto: ICMPv6, ICMP: Message{Type: 1, Quote: quoted6()}},
		{Src: addr6a, Dst: addr6b, Proto: UDPLite, UDP: Datagram{SrcPort: 1, DstPort: 2, Payload: []byte("x")}},
		*quoted6(),
	} {
		b, err := Append(nil, &p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, body, err := ParseHeader(b); err == nil && (!p.Src.IsValid() || len(body) >= len(b)) {
			t.Fatalf("ParseHeader: %+v and %d bytes", p, len(body))
		}
		p, err := Parse(b)
		if err != nil {
			return
		}
		// What was understood must survive another trip, but for what the wire format lets a sender choose.
		again, err := Append(nil, &p)
		if err != nil {
			t.Fatalf("Append of what Parse returned: %v\n%+v", err, p)
		}
		if q, err := Parse(again); err != nil || !reflect.DeepEqual(p, q) {
			t.Fatalf("%+v, %v; want\n%+v", q, err, p)
		}
	})
}
