// SPDX-License-Identifier: Apache-2.0

package wire

// Flags are the control bits of a TCP segment (RFC 9293, 3.1).
type Flags uint8

// The control bits, in their place on the wire.
const (
	FIN Flags = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
	ECE
	CWR
)

// Segment is a TCP segment: header, options and payload.
type Segment struct {
	SrcPort, DstPort uint16
	Seq              uint32
	Ack              uint32 // meaningful with the ACK flag
	Flags            Flags
	Window           uint16 // as on the wire, unscaled
	Urgent           uint16
	// Part: the segment stands for many, of so many bytes of payload each but the last, as one that a network card has yet to
	// cut (segmentation offload). 0: for itself.
	Part    uint16
	Options Options
	Payload []byte
	Buffer  *Buffer // where Payload lies; nil: nowhere in particular
}

// Options are the TCP options of a segment. An option that takes a value and can be absent has a Has field.
type Options struct {
	MSS            uint16 // bytes; 0: absent (RFC 9293, 3.7.1)
	HasWindowScale bool
	WindowScale    uint8 // shift count (RFC 7323, 2)
	SACKPermitted  bool  // RFC 2018, 2
	HasTimestamps  bool
	TSVal, TSEcr   uint32 // RFC 7323, 3
	SACK           [4]SACKBlock
	SACKBlocks     uint8 // how many of SACK are in use
	HasFastOpen    bool
	FastOpen       []byte    // cookie; empty: a request for one (RFC 7413, 4.1.1)
	MD5            *[16]byte // signature; nil: absent (RFC 2385)
}

// SACKBlock is a run of received bytes: from Left, up to but without Right (RFC 2018, 3).
type SACKBlock struct{ Left, Right uint32 }

// Has reports whether all of want are set.
func (f Flags) Has(want Flags) bool { return f&want == want }

// Len returns the length of s in sequence space: its payload, and one each for SYN and FIN (RFC 9293, 3.4).
func (s *Segment) Len() uint32 {
	n := uint32(len(s.Payload))
	if s.Flags.Has(SYN) {
		n++
	}
	if s.Flags.Has(FIN) {
		n++
	}
	return n
}
