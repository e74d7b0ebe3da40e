// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"encoding/binary"
	"math"
	"time"

	"dialtone/firewall"
	"dialtone/wire"
)

// What is here of the file format, PCAP Next Generation (draft-ietf-opsawg-pcapng): a section header, and a block for each
// interface and for each packet. A block is its type, its length, words that depend on the type, options, and its length
// again; all in little-endian order, and all parts filled up to 32 bits.
const (
	sectionHeader        = 0x0a0d0d0a // 4.1
	interfaceDescription = 1          // 4.2
	enhancedPacket       = 6          // 4.3

	byteOrderMagic = 0x1a2b3c4d

	// Options: of all blocks, of the section, of an interface, of a packet.
	optEnd     = 0
	optComment = 1

	shbUserAppl = 4

	ifName        = 2
	ifDescription = 3
	ifTsresol     = 9
	ifOS          = 12

	epbFlags = 2

	// Flags of a packet (4.3.1).
	inbound  = 1
	outbound = 2

	// linkType says that a packet begins with its IPv4 or IPv6 header. The number for that in files is 101 (LINKTYPE_RAW);
	// but of a file with several interfaces libpcap reads none but the first then (sf-pcapng.c, 1.10: it compares the types of
	// the others with DLT_RAW, which is 12). 12 is taken for the same by libpcap, Wireshark and pcapgo.
	linkType = 12

	// snapLength is how much of a packet is kept: tcpdump's default, and more than an IP packet has. libpcap wants the same
	// for all interfaces.
	snapLength = 262144

	nanoseconds = 9 // if_tsresol: a negative power of ten
)

var le = binary.LittleEndian

// appendSection appends the header of the file.
func appendSection(b []byte) []byte {
	b = begin(b, sectionHeader)
	b = le.AppendUint32(b, byteOrderMagic)
	b = le.AppendUint16(b, 1) // version 1.0
	b = le.AppendUint16(b, 0)
	b = le.AppendUint64(b, math.MaxUint64) // the section's length: up to the end
	b = appendOption(b, shbUserAppl, "dialtone")
	return end(b)
}

// appendInterface appends the description of an interface of a host.
func appendInterface(b []byte, name, description, system string) []byte {
	b = begin(b, interfaceDescription)
	b = le.AppendUint16(b, linkType)
	b = le.AppendUint16(b, 0) // reserved
	b = le.AppendUint32(b, snapLength)
	b = appendOption(b, ifName, name)
	if description != "" {
		b = appendOption(b, ifDescription, description)
	}
	b = appendOption(b, ifTsresol, string([]byte{nanoseconds}))
	b = appendOption(b, ifOS, system)
	return end(b)
}

// appendPacket appends a packet that was seen at an interface, by its number. If it has no bytes, as no host's packets
// should, a comment says why.
func appendPacket(b []byte, number uint32, at time.Time, d firewall.Direction, p *wire.Packet) []byte {
	b = begin(b, enhancedPacket)
	b = le.AppendUint32(b, number)
	nanoseconds := uint64(at.UnixNano())
	b = le.AppendUint32(b, uint32(nanoseconds>>32))
	b = le.AppendUint32(b, uint32(nanoseconds))
	lengths := len(b)
	b = le.AppendUint64(b, 0)
	b, err := wire.Append(b, p)
	length := uint32(len(b) - lengths - 8)
	le.PutUint32(b[lengths:], length)   // as captured
	le.PutUint32(b[lengths+4:], length) // as it was
	b = fill(b)
	flags := uint32(inbound)
	if d == firewall.Output {
		flags = outbound
	}
	b = append(b, epbFlags, 0, 4, 0)
	b = le.AppendUint32(b, flags)
	if err != nil {
		b = appendOption(b, optComment, err.Error())
	}
	if p.Context != "" {
		b = appendOption(b, optComment, "context "+p.Context)
	}
	if s := p.Secure; s != nil && s.Wanted != "" {
		b = appendOption(b, optComment, "wanted "+s.Wanted)
	}
	if s := p.Secure; s != nil && s.Message != "" {
		b = appendOption(b, optComment, "message "+s.Message)
	}
	return end(b)
}

// begin begins the block that fills b, its length yet unknown.
func begin(b []byte, kind uint32) []byte {
	b = le.AppendUint32(b, kind)
	return le.AppendUint32(b, 0)
}

// end ends the block that fills b, after its options.
func end(b []byte) []byte {
	b = append(b, optEnd, 0, 0, 0)
	length := uint32(len(b) + 4)
	le.PutUint32(b[4:], length)
	return le.AppendUint32(b, length)
}

// appendOption appends an option. What is too long for one is cut.
func appendOption(b []byte, code uint16, value string) []byte {
	value = value[:min(len(value), math.MaxUint16)]
	b = le.AppendUint16(b, code)
	b = le.AppendUint16(b, uint16(len(value)))
	return fill(append(b, value...))
}

// fill fills b up to 32 bits.
func fill(b []byte) []byte {
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}
