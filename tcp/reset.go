// SPDX-License-Identifier: Apache-2.0

package tcp

import "dialtone/wire"

// ResetFor returns the reset that answers a segment for which there is no connection, and false for a segment that
// gets no answer, a reset (RFC 9293, 3.10.7.1).
func ResetFor(seg *wire.Segment) (wire.Segment, bool) {
	if seg.Flags.Has(wire.RST) {
		return wire.Segment{}, false
	}
	reset := wire.Segment{SrcPort: seg.DstPort, DstPort: seg.SrcPort, Flags: wire.RST}
	if seg.Flags.Has(wire.ACK) {
		reset.Seq = seg.Ack
	} else {
		reset.Ack = seg.Seq + seg.Len()
		reset.Flags |= wire.ACK
	}
	return reset, true
}
