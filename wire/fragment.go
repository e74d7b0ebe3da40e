// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"encoding/binary"
	"fmt"
	"iter"
	"math"
	"net/netip"
)

// fragmentUnit is what the offset of a fragment counts in, bytes (RFC 791, 3.1; RFC 8200, 4.5).
const fragmentUnit = 8

// fragmentHeaderLen is that of IPv6's fragment header (RFC 8200, 4.5), bytes.
const fragmentHeaderLen = 8

// Fragment is a piece of an IP packet on the wire.
type Fragment struct {
	Src, Dst netip.Addr
	Proto    Protocol
	ID       uint32 // with the above: of which packet
	Offset   int    // where Payload stands in what the packet carries, bytes
	More     bool   // it is not the last
	Payload  []byte // at most 65,535 bytes with what comes before it; shares the memory of what was parsed

	header []byte
}

// Fragments cuts a packet, as [Append] has made it, into pieces of at most mtu bytes; id tells them from those of other
// packets between the two hosts. What fits is yielded as it is. A piece is good until the next.
func Fragments(packet []byte, mtu int, id uint32) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		if len(packet) <= mtu {
			yield(packet)
			return
		}
		is4, headerLen := packet[0]>>4 == 4, ipv6HeaderLen
		piece := make([]byte, 0, mtu)
		if is4 {
			headerLen = int(packet[0]&0xf) * 4
			piece = append(piece, packet[:headerLen]...)
			binary.BigEndian.PutUint16(piece[4:], uint16(id))
		} else {
			piece = append(piece, packet[:headerLen]...)
			piece[6] = byte(extFragment)
			piece = append(piece, packet[6], 0, 0, 0)
			piece = binary.BigEndian.AppendUint32(piece, id)
		}
		head := len(piece)
		body := packet[headerLen:]
		for offset, size := 0, (mtu-head)&^(fragmentUnit-1); offset < len(body); offset += size {
			n, more := min(size, len(body)-offset), uint16(0)
			piece = append(piece[:head], body[offset:offset+n]...)
			if is4 {
				if offset+n < len(body) {
					more = ipv4MoreFragment
				}
				binary.BigEndian.PutUint16(piece[6:], more|uint16(offset/fragmentUnit))
				piece[10], piece[11] = 0, 0
			} else {
				if offset+n < len(body) {
					more = 1
				}
				binary.BigEndian.PutUint16(piece[ipv6HeaderLen+2:], uint16(offset)|more)
			}
			_ = finish(piece, headerLen) // shorter than the whole, which fitted
			if !yield(piece) {
				return
			}
		}
	}
}

// ParseFragment tells whether the IP packet at the start of b is a fragment, and which; the header is checked as by
// [Parse]. Of IPv6 only a fragment header right behind the IP header is looked for.
func ParseFragment(b []byte) (f Fragment, ok bool, err error) {
	var p Packet
	h, err := splitHeader(b, &p)
	switch {
	case err != nil:
		return Fragment{}, false, err
	case p.Dst.Is4() && !h.fragment, !p.Dst.Is4() && p.Proto != extFragment:
		return Fragment{}, false, nil
	case h.length > len(b):
		return Fragment{}, false, fmt.Errorf("%w: IP length %d, have %d bytes", ErrShort, h.length, len(b))
	case h.length < h.headerLen:
		return Fragment{}, false, fmt.Errorf("%w: IP length %d within its header", ErrMalformed, h.length)
	}
	body := b[h.headerLen:h.length:h.length]
	f = Fragment{Src: p.Src, Dst: p.Dst, Proto: p.Proto, Payload: body, header: b[:h.headerLen]}
	if p.Dst.Is4() {
		if checksum(0, f.header) != 0 {
			return Fragment{}, false, fmt.Errorf("%w in the IP header", ErrChecksum)
		}
		f.ID, f.Offset = uint32(binary.BigEndian.Uint16(b[4:])), h.offset
		f.More = binary.BigEndian.Uint16(b[6:])&ipv4MoreFragment != 0
	} else {
		if len(body) < fragmentHeaderLen {
			return Fragment{}, false, fmt.Errorf("%w: %d bytes for a fragment header of %d", ErrShort, len(body), fragmentHeaderLen)
		}
		place := binary.BigEndian.Uint16(body[2:])
		f.Proto, f.ID = Protocol(body[0]), binary.BigEndian.Uint32(body[4:])
		f.Offset, f.More = int(place&^(fragmentUnit-1)), place&1 != 0
		f.Payload = body[fragmentHeaderLen:]
	}
	switch n := len(f.Payload); {
	case f.More && (n == 0 || n%fragmentUnit != 0):
		return Fragment{}, false, fmt.Errorf("%w: a fragment of %d bytes that is not the last", ErrMalformed, n)
	case f.Offset+n > math.MaxUint16:
		return Fragment{}, false, fmt.Errorf("%w: a fragment up to byte %d", ErrTooLong, f.Offset+n)
	}
	return f, true, nil
}

// Whole returns the packet that f is the first piece of, given all that it carries.
func (f *Fragment) Whole(payload []byte) ([]byte, error) {
	b := append(make([]byte, 0, len(f.header)+len(payload)), f.header...)
	if b[0]>>4 == 4 {
		binary.BigEndian.PutUint16(b[6:], 0)
		b[10], b[11] = 0, 0
	} else {
		b[6] = byte(f.Proto)
	}
	b = append(b, payload...)
	return b, finish(b, len(f.header))
}
