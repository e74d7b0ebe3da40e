// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// ipv6HeaderLen is the fixed IPv6 header (RFC 8200, 3), bytes.
const ipv6HeaderLen = 40

// The extension headers that are skipped (RFC 8200, 4). Any other next header is a protocol.
const (
	extHopByHop    Protocol = 0
	extRouting     Protocol = 43
	extFragment    Protocol = 44
	extDestination Protocol = 60
)

// appendIPv6 appends p's IPv6 header.
func appendIPv6(b []byte, p *Packet) []byte {
	src, dst := p.Src.As16(), p.Dst.As16()
	b = binary.BigEndian.AppendUint32(b, 6<<28|uint32(p.TOS)<<20|p.FlowLabel&0xfffff)
	b = append(b, 0, 0, byte(p.Proto), p.TTL)
	b = append(b, src[:]...)
	return append(b, dst[:]...)
}

// splitIPv6 fills in p from the IPv6 header at the start of b; p.Proto is the next header, extension or not.
func splitIPv6(b []byte, p *Packet) (header, error) {
	if len(b) < ipv6HeaderLen {
		return header{}, fmt.Errorf("%w: %d bytes for an IPv6 header", ErrShort, len(b))
	}
	word := binary.BigEndian.Uint32(b)
	p.TOS, p.FlowLabel = uint8(word>>20), word&0xfffff
	p.Proto, p.TTL = Protocol(b[6]), b[7]
	p.Src, p.Dst = netip.AddrFrom16([16]byte(b[8:24])), netip.AddrFrom16([16]byte(b[24:40]))
	if p.Src.Is4In6() || p.Dst.Is4In6() {
		return header{}, fmt.Errorf("%w: %v, %v", ErrAddress, p.Src, p.Dst) // as in appendHeader
	}
	return header{headerLen: ipv6HeaderLen, length: ipv6HeaderLen + int(binary.BigEndian.Uint16(b[4:]))}, nil
}

// skipExtensions goes over the extension headers at the start of b, sets p.Proto to the protocol after them and returns
// what follows. A fragment header on an unfragmented packet is skipped too (RFC 6946).
func skipExtensions(b []byte, p *Packet) ([]byte, error) {
	for {
		length := 8
		switch p.Proto {
		case extHopByHop, extRouting, extDestination:
			if len(b) >= 2 {
				length = (int(b[1]) + 1) * 8
			}
		case extFragment:
		default:
			return b, nil
		}
		if len(b) < length {
			return nil, fmt.Errorf("%w: %d bytes for IPv6 extension header %d of %d", ErrShort, len(b), p.Proto, length)
		}
		switch {
		case p.Proto == extFragment && binary.BigEndian.Uint16(b[2:])&^0b110 != 0: // all but the reserved bits
			return nil, ErrFragment
		case p.Proto == extRouting && b[3] != 0:
			// It is on its way to another node, by a route we don't take part in (RFC 8200, 4.4; RFC 5095).
			return nil, fmt.Errorf("%w: routing header with %d segments left", ErrMalformed, b[3])
		}
		p.Proto, b = Protocol(b[0]), b[length:]
	}
}
