// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"net/netip"
	"testing"

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
