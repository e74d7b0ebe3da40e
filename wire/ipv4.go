// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// The IPv4 header without options (RFC 791, 3.1), bytes, and its flags, in the word of the fragment offset.
const (
	ipv4HeaderLen    = 20
	ipv4DontFragment = 0x4000
	ipv4MoreFragment = 0x2000
	ipv4OffsetMask   = 0x1fff
)

// appendIPv4 appends p's IPv4 header. All our packets are atomic: not to be fragmented, so their identification may be 0
// (RFC 6864, 4.1), as Linux sends it.
func appendIPv4(b []byte, p *Packet) []byte {
	src, dst := p.Src.As4(), p.Dst.As4()
	b = append(b, 4<<4|ipv4HeaderLen/4, p.TOS, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint16(b, ipv4DontFragment)
	b = append(b, p.TTL, byte(p.Proto), 0, 0)
	b = append(b, src[:]...)
	return append(b, dst[:]...)
}

// splitIPv4 fills in p from the IPv4 header at the start of b.
func splitIPv4(b []byte, p *Packet) (header, error) {
	if len(b) < ipv4HeaderLen {
		return header{}, fmt.Errorf("%w: %d bytes for an IPv4 header", ErrShort, len(b))
	}
	h := header{headerLen: int(b[0]&0xf) * 4, length: int(binary.BigEndian.Uint16(b[2:]))}
	if h.headerLen < ipv4HeaderLen {
		return header{}, fmt.Errorf("%w: IPv4 header length %d", ErrMalformed, h.headerLen)
	}
	if h.headerLen > len(b) {
		return header{}, fmt.Errorf("%w: %d bytes for an IPv4 header of %d", ErrShort, len(b), h.headerLen)
	}
	word := binary.BigEndian.Uint16(b[6:])
	h.fragment = word&(ipv4MoreFragment|ipv4OffsetMask) != 0
	h.offset = int(word&ipv4OffsetMask) * 8
	p.TOS, p.TTL, p.Proto = b[1], b[8], Protocol(b[9])
	p.Src, p.Dst = netip.AddrFrom4([4]byte(b[12:16])), netip.AddrFrom4([4]byte(b[16:20]))
	return h, nil
}
