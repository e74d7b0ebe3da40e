// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"dialtone/clock"
	"dialtone/errno"
	"dialtone/personality"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/wire"
)

// signing is a connection with a key for the peer of packets from it.
func signing() (c *stream, p *wire.Packet) {
	peer := netip.AddrFrom4([4]byte{10, 0, 0, 2})
	c = &stream{opts: &streamOptions{keys: []signingKey{{peer, []byte("key")}}}}
	return c, &wire.Packet{Src: peer, Dst: peer, Proto: wire.TCP}
}

// Nobody without the key is heard, whatever options he puts beside a signature: with these, in 38 bytes without NOPs, there
// is none that could be right.
func TestGenuine_optionsThatDoNotFit(t *testing.T) {
	c, p := signing()
	p.TCP.Options = wire.Options{MD5: new([16]byte), HasTimestamps: true, SACKBlocks: 1}
	if c.genuine(p) {
		t.Error("a signature of zeros is taken")
	}
}

func TestSign_leavesOutWhatDoesNotFit(t *testing.T) {
	for name, o := range map[string]wire.Options{
		"SACK blocks": {SACKBlocks: 4},
		"a SYN-ACK with a cookie": {
			MSS: 1460, SACKPermitted: true, HasWindowScale: true, HasFastOpen: true, FastOpen: make([]byte, 8),
		},
	} {
		c, p := signing()
		p.TCP.Options = o
		c.sign(p)
		if p.TCP.Options.MD5 == nil || !c.genuine(p) {
			t.Errorf("%s: not signed: %+v", name, p.TCP.Options)
		}
		if _, err := wire.Append(nil, p); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSetKey_isBounded(t *testing.T) {
	s := New(socket.NewCore(clock.NewManual(), personality.Linux), 1)
	c := &stream{stack: s, family: sockaddr.Inet, opts: &plainOptions}
	value := make([]byte, lenSignature)
	value[0], value[keyLength], value[keyOffset] = byte(sockaddr.Inet), 1, 'k'
	for i := range maxKeys {
		binary.BigEndian.PutUint16(value[6:], uint16(i))
		if e := c.setKey(value); e != errno.OK {
			t.Fatalf("key %d: %s", i, e.Name())
		}
	}
	if e := c.setKey(value); e != errno.OK {
		t.Errorf("another key for a peer that has one: %s", e.Name())
	}
	value[4] = 10
	if e := c.setKey(value); e != errno.ENOMEM {
		t.Errorf("one more: %s", e.Name())
	}
}
