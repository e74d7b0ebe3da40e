// SPDX-License-Identifier: Apache-2.0

package tcp

import (
	"math"
	"slices"

	"dialtone/wire"
)

// reassembly holds the runs that came before their turn: sorted, without overlap, all after the next byte expected.
type reassembly struct {
	runs   []run
	have   spans  // the bytes of all runs
	size   int    // how many these are
	fin    uint32 // the sequence number of a FIN that came early; meaningful with hasFIN
	hasFIN bool

	recent  [4]uint32 // numbers of bytes that came last, the newest first, each in another span (RFC 2018, 4)
	recents uint8     // how many of recent are in use
}

// run is bytes in a row, seq being the number of the first.
type run struct {
	seq    uint32
	data   []byte
	buffer *wire.Buffer // held; nil: none
}

func (r run) end() uint32 { return r.seq + uint32(len(r.data)) }

// maxRuns bounds how many runs a peer can make us keep that are small on average; of larger ones the window holds only
// so many. What finds no place is dropped, and will be sent again.
const maxRuns = 512

// insert takes the bytes from seq on. Where there are bytes already, these stay: whatever came first is right.
func (r *reassembly) insert(seq uint32, text chunk) {
	data := text.bytes
	// The first run that ends at seq or later: everything before it is out of reach.
	i, _ := slices.BinarySearchFunc(r.runs, seq, func(have run, seq uint32) int {
		return int(int32(have.end() - seq))
	})
	for len(data) > 0 {
		if i < len(r.runs) && beforeEq(r.runs[i].seq, seq) {
			// Skip what is there already.
			if have := r.runs[i]; after(have.end(), seq) {
				n := min(int(have.end()-seq), len(data))
				seq += uint32(n)
				data = data[n:]
			}
			i++
			continue
		}
		n := len(data)
		if i < len(r.runs) {
			n = min(n, int(r.runs[i].seq-seq))
		}
		if len(r.runs) >= maxRuns && r.size/len(r.runs) < smallChunk {
			return
		}
		text.buffer.Hold()
		r.runs = slices.Insert(r.runs, i, run{seq, data[:n:n], text.buffer})
		r.have.add(span{seq, seq + uint32(n)}, math.MaxInt) // no more spans than runs
		r.size += n
		i++
		seq += uint32(n)
		data = data[n:]
	}
}

// note remembers that the byte seq is the last that came.
func (r *reassembly) note(seq uint32) {
	fresh, _ := r.have.of(seq)
	kept := [4]uint32{seq}
	n := uint8(1)
	for _, old := range r.recent[:r.recents] {
		if s, ok := r.have.of(old); ok && s != fresh && int(n) < len(kept) {
			kept[n] = old
			n++
		}
	}
	r.recent, r.recents = kept, n
}

// report writes the spans that came last, most of them at most, into the option.
func (r *reassembly) report(o *wire.Options, most int) {
	for _, seq := range r.recent[:r.recents] {
		if s, ok := r.have.of(seq); ok && int(o.SACKBlocks) < most {
			o.SACK[o.SACKBlocks] = wire.SACKBlock{Left: s.from, Right: s.to}
			o.SACKBlocks++
		}
	}
}

// tellGaps adds what came before its turn to an acknowledgement (RFC 2018, 4). With text there is no room for it, so an
// acknowledgement that is due still goes out by itself.
func (c *Conn) tellGaps(out *wire.Segment) {
	if len(out.Payload) > 0 {
		return
	}
	most := len(out.Options.SACK)
	if out.Options.HasTimestamps {
		most-- // 40 bytes are for all options
	}
	c.later.report(&out.Options, most)
	c.notes &^= owesACK
}

// take moves the bytes whose turn has come into q, next being the number of the first wanted, and returns the number
// after them.
func (r *reassembly) take(q *queue, next uint32) uint32 {
	n := 0
	for _, have := range r.runs {
		if after(have.seq, next) {
			break
		}
		if after(have.end(), next) {
			q.adopt(have.data[next-have.seq:], have.buffer)
			next = have.end()
		}
		have.buffer.Release() // the queue has a hold of its own
		r.size -= len(have.data)
		n++
	}
	r.runs = slices.Delete(r.runs, 0, n)
	r.have.cut(next)
	return next
}

// empty reports whether nothing is kept.
func (r *reassembly) empty() bool { return len(r.runs) == 0 && !r.hasFIN }
