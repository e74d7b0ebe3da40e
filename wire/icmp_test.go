// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"encoding/binary"
	"errors"
	"reflect"
	"testing"
)

// TestQuoteIsCut checks the longest error messages (RFC 1812, 4.3.2.3; RFC 4443, 2.4 (c)).
func TestQuoteIsCut(t *testing.T) {
	payload := make([]byte, 2000)
	for _, test := range []struct {
		outer Packet
		quote Packet
		want  int
	}{
		{
			Packet{Src: addr4a, Dst: addr4b, Proto: ICMP, ICMP: Message{Type: 3, Code: 3}},
			Packet{Src: addr4b, Dst: addr4a, Proto: UDP, UDP: Datagram{SrcPort: 7, DstPort: 8, Payload: payload}},
			576,
		},
		{
			Packet{Src: addr6a, Dst: addr6b, Proto: ICMPv6, ICMP: Message{Type: 2, Info: 1280}},
			Packet{Src: addr6b, Dst: addr6a, Proto: UDP, UDP: Datagram{SrcPort: 7, DstPort: 8, Payload: payload}},
			1280,
		},
	} {
		test.outer.ICMP.Quote = &test.quote
		b, err := Append(nil, &test.outer)
		if err != nil || len(b) != test.want {
			t.Errorf("%d bytes, %v; want %d", len(b), err, test.want)
		}
		test.quote.UDP.Payload = nil
		if got, err := Parse(b); err != nil || !reflect.DeepEqual(got, test.outer) {
			t.Errorf("%+v, %v; want\n%+v", got, err, test.outer)
		}
	}
}

// quoting returns an ICMP error as a router may send it, with quote as it stands.
func quoting(quote []byte) []byte {
	b := appendIPv4(nil, &Packet{Src: addr4a, Dst: addr4b, Proto: ICMP, TTL: 1})
	b = append(b, 3, 1, 0, 0, 0, 0, 0, 0)
	b = append(b, quote...)
	binary.BigEndian.PutUint16(b[22:], checksum(0, b[20:]))
	if err := finish(b, ipv4HeaderLen); err != nil {
		panic(err)
	}
	return b
}

// TestQuoteIsReadLeniently gives Parse quotes that it would not take as packets.
func TestQuoteIsReadLeniently(t *testing.T) {
	whole := func(p *Packet) []byte {
		b, err := Append(nil, p)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	udp := whole(quoted4())
	wrongChecksum := append([]byte{}, udp...)
	wrongChecksum[10]++
	wrongLength := append([]byte{}, udp...)
	binary.BigEndian.PutUint16(wrongLength[2:], 9)
	longer := append([]byte{}, udp...)
	binary.BigEndian.PutUint16(longer[2:], 1500)
	laterFragment := append([]byte{}, udp...)
	laterFragment[7] = 9
	firstFragment := append([]byte{}, udp...)
	firstFragment[6] = 0x20
	tcp := append(appendIPv4(nil, &Packet{Src: addr4b, Dst: addr4a, Proto: TCP, TTL: 9}), unhex(t,
		`9c40 0050 0102 0304 0506 0708 5012 0a0b 0c0d 0e0f`)...)
	gre := append(appendIPv4(nil, &Packet{Src: addr4b, Dst: addr4a, Proto: 47, TTL: 9}), make([]byte, 8)...)
	about := whole(&Packet{Src: addr4b, Dst: addr4a, Proto: ICMP, ICMP: Message{Type: 3, Quote: quoted4()}})
	ping := whole(&Packet{Src: addr4b, Dst: addr4a, Proto: ICMP, ICMP: Message{Type: 8, Info: 0x70001}})

	wantTCP := Segment{SrcPort: 40000, DstPort: 80, Seq: 0x01020304}
	wantTCP20 := wantTCP
	wantTCP20.Ack, wantTCP20.Flags, wantTCP20.Window, wantTCP20.Urgent = 0x05060708, SYN|ACK, 0x0a0b, 0x0e0f
	for _, test := range []struct {
		name  string
		quote []byte
		want  *Packet // nil: refused
	}{
		{"wrong header checksum", wrongChecksum, quoted4()},
		{"length less than its header", wrongLength, quoted4()},
		{"length of the whole packet", longer, quoted4()},
		{"first fragment", firstFragment, quoted4()},
		{"later fragment", laterFragment, nil},
		{"8 bytes of TCP", tcp[:28], &Packet{Src: addr4b, Dst: addr4a, Proto: TCP, TTL: 9, TCP: wantTCP}},
		{"19 bytes of TCP", tcp[:39], &Packet{Src: addr4b, Dst: addr4a, Proto: TCP, TTL: 9, TCP: wantTCP}},
		{"20 bytes of TCP", tcp, &Packet{Src: addr4b, Dst: addr4a, Proto: TCP, TTL: 9, TCP: wantTCP20}},
		{"7 bytes of TCP", tcp[:27], nil},
		{"another protocol", gre, &Packet{Src: addr4b, Dst: addr4a, Proto: 47, TTL: 9, Body: make([]byte, 8)}},
		{"echo", ping, &Packet{Src: addr4b, Dst: addr4a, Proto: ICMP, ICMP: Message{Type: 8, Info: 0x70001}}},
		{"an ICMP error", about, nil},
		{"cut IP header", udp[:19], nil},
		{"nothing", nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := Parse(quoting(test.quote))
			if test.want == nil {
				if err == nil {
					t.Errorf("quote %+v, want an error", p.ICMP.Quote)
				}
				return
			}
			if err != nil || !reflect.DeepEqual(p.ICMP.Quote, test.want) {
				t.Errorf("quote %+v, %v; want\n%+v", p.ICMP.Quote, err, test.want)
			}
		})
	}
}

// TestErrorAboutError checks that Append makes none, so that a quote can't hold another without end.
func TestErrorAboutError(t *testing.T) {
	p := Packet{Src: addr4a, Dst: addr4b, Proto: ICMP, ICMP: Message{Type: 11}}
	p.ICMP.Quote = &p
	if _, err := Append(nil, &p); !errors.Is(err, errErrorAboutError) {
		t.Error(err)
	}
}
