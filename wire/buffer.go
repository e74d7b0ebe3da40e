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

// The sizes: a datagram or segment of an Ethernet packet, and what one segment carries at most.
var smallBuffers, largeBuffers = sizeClass{bytes: 2048}, sizeClass{bytes: MaxText}

// NewBuffer returns a buffer for n bytes, or nil if memory of that size is not worth keeping.
func NewBuffer(n int) *Buffer {
	size := &largeBuffers
	switch {
	case n < 256 || n > smallBuffers.bytes && n < largeBuffers.bytes/4 || n > largeBuffers.bytes:
		return nil
	case n <= smallBuffers.bytes:
		size = &smallBuffers
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
