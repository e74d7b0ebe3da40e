// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"net/netip"
	"sync"
)

var pool = sync.Pool{New: func() any { return new(Packet) }}

// NewPacket returns an empty packet. Its owner passes it on, or gives it back with [Packet.Free].
func NewPacket() *Packet { return pool.Get().(*Packet) }

// Free gives p back for reuse. Only its owner may call it, once; a quoted packet is not freed with it.
func (p *Packet) Free() {
	p.Empty()
	pool.Put(p)
}

// Empty makes p as [NewPacket] returns it, for its owner to use again. A Packet is large, and only what its protocol uses
// can have been filled in.
func (p *Packet) Empty() {
	p.TCP.Buffer.Release()
	p.UDP.Buffer.Release()
	switch p.Proto {
	case TCP:
		p.TCP = Segment{}
	case UDP, UDPLite:
		p.UDP = Datagram{}
	default:
		*p = Packet{}
		return
	}
	p.Src, p.Dst, p.Proto, p.TTL, p.TOS, p.FlowLabel = netip.Addr{}, netip.Addr{}, 0, 0, 0, 0
	if p.Context != "" || p.Secure != nil || p.Opaque {
		p.Context, p.Secure, p.Opaque, p.Body = "", nil, false, nil
	}
}

// Clone returns a copy of p that shares its payload.
func (p *Packet) Clone() *Packet {
	c := NewPacket()
	*c = *p
	c.TCP.Buffer.Hold()
	c.UDP.Buffer.Hold()
	return c
}
