// SPDX-License-Identifier: Apache-2.0

package policydb

import (
	"iter"
	"math/bits"
	"slices"
)

// Bitmap is a sparse set of bit numbers: the kernel's ebitmap. The zero value is empty.
// It is never changed in place once it is part of a DB or a Context.
type Bitmap struct{ nodes []bitmapNode }

type bitmapNode struct {
	start uint32 // a multiple of 64
	bits  uint64 // not 0
}

func (b Bitmap) find(start uint32) (int, bool) {
	lo, hi := 0, len(b.nodes)
	for lo < hi {
		mid := (lo + hi) / 2
		if b.nodes[mid].start < start {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < len(b.nodes) && b.nodes[lo].start == start
}

// Has tells if bit is in the set.
func (b Bitmap) Has(bit uint32) bool {
	i, ok := b.find(bit &^ 63)
	return ok && b.nodes[i].bits>>(bit&63)&1 != 0
}

// Set adds bit.
func (b *Bitmap) Set(bit uint32) {
	i, ok := b.find(bit &^ 63)
	if !ok {
		b.nodes = slices.Insert(b.nodes, i, bitmapNode{start: bit &^ 63})
	}
	b.nodes[i].bits |= 1 << (bit & 63)
}

// Empty tells if no bit is set.
func (b Bitmap) Empty() bool { return len(b.nodes) == 0 }

// Equal tells if both hold the same bits.
func (b Bitmap) Equal(c Bitmap) bool { return slices.Equal(b.nodes, c.nodes) }

// Contains tells if every bit of c is in b.
func (b Bitmap) Contains(c Bitmap) bool {
	i := 0
	for _, n := range c.nodes {
		for i < len(b.nodes) && b.nodes[i].start < n.start {
			i++
		}
		if i == len(b.nodes) || b.nodes[i].start != n.start || n.bits&^b.nodes[i].bits != 0 {
			return false
		}
	}
	return true
}

// And gives the bits that are in both.
func (b Bitmap) And(c Bitmap) Bitmap {
	var r Bitmap
	for _, n := range b.nodes {
		if i, ok := c.find(n.start); ok && n.bits&c.nodes[i].bits != 0 {
			r.nodes = append(r.nodes, bitmapNode{n.start, n.bits & c.nodes[i].bits})
		}
	}
	return r
}

// Max gives the highest bit, and false for an empty set.
func (b Bitmap) Max() (uint32, bool) {
	if len(b.nodes) == 0 {
		return 0, false
	}
	last := b.nodes[len(b.nodes)-1]
	return last.start + uint32(bits.Len64(last.bits)) - 1, true
}

// All gives the bits in rising order.
func (b Bitmap) All() iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for _, n := range b.nodes {
			for w := n.bits; w != 0; w &= w - 1 {
				if !yield(n.start + uint32(bits.TrailingZeros64(w))) {
					return
				}
			}
		}
	}
}

// Len counts the bits.
func (b Bitmap) Len() int {
	n := 0
	for _, node := range b.nodes {
		n += bits.OnesCount64(node.bits)
	}
	return n
}
