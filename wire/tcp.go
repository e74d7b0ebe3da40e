// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrOptions is what Append says of TCP options that don't fit: a header has room for 40 bytes of them
// (RFC 9293, 3.1).
var ErrOptions = errors.New("wire: TCP options don't fit")

const (
	tcpHeaderLen    = 20 // bytes without options (RFC 9293, 3.1)
	maxTCPHeaderLen = 60 // what the four bits of the data offset can say
)

// The kinds of TCP options (IANA, "TCP Option Kind Numbers").
const (
	kindEnd           = 0
	kindNop           = 1
	kindMSS           = 2
	kindWindowScale   = 3
	kindSACKPermitted = 4
	kindSACK          = 5
	kindTimestamps    = 8
	kindMD5           = 19
	kindFastOpen      = 34
)

// appendTCP appends the segment of p: header, options, payload.
func appendTCP(b []byte, p *Packet) ([]byte, error) {
	s := &p.TCP
	start := len(b)
	b = binary.BigEndian.AppendUint16(b, s.SrcPort)
	b = binary.BigEndian.AppendUint16(b, s.DstPort)
	b = binary.BigEndian.AppendUint32(b, s.Seq)
	b = binary.BigEndian.AppendUint32(b, s.Ack)
	b = append(b, 0, byte(s.Flags)) // data offset: below
	b = binary.BigEndian.AppendUint16(b, s.Window)
	b = append(b, 0, 0) // checksum: below
	b = binary.BigEndian.AppendUint16(b, s.Urgent)
	b = appendOptions(b, &s.Options)
	headerLen := len(b) - start
	if headerLen > maxTCPHeaderLen || int(s.Options.SACKBlocks) > len(s.Options.SACK) {
		return nil, fmt.Errorf("%w: %d bytes, %d SACK blocks", ErrOptions, headerLen-tcpHeaderLen, s.Options.SACKBlocks)
	}
	b[start+12] = byte(headerLen/4) << 4
	b = append(b, s.Payload...)
	sum := checksum(pseudoHeader(p.Src, p.Dst, TCP, len(b)-start), b[start:])
	binary.BigEndian.PutUint16(b[start+16:], sum)
	return b, nil
}

// appendOptions appends o in Linux's order and with its NOPs, which align the values behind them (tcp_options_write; RFC
// 7323, appendix A). Its length is a multiple of 4.
func appendOptions(b []byte, o *Options) []byte {
	if o.MD5 != nil {
		b = append(b, kindNop, kindNop, kindMD5, byte(2+len(o.MD5)))
		b = append(b, o.MD5[:]...)
	}
	if o.MSS != 0 {
		b = append(b, kindMSS, 4)
		b = binary.BigEndian.AppendUint16(b, o.MSS)
	}
	if o.HasTimestamps != o.SACKPermitted { // either takes the place of the other's NOPs
		b = append(b, kindNop, kindNop)
	}
	if o.SACKPermitted {
		b = append(b, kindSACKPermitted, 2)
	}
	if o.HasTimestamps {
		b = append(b, kindTimestamps, 10)
		b = binary.BigEndian.AppendUint32(b, o.TSVal)
		b = binary.BigEndian.AppendUint32(b, o.TSEcr)
	}
	if o.HasWindowScale {
		b = append(b, kindNop, kindWindowScale, 3, o.WindowScale)
	}
	if n := min(int(o.SACKBlocks), len(o.SACK)); n > 0 {
		b = append(b, kindNop, kindNop, kindSACK, byte(2+8*n))
		for _, block := range o.SACK[:n] {
			b = binary.BigEndian.AppendUint32(b, block.Left)
			b = binary.BigEndian.AppendUint32(b, block.Right)
		}
	}
	if o.HasFastOpen {
		b = append(b, kindFastOpen, byte(2+len(o.FastOpen)))
		b = append(b, o.FastOpen...)
		for range (2 - len(o.FastOpen)) & 3 {
			b = append(b, kindNop)
		}
	}
	return b
}

// parseTCP decodes the segment that fills b.
func parseTCP(b []byte, p *Packet) error {
	if len(b) < tcpHeaderLen {
		return fmt.Errorf("%w: %d bytes for a TCP header", ErrShort, len(b))
	}
	headerLen := int(b[12]>>4) * 4
	if headerLen < tcpHeaderLen {
		return fmt.Errorf("%w: TCP header of %d bytes", ErrMalformed, headerLen)
	}
	if headerLen > len(b) {
		return fmt.Errorf("%w: TCP header of %d bytes, have %d", ErrShort, headerLen, len(b))
	}
	if checksum(pseudoHeader(p.Src, p.Dst, TCP, len(b)), b) != 0 {
		return fmt.Errorf("%w in TCP", ErrChecksum)
	}
	p.TCP = Segment{
		SrcPort: binary.BigEndian.Uint16(b),
		DstPort: binary.BigEndian.Uint16(b[2:]),
		Seq:     binary.BigEndian.Uint32(b[4:]),
		Ack:     binary.BigEndian.Uint32(b[8:]),
		Flags:   Flags(b[13]),
		Window:  binary.BigEndian.Uint16(b[14:]),
		Urgent:  binary.BigEndian.Uint16(b[18:]),
	}
	if headerLen < len(b) {
		p.TCP.Payload = b[headerLen:len(b):len(b)]
	}
	return parseOptions(b[tcpHeaderLen:headerLen], &p.TCP.Options)
}

// parseOptions decodes the options in b. An option of unknown kind is skipped, and so is one of a known kind whose
// length isn't that kind's (RFC 9293, MUST-6).
func parseOptions(b []byte, o *Options) error {
	for len(b) > 0 && b[0] != kindEnd {
		if b[0] == kindNop {
			b = b[1:]
			continue
		}
		if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
			return fmt.Errorf("%w: length of TCP option %d", ErrMalformed, b[0])
		}
		parseOption(b[0], b[2:b[1]:b[1]], o)
		b = b[b[1]:]
	}
	return nil
}

// parseOption decodes one option's value.
func parseOption(kind byte, value []byte, o *Options) {
	switch kind {
	case kindMSS:
		if len(value) == 2 {
			o.MSS = binary.BigEndian.Uint16(value)
		}
	case kindWindowScale:
		if len(value) == 1 {
			o.HasWindowScale, o.WindowScale = true, value[0]
		}
	case kindSACKPermitted:
		if len(value) == 0 {
			o.SACKPermitted = true
		}
	case kindTimestamps:
		if len(value) == 8 {
			o.HasTimestamps = true
			o.TSVal = binary.BigEndian.Uint32(value)
			o.TSEcr = binary.BigEndian.Uint32(value[4:])
		}
	case kindSACK:
		if n := len(value) / 8; len(value)%8 == 0 && n > 0 && n <= len(o.SACK) {
			o.SACKBlocks = uint8(n)
			o.SACK = [4]SACKBlock{}
			for i := range n {
				block := value[8*i:]
				o.SACK[i] = SACKBlock{binary.BigEndian.Uint32(block), binary.BigEndian.Uint32(block[4:])}
			}
		}
	case kindMD5:
		if len(value) == 16 {
			o.MD5 = (*[16]byte)(value)
		}
	case kindFastOpen:
		o.HasFastOpen, o.FastOpen = true, nil
		if len(value) > 0 {
			o.FastOpen = value
		}
	}
}
