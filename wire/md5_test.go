// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"reflect"
	"testing"
)

// signed are segments that Linux 6.18 sent over lo with TCP_MD5SIG and the key "key". Their checksums were left to a network
// card that lo has not.
var signed = []struct{ name, bytes string }{
	{
		"SYN over IPv4",
		`4500004881d240004006badb7f0000017f000001 9e581b585947d66400000000d002ffd7fe3c0000
		01011312461ac0aefce379a67f06893f4ad67a21 0204ffd7010104020103030a`,
	},
	{
		"text over IPv4",
		`4500004281d440004006badf7f0000017f000001 9e581b585947d6655f435476a0180040fe360000
		010113128af821e7c84b6abf8cfdb12d0cf7b41e 7369676e6564`,
	},
	{
		"SYN over IPv6",
		`600b74b2003406400000000000000000000000000000000100000000000000000000000000000001 d0821b58fe6522b300000000d002ffc4003c0000
		010113122fc743a39c9068e833a618d1fd343734 0204ffc4010104020103030a`,
	},
	{
		"text over IPv6",
		`600b74b2002e06400000000000000000000000000000000100000000000000000000000000000001 d0821b58fe6522b43409d1d0a018004000360000
		010113121f2830d39cbe6d100c7852a47a366614 7369676e6564`,
	},
}

func TestSignature_asLinuxSigns(t *testing.T) {
	for _, test := range signed {
		t.Run(test.name, func(t *testing.T) {
			b := unhex(t, test.bytes)
			p, body, err := ParseHeader(b)
			if err != nil {
				t.Fatal(err)
			}
			body[16], body[17] = 0, 0
			binary.BigEndian.PutUint16(body[16:], checksum(pseudoHeader(p.Src, p.Dst, TCP, len(body)), body))
			if err := p.ParseBody(body); err != nil {
				t.Fatal(err)
			}
			if sum, err := p.Signature([]byte("key")); err != nil || p.TCP.Options.MD5 == nil || *p.TCP.Options.MD5 != sum {
				t.Errorf("signature % x, %v; want % x", sum, err, p.TCP.Options.MD5)
			}
			if sum, err := p.Signature([]byte("kez")); err != nil || sum == *p.TCP.Options.MD5 {
				t.Errorf("another key signs the same: %v", err)
			}
			again, err := Append(nil, &p)
			if err != nil || len(again) != len(b) {
				t.Fatalf("Append: % x, %v", again, err)
			}
			if q, err := Parse(again); err != nil || !reflect.DeepEqual(p, q) {
				t.Errorf("%+v, %v; want\n%+v", q, err, p)
			}
		})
	}
}

// Options that fill a header of their own accord may not fit ours, which aligns them: there is no signature of that.
func TestSignature_optionsThatDoNotFit(t *testing.T) {
	p := Packet{Src: netip.AddrFrom4([4]byte{10, 0, 0, 1}), Dst: netip.AddrFrom4([4]byte{10, 0, 0, 2}), Proto: TCP}
	p.TCP.Options = Options{HasTimestamps: true, SACKBlocks: 1}
	if _, err := p.Signature([]byte("key")); !errors.Is(err, ErrOptions) {
		t.Errorf("%v, want %v", err, ErrOptions)
	}
}
