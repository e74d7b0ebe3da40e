// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"encoding/binary"
	"fmt"
	"math"
)

// udpHeaderLen is the header of UDP and of UDP-Lite (RFC 768, RFC 3828), bytes.
const udpHeaderLen = 8

// appendUDP appends the datagram of p. The length word of UDP-Lite holds how many bytes the checksum covers; 0 means all
// (RFC 3828, 3.1).
func appendUDP(b []byte, p *Packet) ([]byte, error) {
	length := udpHeaderLen + len(p.UDP.Payload)
	if length > math.MaxUint16 {
		return nil, fmt.Errorf("%w: UDP datagram of %d bytes", ErrTooLong, length)
	}
	start := len(b)
	b = binary.BigEndian.AppendUint16(b, p.UDP.SrcPort)
	b = binary.BigEndian.AppendUint16(b, p.UDP.DstPort)
	if p.Proto == UDP {
		b = binary.BigEndian.AppendUint16(b, uint16(length))
	} else {
		b = append(b, 0, 0)
	}
	b = append(b, 0, 0)
	b = append(b, p.UDP.Payload...)
	sum := checksum(pseudoHeader(p.Src, p.Dst, p.Proto, length), b[start:])
	if sum == 0 {
		sum = 0xffff // 0 says that there is no checksum (RFC 768)
	}
	binary.BigEndian.PutUint16(b[start+6:], sum)
	return b, nil
}

// parseUDP decodes the datagram that fills b.
func parseUDP(b []byte, p *Packet) error {
	if len(b) < udpHeaderLen {
		return fmt.Errorf("%w: %d bytes for a UDP header", ErrShort, len(b))
	}
	length := int(binary.BigEndian.Uint16(b[4:]))
	covered := length
	if p.Proto == UDPLite {
		if length = len(b); covered == 0 {
			covered = length
		}
	}
	if length > len(b) {
		return fmt.Errorf("%w: UDP length %d, have %d bytes", ErrShort, length, len(b))
	}
	if length < udpHeaderLen || covered < udpHeaderLen || covered > length {
		return fmt.Errorf("%w: UDP length %d, checksum over %d", ErrMalformed, length, covered)
	}
	// Only over IPv4, and only in UDP, may a sender do without a checksum (RFC 768; RFC 8200, 8.1; RFC 3828, 3.1).
	sent := binary.BigEndian.Uint16(b[6:])
	if sent != 0 || p.Proto == UDPLite || !p.Is4() {
		if sent == 0 || checksum(pseudoHeader(p.Src, p.Dst, p.Proto, length), b[:covered]) != 0 {
			return fmt.Errorf("%w in UDP", ErrChecksum)
		}
	}
	p.UDP = Datagram{
		SrcPort: binary.BigEndian.Uint16(b),
		DstPort: binary.BigEndian.Uint16(b[2:]),
		Payload: b[udpHeaderLen:length:length],
	}
	return nil
}
