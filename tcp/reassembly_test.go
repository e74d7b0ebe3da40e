// SPDX-License-Identifier: Apache-2.0

package tcp

import (
	"bytes"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// naive is the reassembly as anyone would write it first: a byte for each number.
type naive map[uint32]byte

func (m naive) insert(seq uint32, data []byte) {
	for i, b := range data {
		if _, have := m[seq+uint32(i)]; !have {
			m[seq+uint32(i)] = b
		}
	}
}

func (m naive) take(next uint32) (out []byte) {
	for {
		b, have := m[next]
		if !have {
			return out
		}
		delete(m, next)
		out = append(out, b)
		next++
	}
}

// TestReassembly_naiveTwin: runs that overlap, repeat and contradict each other come out as from the naive one,
// also around the number 0.
func TestReassembly_naiveTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		next := rapid.SampledFrom([]uint32{0, 1 << 31, 1<<32 - 50}).Draw(t, "next")
		real, twin := new(reassembly), naive{}
		value := byte(0)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			offset := rapid.Uint32Range(1, 120).Draw(t, "offset") // the number next itself never comes here
			data := make([]byte, rapid.IntRange(0, 30).Draw(t, "length"))
			for i := range data {
				value++
				data[i] = value
			}
			real.insert(next+offset, chunk{bytes: data})
			twin.insert(next+offset, data)
			checkRuns(t, real, next)
			if rapid.IntRange(0, 3).Draw(t, "take") == 0 {
				// The first byte comes at last, by the caller's hand.
				n := rapid.Uint32Range(1, 20).Draw(t, "in order")
				for i := range n {
					delete(twin, next+i)
				}
				next += n
				var q queue
				end := real.take(&q, next)
				got := make([]byte, q.size)
				q.copyOut(got, 0)
				want := twin.take(next)
				if !bytes.Equal(got, want) || end != next+uint32(len(want)) {
					t.Fatalf("took %v up to %d, want %v", got, end, want)
				}
				next = end
			}
		}
	})
}

// checkRuns fails unless the runs are sorted, not empty and apart, and after next, and have tells their bytes.
func checkRuns(t *rapid.T, r *reassembly, next uint32) {
	size := 0
	for _, have := range r.runs {
		size += len(have.data)
	}
	if size != r.size {
		t.Fatalf("size %d, runs hold %d", r.size, size)
	}
	for i, have := range r.runs {
		if len(have.data) == 0 || !after(have.seq, next) {
			t.Fatalf("run %d at %d, length %d, next is %d", i, have.seq, len(have.data), next)
		}
		if i > 0 && before(have.seq, r.runs[i-1].end()) {
			t.Fatalf("runs %d and %d overlap", i-1, i)
		}
	}
	var want spans
	for _, run := range r.runs {
		if last := len(want) - 1; last >= 0 && want[last].to == run.seq {
			want[last].to = run.end()
		} else {
			want = append(want, span{run.seq, run.end()})
		}
	}
	if !slices.Equal(r.have, want) {
		t.Fatalf("have %v, want %v", r.have, want)
	}
}

// TestReassembly_bounded: a peer that sends every other byte fills a table of fixed size, and what is in it stays
// right.
func TestReassembly_bounded(t *testing.T) {
	var r reassembly
	for seq := uint32(1 << 20); seq > 0; seq -= 2 {
		r.insert(seq, chunk{bytes: []byte{byte(seq)}})
	}
	if len(r.runs) != maxRuns {
		t.Errorf("%d runs, want %d", len(r.runs), maxRuns)
	}
	r.insert(0, chunk{bytes: []byte{1, 2, 3}}) // would need two more
	if len(r.runs) != maxRuns {
		t.Errorf("%d runs, want %d", len(r.runs), maxRuns)
	}
}

// TestReassembly_large_kept: one lost segment doesn't make us drop what follows it in a large window.
func TestReassembly_large_kept(t *testing.T) {
	var r reassembly
	data := make([]byte, 1460)
	for i := range uint32(4 * maxRuns) {
		r.insert(1+i*1460, chunk{bytes: data})
	}
	var q queue
	if end := r.take(&q, 1); end != 1+4*maxRuns*1460 || r.size != 0 || !r.empty() {
		t.Errorf("kept up to %d, size %d", end, r.size)
	}
}

// TestQueue_naiveTwin: a queue gives what a plain slice gives, and what it has handed out never changes.
func TestQueue_naiveTwin(t *testing.T) {
	type loan struct{ got, want []byte }
	rapid.Check(t, func(t *rapid.T) {
		var q queue
		var twin []byte
		var loans []loan
		var others [][]byte
		value := byte(0)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			n := rapid.SampledFrom([]int{0, 1, 7, 100, smallChunk - 1, smallChunk, 3000, 9000}).Draw(t, "length")
			data := make([]byte, n, n+100)
			others = append(others, data[n:n+100]) // whoever gave the bytes may have more behind them
			for i := range data {
				value++
				data[i] = value
			}
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0:
				q.copyIn(data, rapid.SampledFrom([]int{1000, growChunk, 65160}).Draw(t, "most"))
				twin = append(twin, data...)
				clear(data) // it's the caller's again
			case 1:
				if len(data) > 0 {
					q.adopt(data, nil)
					twin = append(twin, data...)
				}
			case 2:
				n := min(len(data), len(twin))
				q.drop(n)
				twin = twin[n:]
			case 3:
				if len(twin) == 0 {
					break
				}
				offset := rapid.IntRange(0, len(twin)-1).Draw(t, "offset")
				n := rapid.IntRange(1, len(twin)-offset).Draw(t, "n")
				whole := rapid.SampledFrom([]int{1, 500, 1460}).Draw(t, "whole")
				got := q.slice(offset, n, whole).bytes
				if len(got) > n || len(got) < min(n, whole) {
					t.Fatalf("slice of %d, whole %d: %d bytes", n, whole, len(got))
				}
				loans = append(loans, loan{got, bytes.Clone(twin[offset : offset+len(got)])})
			}
			all := make([]byte, len(twin)+1)
			if n := q.copyOut(all, 0); n != len(twin) || !bytes.Equal(all[:n], twin) || q.size != len(twin) {
				t.Fatalf("queue holds %d bytes, size %d, want %d", n, q.size, len(twin))
			}
		}
		for _, o := range others {
			if !bytes.Equal(o, make([]byte, len(o))) {
				t.Fatal("wrote behind bytes that were given by reference")
			}
		}
		for _, l := range loans {
			if !bytes.Equal(l.got, l.want) {
				t.Fatal("bytes that were handed out changed")
			}
		}
	})
}

// TestQueue_small_copiedTogether: many single bytes don't cost a chunk each.
func TestQueue_small_copiedTogether(t *testing.T) {
	var q queue
	for range 1 << 16 {
		q.adopt([]byte{1}, nil)
	}
	if n := len(*q.rest); n > 1<<16/growChunk+1 {
		t.Errorf("%d chunks", n)
	}
	q.drop(q.size)
	if q.first.bytes != nil || q.rest != nil {
		t.Error("a drained queue holds memory")
	}
}
