// SPDX-License-Identifier: Apache-2.0

package unixdomain

import (
	"math/bits"
	"sync"
)

// packetQueue is first in, first out. Its zero value is empty.
type packetQueue struct {
	first, last *packet
	len         int
}

func (q *packetQueue) add(p *packet) {
	if q.last != nil {
		q.last.next = p
	} else {
		q.first = p
	}
	q.last = p
	q.len++
}

// take removes the first packet, which must exist.
func (q *packetQueue) take() *packet {
	p := q.first
	q.first = p.next
	if q.first == nil {
		q.last = nil
	}
	p.next = nil
	q.len--
	return p
}

// Packets are used again, with their memory, of a power of two bytes between these two: what is sent would else be made
// of garbage. Larger ones are made to measure.
const (
	leastMemory = 256
	mostMemory  = 256 << 10
	memorySizes = 11 // of them
)

var idlePackets [memorySizes]sync.Pool

// memorySize returns which of the sizes n bytes need.
func memorySize(n int) int { return bits.Len(uint(max(n, 1)-1) / leastMemory) }

// newPacket returns a packet with room for n bytes of data.
func newPacket(n int) *packet {
	if n > mostMemory {
		return &packet{data: make([]byte, n)}
	}
	size := memorySize(n)
	p, ok := idlePackets[size].Get().(*packet)
	if !ok {
		p = &packet{data: make([]byte, leastMemory<<size)}
	}
	p.data = p.data[:n]
	return p
}

// free gives p and its data back for reuse. It must be in no queue.
func (p *packet) free() {
	memory := p.data[:cap(p.data)]
	*p = packet{data: memory}
	if len(memory) <= mostMemory {
		idlePackets[memorySize(len(memory))].Put(p)
	}
}
