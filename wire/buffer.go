// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"sync"
	"sync/atomic"
)

// MaxText is the largest payload of a TCP segment, in bytes: an IPv4 packet less both headers with all their options.
const MaxText = 65535 - 60 - 20

// Buffer is memory for payloads that is used again once nobody holds it. Who makes it holds it; whoever keeps a payload
// that lies in it longer than the packet it came in holds it too, and each lets go once. A payload with no buffer (nil)
// is the garbage collector's, and so is one that somebody forgot to release.
type Buffer struct {
	memory []byte
	size   *sizeClass
	holds  atomic.Int32
}

type sizeClass struct {
	bytes int
	free  sync.Pool
}

// The sizes: a short message, a datagram or segment of an Ethernet packet, a few of them, and what one segment carries at
// most.
var sizes = [...]*sizeClass{{bytes: 256}, {bytes: 2 << 10}, {bytes: 16 << 10}, {bytes: MaxText}}

// leastBuffer is the size, in bytes, below which memory is not worth keeping.
const leastBuffer = 64

// NewBuffer returns a buffer for n bytes, or nil if memory of that size is not worth keeping.
func NewBuffer(n int) *Buffer {
	if n < leastBuffer || n > MaxText {
		return nil
	}
	size := sizes[0]
	for i := 1; n > size.bytes; i++ {
		size = sizes[i]
	}
	b, ok := size.free.Get().(*Buffer)
	if !ok {
		b = &Buffer{memory: make([]byte, size.bytes), size: size}
	}
	b.holds.Store(1)
	return b
}

// Copy returns a copy of p, in a buffer or nil. A capacity beyond its length is its owner's to fill; it is at least room.
func Copy(p []byte, room int) ([]byte, *Buffer) {
	room = max(room, len(p))
	b := NewBuffer(room)
	if b == nil {
		return append(make([]byte, 0, room), p...), nil
	}
	return b.memory[:copy(b.memory, p)], b
}

// Hold keeps the buffer, if there is one, until one more Release.
func (b *Buffer) Hold() {
	if b != nil {
		b.holds.Add(1)
	}
}

// Release lets the buffer go, if there is one. The last one gives it back for reuse.
func (b *Buffer) Release() {
	if b == nil {
		return
	}
	switch left := b.holds.Add(-1); {
	case left == 0:
		b.size.free.Put(b)
	case left < 0:
		panic("wire: a buffer was released more often than held")
	}
}
