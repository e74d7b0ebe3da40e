// SPDX-License-Identifier: Apache-2.0

package tcp

import "slices"

// span is the bytes from a number up to, but without, another.
type span struct{ from, to uint32 }

func (s span) size() uint32 { return s.to - s.from }

// spans is a set of bytes: sorted spans that don't touch. Its zero value is empty.
type spans []span

// reaching returns the index of the first span that ends at seq or later.
func (all spans) reaching(seq uint32) int {
	i, _ := slices.BinarySearchFunc(all, seq, func(s span, seq uint32) int { return int(int32(s.to - seq)) })
	return i
}

// add puts n to the others, and reports whether any of it is new. With as many spans as most it takes in only what
// touches one of them.
func (all *spans) add(n span, most int) bool {
	i := all.reaching(n.from)
	j := i // (*all)[i:j] touch n
	for ; j < len(*all) && beforeEq((*all)[j].from, n.to); j++ {
		have := (*all)[j]
		if beforeEq(have.from, n.from) && beforeEq(n.to, have.to) {
			return false
		}
		if before(have.from, n.from) {
			n.from = have.from
		}
		if after(have.to, n.to) {
			n.to = have.to
		}
	}
	if i == j && len(*all) >= most {
		return false
	}
	*all = slices.Replace(*all, i, j, n)
	return true
}

// cut drops the bytes before seq.
func (all *spans) cut(seq uint32) {
	*all = slices.Delete(*all, 0, all.reaching(seq+1))
	if len(*all) > 0 && before((*all)[0].from, seq) {
		(*all)[0].from = seq
	}
}

// of returns the span that has the byte seq.
func (all spans) of(seq uint32) (s span, ok bool) {
	if i := all.reaching(seq + 1); i < len(all) && beforeEq(all[i].from, seq) {
		return all[i], true
	}
	return span{}, false
}

// below returns how many bytes before seq are in the set.
func (all spans) below(seq uint32) (n uint32) {
	for _, s := range all {
		if before(s.from, seq) {
			n += min(s.size(), seq-s.from)
		}
	}
	return n
}

// size returns how many bytes are in the set.
func (all spans) size() (n uint32) {
	for _, s := range all {
		n += s.size()
	}
	return n
}
