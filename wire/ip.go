// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// What Parse and Append refuse. The errors they return wrap one of these and name the place.
var (
	ErrShort     = errors.New("wire: bytes end too early")
	ErrMalformed = errors.New("wire: malformed header")
	ErrChecksum  = errors.New("wire: wrong checksum")
	ErrFragment  = errors.New("wire: fragments are not supported")
	ErrAddress   = errors.New("wire: source and destination are not two addresses of one IP version")
	ErrTooLong   = errors.New("wire: longer than an IP packet can be")
)

// Append appends p, as it stands on the wire, to b: IP header, transport header and payload with all lengths and
// checksums. Context is not on the wire. If it returns an error (ErrAddress, ErrTooLong, or one of the TCP options) it
// returns b as it was.
func Append(b []byte, p *Packet) ([]byte, error) {
	out, start, err := appendHeader(b, p)
	if err != nil {
		return b, err
	}
	body := len(out)
	if out, err = appendBody(out, p); err != nil {
		return b, err
	}
	if err := finish(out[start:], body-start); err != nil {
		return b, err
	}
	return out, nil
}

// appendHeader appends p's IP header, its lengths and checksum still zero, and says where in the result it starts.
func appendHeader(b []byte, p *Packet) (out []byte, start int, err error) {
	start = len(b)
	switch {
	case p.Src.Is4() && p.Dst.Is4():
		return appendIPv4(b, p), start, nil
	case p.Src.Is6() && p.Dst.Is6() && !p.Src.Is4In6() && !p.Dst.Is4In6():
		// A v4-mapped address names an IPv4 host; it must not appear on the wire (RFC 4038, 4.2).
		return appendIPv6(b, p), start, nil
	}
	return b, start, fmt.Errorf("%w: %v, %v", ErrAddress, p.Src, p.Dst)
}

// appendBody appends the transport header and the payload, and sets the checksum.
func appendBody(b []byte, p *Packet) ([]byte, error) {
	switch {
	case p.Opaque:
	case p.Proto == TCP:
		return appendTCP(b, p)
	case p.Proto == UDP, p.Proto == UDPLite:
		return appendUDP(b, p)
	case p.Proto == ICMP && p.Is4(), p.Proto == ICMPv6 && !p.Is4():
		return appendICMP(b, p)
	}
	return append(b, p.Body...), nil
}

// finish writes the length into the IP header at the start of packet, and an IPv4 header's checksum. The header has
// headerLen bytes.
func finish(packet []byte, headerLen int) error {
	switch length := len(packet); {
	case packet[0]>>4 == 4 && length <= math.MaxUint16:
		binary.BigEndian.PutUint16(packet[2:], uint16(length))
		binary.BigEndian.PutUint16(packet[10:], checksum(0, packet[:headerLen]))
	case packet[0]>>4 == 6 && length-headerLen <= math.MaxUint16:
		binary.BigEndian.PutUint16(packet[4:], uint16(length-headerLen))
	default:
		return fmt.Errorf("%w: %d bytes", ErrTooLong, length)
	}
	return nil
}

// Parse decodes the IP packet at the start of b, and checks all of it: versions, lengths, options, checksums. Bytes
// after its end are ignored (a link may pad). The packet's payload shares b's memory: who calls Parse must not write to
// b again.
//
// Header options and extension headers are skipped. Of a packet quoted in an ICMP error only the IP header and the first
// 8 bytes after it must be there (RFC 792), and its lengths and checksums are not checked: routers cut and rewrite it.
//
// The error wraps one of this package's; the packet then means nothing.
func Parse(b []byte) (Packet, error) {
	var p Packet
	body, err := parseHeader(b, &p)
	if err == nil {
		err = p.ParseBody(body)
	}
	if err != nil {
		return Packet{}, err
	}
	return p, nil
}

// ParseBody decodes what p carries, by p's addresses and protocol. It shares body's memory.
func (p *Packet) ParseBody(body []byte) error {
	switch {
	case p.Proto == TCP:
		return parseTCP(body, p)
	case p.Proto == UDP, p.Proto == UDPLite:
		return parseUDP(body, p)
	case p.Proto == ICMP && p.Is4(), p.Proto == ICMPv6 && !p.Is4():
		return parseICMP(body, p)
	}
	p.Body = body
	return nil
}

// parseHeader fills in p from the IP header at the start of b and returns what the packet carries.
func parseHeader(b []byte, p *Packet) (body []byte, err error) {
	h, err := splitHeader(b, p)
	if err != nil {
		return nil, err
	}
	if h.length > len(b) {
		return nil, fmt.Errorf("%w: IP length %d, have %d bytes", ErrShort, h.length, len(b))
	}
	if h.length < h.headerLen {
		return nil, fmt.Errorf("%w: IP length %d within its header", ErrMalformed, h.length)
	}
	if p.Is4() && checksum(0, b[:h.headerLen]) != 0 {
		return nil, fmt.Errorf("%w in the IP header", ErrChecksum)
	}
	b = b[:h.length:h.length]
	if p.Is4() {
		if h.fragment {
			return nil, ErrFragment
		}
		return b[h.headerLen:], nil
	}
	return skipExtensions(b[h.headerLen:], p)
}

// ParseHeader decodes the IP header at the start of b, which fills b with what it carries: lengths and checksum in it are
// not looked at, they are yet to be filled in.
func ParseHeader(b []byte) (p Packet, body []byte, err error) {
	h, err := splitHeader(b, &p)
	switch {
	case err != nil:
		return Packet{}, nil, err
	case h.headerLen > len(b):
		return Packet{}, nil, fmt.Errorf("%w: IP header of %d bytes, have %d", ErrShort, h.headerLen, len(b))
	case h.fragment:
		return Packet{}, nil, ErrFragment
	case p.Is4():
		return p, b[h.headerLen:], nil
	}
	body, err = skipExtensions(b[h.headerLen:], &p)
	if err != nil {
		return Packet{}, nil, err
	}
	return p, body, nil
}

// header is what an IP header says of itself.
type header struct {
	headerLen, length int  // bytes: the header; the packet with it
	fragment          bool // IPv4: part of a larger packet
	offset            int  // IPv4: where in that one, in bytes
}

// splitHeader fills in p from the fixed IP header at the start of b. Lengths and checksum are the caller's to check.
func splitHeader(b []byte, p *Packet) (header, error) {
	if len(b) == 0 {
		return header{}, fmt.Errorf("%w: empty", ErrShort)
	}
	switch version := b[0] >> 4; version {
	case 4:
		return splitIPv4(b, p)
	case 6:
		return splitIPv6(b, p)
	default:
		return header{}, fmt.Errorf("%w: IP version %d", ErrMalformed, version)
	}
}
