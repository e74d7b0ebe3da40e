// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"bytes"
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var (
	tcpSrc4, tcpDst4 = netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	tcpSrc6, tcpDst6 = netip.MustParseAddr("fd00::1"), netip.MustParseAddr("fd00::2")
)

// A SYN with its options laid out as Linux does it (tcp_options_write): MSS, SACK permitted, timestamps, window scale.
// The checksum is left out.
var linuxSYN = "9c40 1f90 3b9a ca00 0000 0000 a002 ffd7 0000 0000 0204 ffd7 0402 080a 0001 0203 0000 0000 0103 0307"

func TestAppendTCP_LinuxSYN(t *testing.T) {
	p := Packet{Src: tcpSrc4, Dst: tcpDst4, Proto: TCP, TCP: Segment{
		SrcPort: 40000, DstPort: 8080, Seq: 1000000000, Flags: SYN, Window: 65495,
		Options: Options{
			MSS: 65495, SACKPermitted: true, HasTimestamps: true, TSVal: 0x10203,
			HasWindowScale: true, WindowScale: 7,
		},
	}}
	got, err := appendTCP(nil, &p)
	if err != nil {
		t.Fatal(err)
	}
	if sum := checksum(pseudoHeader(p.Src, p.Dst, TCP, len(got)), got); sum != 0 {
		t.Errorf("checksum leaves %#x", sum)
	}
	got[16], got[17] = 0, 0
	if want := unhex(t, linuxSYN); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %x\nwant %x", got, want)
	}
}

// A SYN without timestamps, and one that asks for a cookie, as Linux 6.18 writes them (tcp_options_write).
func TestAppendOptions_Linux(t *testing.T) {
	for _, c := range []struct {
		name string
		o    Options
		want string
	}{
		{"no timestamps", Options{MSS: 1460, SACKPermitted: true, HasWindowScale: true, WindowScale: 10}, "020405b4 01010402 0103030a"},
		{"no window scale", Options{MSS: 1460, SACKPermitted: true}, "020405b4 01010402"},
		{"fast open", Options{MSS: 1460, SACKPermitted: true, HasFastOpen: true}, "020405b4 01010402 22020101"},
		{"cookie", Options{MSS: 1460, HasFastOpen: true, FastOpen: []byte{1, 2, 3, 4}}, "020405b4 22060102 03040101"},
		{"timestamps alone", Options{HasTimestamps: true, TSVal: 1, TSEcr: 2}, "0101080a 00000001 00000002"},
	} {
		if got, want := appendOptions(nil, &c.o), unhex(t, strings.ReplaceAll(c.want, " ", "")); !bytes.Equal(got, want) {
			t.Errorf("%s: % x, want % x", c.name, got, want)
		}
	}
}

// drawSegment draws a packet with a TCP segment whose options fit, and are in the form Parse gives.
func drawSegment(t *rapid.T) Packet {
	p := Packet{Src: tcpSrc4, Dst: tcpDst4, Proto: TCP}
	if rapid.Bool().Draw(t, "v6") {
		p.Src, p.Dst = tcpSrc6, tcpDst6
	}
	s := &p.TCP
	s.SrcPort, s.DstPort = rapid.Uint16().Draw(t, "src"), rapid.Uint16().Draw(t, "dst")
	s.Seq, s.Ack = rapid.Uint32().Draw(t, "seq"), rapid.Uint32().Draw(t, "ack")
	s.Flags = Flags(rapid.Byte().Draw(t, "flags"))
	s.Window, s.Urgent = rapid.Uint16().Draw(t, "window"), rapid.Uint16().Draw(t, "urgent")
	if text := rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(t, "payload"); len(text) > 0 {
		s.Payload = text
	}
	o := &s.Options
	if rapid.Bool().Draw(t, "syn options") {
		o.MSS = rapid.Uint16().Draw(t, "mss")
		o.SACKPermitted = rapid.Bool().Draw(t, "sack permitted")
		if o.HasWindowScale = rapid.Bool().Draw(t, "has scale"); o.HasWindowScale {
			o.WindowScale = rapid.Byte().Draw(t, "scale")
		}
		if o.HasFastOpen = rapid.Bool().Draw(t, "has fast open"); o.HasFastOpen {
			if cookie := rapid.SliceOfN(rapid.Byte(), 0, 16).Draw(t, "cookie"); len(cookie) > 0 {
				o.FastOpen = cookie
			}
		}
	} else {
		o.SACKBlocks = uint8(rapid.IntRange(0, 3).Draw(t, "blocks"))
		for i := range o.SACKBlocks {
			o.SACK[i] = SACKBlock{rapid.Uint32().Draw(t, "left"), rapid.Uint32().Draw(t, "right")}
		}
	}
	if o.HasTimestamps = rapid.Bool().Draw(t, "has timestamps"); o.HasTimestamps {
		o.TSVal, o.TSEcr = rapid.Uint32().Draw(t, "tsval"), rapid.Uint32().Draw(t, "tsecr")
	}
	return p
}

func TestTCP_roundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawSegment(t)
		b, err := appendTCP(nil, &p)
		if err != nil {
			t.Fatal(err)
		}
		got := Packet{Src: p.Src, Dst: p.Dst, Proto: TCP}
		if err := parseTCP(b, &got); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, p) {
			t.Fatalf("sent %+v\ngot  %+v", p.TCP, got.TCP)
		}
		// The checksum covers every bit, except that it can't tell 0 from ffff (RFC 1071).
		bit := rapid.IntRange(0, 8*len(b)-1).Draw(t, "bit")
		b[bit/8] ^= 1 << (bit % 8)
		if err := parseTCP(b, &got); err == nil {
			t.Fatalf("bit %d flipped: not noticed", bit)
		}
	})
}

