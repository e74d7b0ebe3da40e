// SPDX-License-Identifier: Apache-2.0

package policydb

import (
	"encoding/binary"
	"fmt"
)

// Error tells where a binary policy is wrong.
type Error struct {
	Section string // which table of the file
	Offset  int    // bytes from the file's start at which the bad item begins
	Reason  string
}

func (e *Error) Error() string {
	return fmt.Sprintf("policy: %s at offset %d: %s", e.Section, e.Offset, e.Reason)
}

// reader takes little-endian items from data. After the first error all items are zero and all counts are 0, so
// that loops end; err is looked at once in a while.
type reader struct {
	data    []byte
	off     int
	section string
	version uint32
	err     error
}

func (r *reader) failAt(off int, format string, args ...any) {
	if r.err == nil {
		r.err = &Error{r.section, off, fmt.Sprintf(format, args...)}
	}
}

// take gives the next n bytes.
func (r *reader) take(n int, what string) []byte {
	if r.err != nil {
		return nil
	}
	if n > len(r.data)-r.off {
		r.failAt(r.off, "the file ends inside %s", what)
		return nil
	}
	b := r.data[r.off : r.off+n]
	r.off += n
	return b
}

func (r *reader) u32(what string) uint32 {
	if b := r.take(4, what); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (r *reader) u64(what string) uint64 {
	if b := r.take(8, what); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// count takes the number of items that follow, each of which has at least size bytes. It fails if the rest of the
// file cannot hold them, so that nothing is allocated for items that are not there.
func (r *reader) count(size int, what string) int {
	off := r.off
	n := r.u32("the number of " + what)
	return r.fits(off, n, size, what)
}

func (r *reader) fits(off int, n uint32, size int, what string) int {
	if r.err == nil && uint64(n)*uint64(size) > uint64(len(r.data)-r.off) {
		r.failAt(off, "%d %s do not fit into the %d bytes left", n, what, len(r.data)-r.off)
	}
	if r.err != nil {
		return 0
	}
	return int(n)
}

// str takes n bytes as a string.
func (r *reader) str(n uint32, what string) string {
	if n == 0 {
		r.failAt(r.off, "%s is empty", what)
	}
	if uint64(n) > uint64(len(r.data)-r.off) {
		r.failAt(r.off, "the file ends inside %s", what)
	}
	if r.err != nil {
		return ""
	}
	return string(r.take(int(n), what))
}

// lenStr takes a string preceded by its length.
func (r *reader) lenStr(what string) string { return r.str(r.u32("the length of "+what), what) }

// value takes the value of a symbol, 1 to limit.
func (r *reader) value(limit int, what string) uint32 {
	off := r.off
	v := r.u32(what)
	r.checkValue(off, v, limit, what)
	return v
}

func (r *reader) checkValue(off int, v uint32, limit int, what string) {
	if r.err == nil && (v == 0 || uint64(v) > uint64(limit)) {
		r.failAt(off, "%s has the value %d, outside 1 to %d", what, v, limit)
	}
}

// bitmap takes an ebitmap whose bits are below limit.
func (r *reader) bitmap(limit int, what string) Bitmap {
	off := r.off
	mapSize, highBit := r.u32(what), r.u32(what)
	n := r.count(12, "nodes of "+what)
	if r.err != nil {
		return Bitmap{}
	}
	if mapSize != 64 {
		r.failAt(off, "%s has map units of %d bits, not 64", what, mapSize)
		return Bitmap{}
	}
	if n == 0 {
		if highBit != 0 {
			r.failAt(off, "%s is empty but has the high bit %d", what, highBit)
		}
		return Bitmap{}
	}
	nodes := make([]bitmapNode, n)
	for i := range nodes {
		at := r.off
		start, bits := r.u32(what), r.u64(what)
		switch {
		case start%64 != 0:
			r.failAt(at, "%s has a node at bit %d, which is no multiple of 64", what, start)
		case i > 0 && start <= nodes[i-1].start:
			r.failAt(at, "%s has a node at bit %d out of order", what, start)
		case bits == 0:
			r.failAt(at, "%s has a node without bits", what)
		}
		nodes[i] = bitmapNode{start, bits}
	}
	b := Bitmap{nodes}
	if last := nodes[n-1].start; r.err == nil && (highBit < 64 || highBit-64 != last) {
		r.failAt(off, "%s has the high bit %d, but its last node starts at %d", what, highBit, last)
	}
	if top, _ := b.Max(); r.err == nil && uint64(top) >= uint64(limit) {
		r.failAt(off, "%s holds bit %d, beyond the last value", what, top)
	}
	if r.err != nil {
		return Bitmap{}
	}
	return b
}
