// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strings"
)

// A small name server: what the Go resolver needs to ask a network for its names, and no more. Messages are as in RFC
// 1035, section 4; one question each, in class IN. It answers with addresses (A, AAAA) and the names of addresses (PTR),
// all of TTL 0; other types have no records.

// Types and response codes (RFC 1035, 3.2.2 and 4.1.1; RFC 3596, 2.1).
const (
	typeA    = 1
	typePTR  = 12
	typeAAAA = 28
	classIN  = 1

	rcodeFormat   = 1
	rcodeServFail = 2
	rcodeName     = 3
	rcodeNotImpl  = 4
	headerLen     = 12
	maxNameLen    = 255 // on the wire
	maxLabelLen   = 63
	flagResponse  = 1 << 15
	flagAuthority = 1 << 10
	flagDesired   = 1 << 8 // recursion desired: echoed
	flagAvailable = 1 << 7 // recursion available
	opcodeMask    = 0xf << 11
)

// query is a question read from a message.
type query struct {
	id       uint16
	flags    uint16
	name     string // in presentation without escapes, with a final dot
	typ      uint16
	class    uint16
	question []byte // as it came: header excluded
}

// parseQuery reads a question. rcode says what to answer if it isn't one that can be looked up; ok is false if there is
// nothing to answer at all.
func parseQuery(b []byte) (q query, rcode uint16, ok bool) {
	if len(b) < headerLen {
		return q, 0, false
	}
	q.id, q.flags = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	if q.flags&flagResponse != 0 {
		return q, 0, false // an answer: two servers could go on for ever
	}
	if q.flags&opcodeMask != 0 {
		return q, rcodeNotImpl, true
	}
	if binary.BigEndian.Uint16(b[4:]) != 1 {
		return q, rcodeFormat, true
	}
	name, rest, ok := parseName(b[headerLen:])
	if !ok || len(rest) < 4 {
		return q, rcodeFormat, true
	}
	q.name, q.typ, q.class = name, binary.BigEndian.Uint16(rest), binary.BigEndian.Uint16(rest[2:])
	q.question = b[headerLen : len(b)-len(rest)+4]
	return q, 0, true
}

// parseName reads a name of labels; a question has nothing before it that a pointer could lead to.
func parseName(b []byte) (name string, rest []byte, ok bool) {
	var s strings.Builder
	for used := 0; ; {
		if len(b) == 0 {
			return "", nil, false
		}
		n := int(b[0])
		if n == 0 {
			if s.Len() == 0 {
				s.WriteByte('.') // the root
			}
			return s.String(), b[1:], true
		}
		if used += n + 1; n > maxLabelLen || len(b) < n+1 || used >= maxNameLen {
			return "", nil, false
		}
		label := b[1 : n+1]
		if bytes.IndexByte(label, '.') >= 0 {
			return "", nil, false // allowed (RFC 2181, 11), but no host's, and not to be told from two labels here
		}
		s.Write(label)
		s.WriteByte('.')
		b = b[n+1:]
	}
}

// appendName writes a name as labels; ok is false if it can't be written.
func appendName(b []byte, name string) (out []byte, ok bool) {
	name = strings.TrimSuffix(name, ".")
	if len(name)+2 > maxNameLen {
		return nil, false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > maxLabelLen {
			return nil, false
		}
		b = append(append(b, byte(len(label))), label...)
	}
	return append(b, 0), true
}

// answerName answers a message; nil is no answer at all.
func (n *Network) answerName(message []byte) []byte {
	q, rcode, ok := parseQuery(message)
	if !ok {
		return nil
	}
	var records [][]byte
	if rcode == 0 {
		switch n.NameFault(q.name) {
		case NameSilent:
			return nil
		case NameServFail:
			rcode = rcodeServFail
		case NameNotFound:
			rcode = rcodeName
		default:
			var known bool
			if records, known = n.records(&q); !known {
				rcode = rcodeName
			}
		}
	}
	flags := flagResponse | flagAuthority | flagAvailable | q.flags&(opcodeMask|flagDesired) | rcode
	b := binary.BigEndian.AppendUint16(nil, q.id)
	b = binary.BigEndian.AppendUint16(b, flags)
	b = binary.BigEndian.AppendUint16(b, uint16(min(len(q.question), 1)))
	b = binary.BigEndian.AppendUint16(b, uint16(len(records)))
	b = append(append(b, 0, 0, 0, 0), q.question...)
	for _, data := range records {
		b = append(b, 0xc0, headerLen) // a pointer to the question's name (RFC 1035, 4.1.4)
		b = binary.BigEndian.AppendUint16(b, q.typ)
		b = binary.BigEndian.AppendUint16(b, classIN)
		b = append(b, 0, 0, 0, 0)
		b = append(binary.BigEndian.AppendUint16(b, uint16(len(data))), data...)
	}
	return b
}

// records returns the data of the records that answer q; known is false if there is no such name.
func (n *Network) records(q *query) (all [][]byte, known bool) {
	if q.class != classIN {
		return nil, true
	}
	if ip, ok := reverse(q.name); ok {
		names := n.Names(ip)
		for _, name := range names {
			if data, ok := appendName(nil, name); ok && q.typ == typePTR {
				all = append(all, data)
			}
		}
		return all, len(names) > 0
	}
	ips := n.lookUp(nil, q.name)
	for _, ip := range ips {
		if q.typ == typeA && ip.Is4() || q.typ == typeAAAA && ip.Is6() {
			all = append(all, ip.AsSlice())
		}
	}
	return all, len(ips) > 0
}

// reverse reads the name that an address is looked up by (RFC 1035, 3.5; RFC 3596, 2.5).
func reverse(name string) (netip.Addr, bool) {
	name = strings.ToLower(name)
	if rest, ok := strings.CutSuffix(name, ".in-addr.arpa."); ok {
		parts := strings.Split(rest, ".")
		if len(parts) != 4 {
			return netip.Addr{}, false
		}
		ip, err := netip.ParseAddr(parts[3] + "." + parts[2] + "." + parts[1] + "." + parts[0])
		return ip, err == nil && ip.Is4()
	}
	rest, ok := strings.CutSuffix(name, ".ip6.arpa.")
	if !ok || len(rest) != 63 {
		return netip.Addr{}, false
	}
	var b [16]byte
	for i := range 32 {
		digit := strings.IndexByte("0123456789abcdef", rest[2*i])
		if digit < 0 || i < 31 && rest[2*i+1] != '.' {
			return netip.Addr{}, false
		}
		at := 31 - i
		b[at/2] |= byte(digit << (4 * (1 - at%2)))
	}
	return netip.AddrFrom16(b), true
}
