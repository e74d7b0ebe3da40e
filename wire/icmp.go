// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// icmpHeaderLen is the header of ICMP and ICMPv6 (RFC 792, RFC 4443), bytes.
const icmpHeaderLen = 8

// The longest ICMP error sent, with its IP header: all of it surely passes everywhere (RFC 1812, 4.3.2.3; RFC 4443,
// 2.4 (c)). The quoted packet is cut to fit.
const (
	icmpErrorMax   = 576
	icmpv6ErrorMax = 1280
)

// IsError reports whether p is an ICMP or ICMPv6 error message: one that quotes the packet it is about.
func (p *Packet) IsError() bool {
	switch p.Proto {
	case ICMP:
		switch p.ICMP.Type {
		case 3, 4, 5, 11, 12: // unreachable, source quench, redirect, time exceeded, parameter problem (RFC 792)
			return true
		}
	case ICMPv6:
		return p.ICMP.Type < 128 // RFC 4443, 2.1
	}
	return false
}

// errErrorAboutError is never sent (RFC 1122, 3.2.2; RFC 4443, 2.4 (e)).
var errErrorAboutError = errors.New("ICMP error about an ICMP error")

// appendICMP appends the message of p.
func appendICMP(b []byte, p *Packet) ([]byte, error) {
	start := len(b)
	b = append(b, p.ICMP.Type, p.ICMP.Code, 0, 0)
	b = binary.BigEndian.AppendUint32(b, p.ICMP.Info)
	switch {
	case !p.IsError():
		b = append(b, p.ICMP.Payload...)
	case p.ICMP.Quote == nil:
		return nil, fmt.Errorf("%w: ICMP error without the packet it is about", ErrMalformed)
	case p.ICMP.Quote.IsError():
		return nil, fmt.Errorf("%w: %w", ErrMalformed, errErrorAboutError)
	default:
		limit := start + icmpErrorMax - ipv4HeaderLen
		if !p.Is4() {
			limit = start + icmpv6ErrorMax - ipv6HeaderLen
		}
		var err error
		if b, err = Append(b, p.ICMP.Quote); err != nil {
			return nil, err
		}
		b = b[:min(len(b), limit)]
	}
	binary.BigEndian.PutUint16(b[start+2:], checksum(icmpPseudoHeader(p, len(b)-start), b[start:]))
	return b, nil
}

// SealICMP writes the checksum into body, an ICMP or ICMPv6 message that p is to carry.
func (p *Packet) SealICMP(body []byte) {
	if len(body) < icmpHeaderLen {
		return // no message: ParseBody says so
	}
	body[2], body[3] = 0, 0
	binary.BigEndian.PutUint16(body[2:], checksum(icmpPseudoHeader(p, len(body)), body))
}

// icmpPseudoHeader returns the partial sum an ICMP checksum begins with: ICMPv6 covers a pseudo header (RFC 4443, 2.3),
// ICMP doesn't.
func icmpPseudoHeader(p *Packet, length int) uint32 {
	if p.Proto == ICMP {
		return 0
	}
	return pseudoHeader(p.Src, p.Dst, p.Proto, length)
}

// parseICMP decodes the message that fills b.
func parseICMP(b []byte, p *Packet) error {
	if len(b) < icmpHeaderLen {
		return fmt.Errorf("%w: %d bytes for an ICMP header", ErrShort, len(b))
	}
	if checksum(icmpPseudoHeader(p, len(b)), b) != 0 {
		return fmt.Errorf("%w in ICMP", ErrChecksum)
	}
	p.ICMP = Message{Type: b[0], Code: b[1], Info: binary.BigEndian.Uint32(b[4:])}
	if !p.IsError() {
		p.ICMP.Payload = b[icmpHeaderLen:]
		return nil
	}
	quote, err := parseQuote(b[icmpHeaderLen:])
	if err != nil {
		return fmt.Errorf("quoted packet: %w", err)
	}
	p.ICMP.Quote = quote
	return nil
}

// quotedBytes is how much of a quoted packet must follow its IP header: enough for ports and a TCP sequence number
// (RFC 792). Linux too drops an error that quotes less (net/ipv4/icmp.c, icmp_socket_deliver).
const quotedBytes = 8

// parseQuote decodes the beginning of a packet: as much of the transport header's fixed part as is there.
func parseQuote(b []byte) (*Packet, error) {
	p := new(Packet)
	h, err := splitHeader(b, p)
	if err != nil {
		return nil, err
	}
	if h.offset != 0 {
		return nil, ErrFragment // a later fragment: no ports in it
	}
	body := b[h.headerLen:]
	if !p.Is4() {
		if body, err = skipExtensions(body, p); err != nil {
			return nil, err
		}
	}
	if len(body) < quotedBytes {
		return nil, fmt.Errorf("%w: %d bytes after the IP header", ErrShort, len(body))
	}
	switch p.Proto {
	case TCP:
		p.TCP = quotedSegment(body)
	case UDP, UDPLite:
		p.UDP = Datagram{SrcPort: binary.BigEndian.Uint16(body), DstPort: binary.BigEndian.Uint16(body[2:])}
	case ICMP, ICMPv6:
		p.ICMP = Message{Type: body[0], Code: body[1], Info: binary.BigEndian.Uint32(body[4:])}
		if p.IsError() {
			return nil, fmt.Errorf("%w: %w", ErrMalformed, errErrorAboutError)
		}
	default:
		p.Body = body[:quotedBytes:quotedBytes]
	}
	return p, nil
}

// quotedSegment decodes the first 8 bytes of a TCP header, and the rest of its fixed part if it is there (RFC 9293, 3.1).
func quotedSegment(b []byte) Segment {
	s := Segment{
		SrcPort: binary.BigEndian.Uint16(b),
		DstPort: binary.BigEndian.Uint16(b[2:]),
		Seq:     binary.BigEndian.Uint32(b[4:]),
	}
	if len(b) >= 20 {
		s.Ack = binary.BigEndian.Uint32(b[8:])
		s.Flags = Flags(b[13])
		s.Window = binary.BigEndian.Uint16(b[14:])
		s.Urgent = binary.BigEndian.Uint16(b[18:])
	}
	return s
}
