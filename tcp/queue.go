// SPDX-License-Identifier: Apache-2.0

package tcp

// queue holds bytes in chunks, in order. Bytes that were handed out are never written to again: a chunk only grows
// behind its end. The zero value is empty, and a drained queue holds no memory.
//
// The first chunk is kept in the queue itself, so that the common case, one chunk at a time, allocates nothing.
type queue struct {
	first []byte
	rest  *[][]byte // behind first; nil or not empty
	size  int       // bytes in all
}

const (
	// smallChunk is the size below which bytes are copied together instead of being queued by reference, so that a
	// peer that sends single bytes can't make us keep a packet for each.
	smallChunk = 512
	// growChunk is the room of a chunk that was begun behind another one, for the small writes that may follow.
	growChunk = 4096
)

// last returns the chunk at the end of a queue that is not empty.
func (q *queue) last() *[]byte {
	if q.rest == nil {
		return &q.first
	}
	return &(*q.rest)[len(*q.rest)-1]
}

// push adds a chunk at the end. A capacity beyond its length is the queue's to fill.
func (q *queue) push(chunk []byte) {
	switch {
	case q.size == 0:
		q.first = chunk
	case q.rest == nil:
		q.rest = &[][]byte{chunk}
	default:
		*q.rest = append(*q.rest, chunk)
	}
	q.size += len(chunk)
}

// copyIn appends a copy of p.
func (q *queue) copyIn(p []byte) {
	if len(p) == 0 {
		return
	}
	if q.size == 0 {
		q.push(append([]byte(nil), p...))
		return
	}
	last := q.last()
	n := min(cap(*last)-len(*last), len(p))
	*last = append(*last, p[:n]...)
	q.size += n
	if p = p[n:]; len(p) > 0 {
		q.push(append(make([]byte, 0, max(len(p), growChunk)), p...))
	}
}

// adopt appends p itself, or a copy if it is small and not alone.
func (q *queue) adopt(p []byte) {
	if len(p) < smallChunk && q.size > 0 {
		q.copyIn(p)
		return
	}
	q.push(p[:len(p):len(p)])
}

// drop removes the first n bytes, of which there must be as many.
func (q *queue) drop(n int) {
	q.size -= n
	if q.size == 0 {
		*q = queue{}
		return
	}
	for n >= len(q.first) {
		n -= len(q.first)
		q.first = (*q.rest)[0]
		(*q.rest)[0] = nil
		if *q.rest = (*q.rest)[1:]; len(*q.rest) == 0 {
			q.rest = nil
		}
	}
	q.first = q.first[n:]
}

// copyOut copies from the offset on into p, and returns how many bytes.
func (q *queue) copyOut(p []byte, offset int) (n int) {
	chunk, behind := q.first, q.behind()
	for n < len(p) {
		if offset < len(chunk) {
			n += copy(p[n:], chunk[offset:])
		}
		offset = max(0, offset-len(chunk))
		if len(behind) == 0 {
			break
		}
		chunk, behind = behind[0], behind[1:]
	}
	return n
}

// behind returns the chunks after the first.
func (q *queue) behind() [][]byte {
	if q.rest == nil {
		return nil
	}
	return *q.rest
}

// run returns the bytes from the offset on, as far as they lie in one chunk. The offset must be less than size.
func (q *queue) run(offset int) []byte {
	if offset < len(q.first) {
		return q.first[offset:len(q.first):len(q.first)]
	}
	offset -= len(q.first)
	for _, chunk := range q.behind() {
		if offset < len(chunk) {
			return chunk[offset:len(chunk):len(chunk)]
		}
		offset -= len(chunk)
	}
	panic("tcp: offset beyond the queue")
}

// slice returns n bytes from the offset on, or fewer where a chunk ends, but never fewer than whole: what is shorter
// than that is copied together.
func (q *queue) slice(offset, n, whole int) []byte {
	b := q.run(offset)
	if len(b) >= n {
		return b[:n:n]
	}
	if len(b) >= whole {
		return b
	}
	b = make([]byte, min(n, whole))
	return b[:q.copyOut(b, offset)]
}
