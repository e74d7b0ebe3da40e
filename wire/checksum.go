// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"encoding/binary"
	"net/netip"
)

// checksum returns the Internet checksum of b, begun with the partial sum initial (RFC 1071). Over bytes that contain
// their own right checksum it is 0.
func checksum(initial uint32, b []byte) uint16 {
	sum := uint64(initial)
	for ; len(b) >= 2; b = b[2:] {
		sum += uint64(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		sum += uint64(b[0]) << 8 // as if padded with a zero (RFC 1071, 1)
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}

// pseudoHeader returns the partial sum of the pseudo header that the checksums of TCP, UDP and ICMPv6 cover: addresses,
// length and protocol (RFC 768, RFC 9293 3.1, RFC 8200 8.1). Both versions lay it out so that their words sum alike.
func pseudoHeader(src, dst netip.Addr, proto Protocol, length int) uint32 {
	sum := uint32(proto) + uint32(length>>16) + uint32(length&0xffff)
	if src.Is4() {
		s, d := src.As4(), dst.As4()
		return sum + words(s[:]) + words(d[:])
	}
	s, d := src.As16(), dst.As16()
	return sum + words(s[:]) + words(d[:])
}

// words adds up the 16-bit words of b, whose length is even and small.
func words(b []byte) (sum uint32) {
	for i := 0; i < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	return sum
}