func TestAppendTCP_optionsDontFit(t *testing.T) {
	for name, o := range map[string]Options{
		"four blocks beside timestamps": {HasTimestamps: true, SACKBlocks: 4},
		"five blocks":                   {SACKBlocks: 5},
		"cookie of 40 bytes":            {HasFastOpen: true, FastOpen: make([]byte, 40)},
	} {
		p := Packet{Src: tcpSrc4, Dst: tcpDst4, Proto: TCP, TCP: Segment{Options: o}}
		if _, err := appendTCP(nil, &p); !errors.Is(err, ErrOptions) {
			t.Errorf("%s: %v, want ErrOptions", name, err)
		}
	}
}

// withOptions returns a bare TCP header with these bytes as options, checksum set.
func withOptions(options []byte) []byte {
	b := make([]byte, tcpHeaderLen, maxTCPHeaderLen)
	b = append(b, options...)
	b[12] = byte(len(b)/4) << 4
	return sumTCP(b)
}

// sumTCP sets the checksum of the segment b between tcpSrc4 and tcpDst4.
func sumTCP(b []byte) []byte {
	b[16], b[17] = 0, 0
	sum := checksum(pseudoHeader(tcpSrc4, tcpDst4, TCP, len(b)), b)
	b[16], b[17] = byte(sum>>8), byte(sum)
	return b
}

func TestParseTCP_options(t *testing.T) {
	for _, c := range []struct {
		name string
		in   []byte
		want Options
		err  error
	}{
		{"none", nil, Options{}, nil},
		{"end, then rubbish", []byte{kindEnd, kindMSS, 99, 99}, Options{}, nil},
		{"unknown kind", []byte{99, 4, 1, 2, kindMSS, 4, 5, 0xb4}, Options{MSS: 1460}, nil},
		{"MSS of the wrong length", []byte{kindMSS, 3, 1, kindNop}, Options{}, nil},
		{"SACK of half a block", []byte{kindSACK, 6, 1, 2, 3, 4, 0, 0}, Options{}, nil},
		{"SACK of no block", []byte{kindSACK, 2, kindNop, kindNop}, Options{}, nil},
		{"cookie request", []byte{kindFastOpen, 2, kindNop, kindNop}, Options{HasFastOpen: true}, nil},
		{"last one counts", []byte{kindMSS, 4, 1, 0, kindMSS, 4, 2, 0}, Options{MSS: 512}, nil},
		{"length 0", []byte{99, 0, 0, 0}, Options{}, ErrMalformed},
		{"length 1", []byte{99, 1, 0, 0}, Options{}, ErrMalformed},
		{"beyond the header", []byte{kindMSS, 5, 1, 2}, Options{}, ErrMalformed},
		{"no length", []byte{kindNop, kindNop, kindNop, kindMSS}, Options{}, ErrMalformed},
	} {
		p := Packet{Src: tcpSrc4, Dst: tcpDst4, Proto: TCP}
		if err := parseTCP(withOptions(c.in), &p); !errors.Is(err, c.err) {
			t.Errorf("%s: error %v, want %v", c.name, err, c.err)
		} else if err == nil && !reflect.DeepEqual(p.TCP.Options, c.want) {
			t.Errorf("%s: got %+v, want %+v", c.name, p.TCP.Options, c.want)
		}
	}
}

func TestParseTCP_headerRefused(t *testing.T) {
	good := withOptions([]byte{kindMSS, 4, 5, 0xb4})
	with := func(change func(b []byte) []byte) []byte { return change(append([]byte(nil), good...)) }
	for _, c := range []struct {
		name string
		in   []byte
		err  error
	}{
		{"empty", nil, ErrShort},
		{"19 bytes", good[:19], ErrShort},
		{"cut within the options", sumTCP(with(func(b []byte) []byte { return b[:22] })), ErrShort},
		{"data offset 4", sumTCP(with(func(b []byte) []byte { b[12] = 4 << 4; return b })), ErrMalformed},
		{"checksum", with(func(b []byte) []byte { b[0]++; return b }), ErrChecksum},
	} {
		p := Packet{Src: tcpSrc4, Dst: tcpDst4, Proto: TCP}
		if err := parseTCP(c.in, &p); !errors.Is(err, c.err) {
			t.Errorf("%s: error %v, want %v", c.name, err, c.err)
		}
	}
}

// FuzzParseSegment: what parses can be written again, unless its options were packed closer than we pack them, and
// reads the same then.
func FuzzParseSegment(f *testing.F) {
	f.Add(withOptions(nil))
	f.Add(withOptions([]byte{kindMSS, 4, 5, 0xb4, kindSACKPermitted, 2, kindTimestamps, 10, 0, 0, 0, 1, 0, 0, 0, 2, kindNop, kindWindowScale, 3, 7}))
	f.Add(append(withOptions([]byte{kindNop, kindNop, kindSACK, 10, 0, 0, 0, 1, 0, 0, 0, 2}), "payload"...))
	f.Add(withOptions([]byte{kindFastOpen, 10, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= tcpHeaderLen {
			b = sumTCP(append([]byte(nil), b...)) // else hardly an input would get past the checksum
		}
		p := Packet{Src: tcpSrc4, Dst: tcpDst4, Proto: TCP}
		if parseTCP(b, &p) != nil {
			return
		}
		again, err := appendTCP(nil, &p)
		if errors.Is(err, ErrOptions) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		got := Packet{Src: p.Src, Dst: p.Dst, Proto: TCP}
		if err := parseTCP(again, &got); err != nil {
			t.Fatalf("%x, written again %x: %v", b, again, err)
		}
		if !reflect.DeepEqual(got, p) {
			t.Fatalf("read %+v\nagain %+v", p.TCP, got.TCP)
		}
	})
}
