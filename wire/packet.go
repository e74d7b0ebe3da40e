// SPDX-License-Identifier: Apache-2.0

// Package wire holds what travels between hosts: IP packets and what they carry, decoded.
//
// Between hosts in memory a [Packet] travels as it is and is never turned into bytes. It becomes bytes, and gets its
// checksums, only where it leaves the process (TUN, a capture) or where a test asks for it; bytes from outside are
// parsed once, fully checked, and are a Packet from then on.
//
// All numbers are in host order. A payload is shared and immutable: whoever sends it never writes to it again, whoever
// receives it never writes to it at all. Whoever keeps one longer than its packet holds its [Buffer], or copies it.
package wire

import "net/netip"

// Protocol is the IP protocol number of a packet's payload.
type Protocol uint8

// The protocols whose headers are known here (IANA, "Assigned Internet Protocol Numbers").
const (
	ICMP    Protocol = 1
	TCP     Protocol = 6
	UDP     Protocol = 17
	ICMPv6  Protocol = 58
	UDPLite Protocol = 136
)

// DefaultTTL is the hop limit a host gives its packets (RFC 1340, and Linux's ip_default_ttl).
const DefaultTTL = 64

// Packet is one IP packet, version 4 or 6, unfragmented. Which of TCP, UDP, ICMP and Body is meaningful is told by Proto.
// Its zero value is no packet: Src and Dst must be valid and of one version.
type Packet struct {
	Src, Dst  netip.Addr // without zone
	Proto     Protocol
	TTL       uint8  // hop limit
	TOS       uint8  // type of service, traffic class
	Opaque    bool   // Body is what it carries, whatever Proto is: it makes no sense as that
	FlowLabel uint32 // IPv6 only, 20 bits

	TCP  Segment
	UDP  Datagram
	ICMP Message
	// Body is what a packet of any other protocol carries, or an opaque one.
	Body []byte

	// Context is the security context of the sending socket, as text; empty where labelling is off.
	Context string
	// Secure is what the sender's _secure calls add to that; nil: nothing.
	Secure *Secure
}

// Secure are contexts that a packet bears beside its sender's; empty: none.
type Secure struct {
	Wanted  string // of the socket it is for
	Message string // of the message, if not its sender's
}

// Datagram is a UDP datagram (RFC 768).
type Datagram struct {
	SrcPort, DstPort uint16
	Payload          []byte
	Buffer           *Buffer // where Payload lies; nil: nowhere in particular
}

// Message is an ICMP or ICMPv6 message (RFC 792, RFC 4443).
type Message struct {
	Type, Code uint8
	// Info is the second word of the header as it stands: the next hop's MTU of "fragmentation needed" and
	// "packet too big", the pointer of a parameter problem, identifier and sequence of an echo.
	Info uint32
	// Quote is the packet an error message is about, headers only; nil in other messages.
	Quote *Packet
	// Payload is what an echo carries.
	Payload []byte
}

// Is4 reports whether p is an IPv4 packet.
func (p *Packet) Is4() bool { return p.Dst.Is4() }

// SrcPort returns the source port of a TCP or UDP packet, 0 of any other.
func (p *Packet) SrcPort() uint16 {
	switch p.Proto {
	case TCP:
		return p.TCP.SrcPort
	case UDP, UDPLite:
		return p.UDP.SrcPort
	}
	return 0
}

// DstPort returns the destination port of a TCP or UDP packet, 0 of any other.
func (p *Packet) DstPort() uint16 {
	switch p.Proto {
	case TCP:
		return p.TCP.DstPort
	case UDP, UDPLite:
		return p.UDP.DstPort
	}
	return 0
}
