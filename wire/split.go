// SPDX-License-Identifier: Apache-2.0

package wire

import "iter"

// Segments are the packets that p stands for: itself, or of a TCP segment that is larger than the peer's MSS (as with
// segmentation offload) those of Part bytes of payload that a network card would make of it. Each is good until the next.
func (p *Packet) Segments() iter.Seq[*Packet] {
	return func(yield func(*Packet) bool) {
		rest, size := p.TCP.Payload, int(p.TCP.Part)
		if p.Proto != TCP || p.Opaque || size == 0 || len(rest) <= size {
			yield(p)
			return
		}
		part := *p
		for len(rest) > 0 {
			n := min(size, len(rest))
			part.TCP.Payload, rest = rest[:n], rest[n:]
			if part.TCP.Flags = p.TCP.Flags; len(rest) > 0 { // what marks the end stands in the last one
				part.TCP.Flags &^= PSH | FIN
			}
			if !yield(&part) {
				return
			}
			part.TCP.Seq += uint32(n)
		}
	}
}
