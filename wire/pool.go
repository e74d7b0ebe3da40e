// SPDX-License-Identifier: Apache-2.0

package wire

import "sync"

var pool = sync.Pool{New: func() any { return new(Packet) }}

// NewPacket returns an empty packet. Its owner passes it on, or gives it back with [Packet.Free].
func NewPacket() *Packet { return pool.Get().(*Packet) }

// Free gives p back for reuse. Only its owner may call it, once; a quoted packet is not freed with it.
func (p *Packet) Free() {
	p.TCP.Buffer.Release()
	p.UDP.Buffer.Release()
	*p = Packet{}
	pool.Put(p)
}

// Clone returns a copy of p that shares its payload.
func (p *Packet) Clone() *Packet {
	c := NewPacket()
	*c = *p
	c.TCP.Buffer.Hold()
	c.UDP.Buffer.Hold()
	return c
}
