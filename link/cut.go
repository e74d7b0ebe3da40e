// SPDX-License-Identifier: Apache-2.0

package link

import "dialtone/wire"

// byPacket reports whether the effect is one on each packet, so that it matters how many there are.
func (e *Effect) byPacket() bool {
	return e.Rate != 0 || e.Loss != 0 || e.Bursts != GilbertElliott{} || e.Duplicate != 0 || e.Reorder != 0 || e.Corrupt != 0
}

// cut calls send with p, or, if p is a TCP segment that stands for many or is too long for the MTU, with those it is cut
// into: hosts send up to 64 KiB at once, as to a network card that segments by itself, and this is the card. FIN and PSH go
// with the last, CWR with the first (as Linux's tcp_gso_segment does it). p belongs to cut, and what send gets to send. A
// signed segment stays whole: it has one signature.
func cut(p *wire.Packet, mtu int, send func(*wire.Packet)) {
	most := room(p, mtu)
	if p.TCP.Part > 0 {
		most = min(most, int(p.TCP.Part))
	}
	for p.Proto == wire.TCP && p.TCP.Options.MD5 == nil && most > 0 && len(p.TCP.Payload) > most {
		q := p.Clone()
		q.TCP.Payload = p.TCP.Payload[:most:most]
		q.TCP.Flags &^= wire.FIN | wire.PSH
		p.TCP.Payload = p.TCP.Payload[most:]
		p.TCP.Seq += uint32(most)
		p.TCP.Flags &^= wire.CWR
		send(q)
	}
	send(p)
}

// headersMost is how long the headers of a TCP segment can be, in bytes, over IPv6 (RFC 8200, 3; RFC 9293, 3.1).
const headersMost = 40 + 60

// room returns how many bytes a segment with p's headers carries at most; if they are less than that for sure, more.
func room(p *wire.Packet, mtu int) int {
	if len(p.TCP.Payload) <= mtu-headersMost {
		return mtu
	}
	head := *p
	head.TCP.Payload, head.TCP.Buffer = nil, nil
	b, err := wire.Append(make([]byte, 0, headersMost), &head)
	if err != nil {
		return mtu // it has no bytes, which the effect will find
	}
	return mtu - len(b)
}
