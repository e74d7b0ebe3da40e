// SPDX-License-Identifier: Apache-2.0

package link

import "dialtone/wire"

// answerTo returns what the sender of p hears of an action, nil where it hears nothing: of the silent ones, and about
// resets and errors, which nobody answers (RFC 9293, 3.10.7.1; RFC 1122, 3.2.2), nor what was not for one host.
func answerTo(a Action, p *wire.Packet) *wire.Packet {
	if p.Dst.IsMulticast() || p.IsError() {
		return nil
	}
	switch a {
	case Reset:
		return resetFor(p)
	case Unreachable:
		return errorFor(p, 3, 1, 1, 3)
	case Prohibited:
		return errorFor(p, 3, 13, 1, 1)
	}
	return nil
}

// answerFrom returns an empty packet back to p's sender.
func answerFrom(p *wire.Packet) *wire.Packet {
	a := wire.NewPacket()
	a.Src, a.Dst, a.TTL = p.Dst, p.Src, wire.DefaultTTL
	return a
}

// resetFor returns the reset that answers a segment nobody has a connection for.
func resetFor(p *wire.Packet) *wire.Packet {
	if p.Proto != wire.TCP || p.TCP.Flags.Has(wire.RST) {
		return nil
	}
	a := answerFrom(p)
	a.Proto = wire.TCP
	a.TCP = wire.Segment{SrcPort: p.TCP.DstPort, DstPort: p.TCP.SrcPort}
	if p.TCP.Flags.Has(wire.ACK) {
		a.TCP.Seq, a.TCP.Flags = p.TCP.Ack, wire.RST
	} else {
		a.TCP.Ack, a.TCP.Flags = p.TCP.Seq+p.TCP.Len(), wire.RST|wire.ACK
	}
	return a
}

// errorFor returns an ICMP error about p, of a type and code for each version of IP.
func errorFor(p *wire.Packet, type4, code4, type6, code6 uint8) *wire.Packet {
	a := answerFrom(p)
	quote := *p
	quote.TCP.Payload, quote.TCP.Buffer, quote.UDP.Payload, quote.UDP.Buffer = nil, nil, nil, nil
	a.Proto, a.ICMP = wire.ICMP, wire.Message{Type: type4, Code: code4, Quote: &quote}
	if !p.Is4() {
		a.Proto, a.ICMP.Type, a.ICMP.Code = wire.ICMPv6, type6, code6
	}
	return a
}
