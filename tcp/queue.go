// SPDX-License-Identifier: Apache-2.0

package tcp

import "dialtone/wire"

// queue holds bytes in chunks, in order. Bytes that were handed out are never written to again while anybody holds their
// buffer: a chunk only grows behind its end. The zero value is empty, and a drained queue holds no memory.
//
// The first chunk is kept in the queue itself, so that the common case, one chunk at a time, allocates nothing.
type queue struct {
	first chunk
	rest  *[]chunk // behind first; nil or not empty
	size  int      // bytes in all
}

// chunk is bytes, and the hold on the buffer they lie in.
type chunk struct {
	bytes  []byte
	buffer *wire.Buffer
}

const (
	// smallChunk is the size below which bytes are copied together instead of being queued by reference, so that a
	// peer that sends single bytes can't make us keep a packet for each.
	smallChunk = 512
	// growChunk is the least room of a chunk that was begun behind another one, for the small writes that may follow.
	growChunk = 2048
	// mostCopied is the most that is copied together to fill a segment. Where segments are larger (lo), one that ends
	// with its chunk costs less.
	mostCopied = 2048
)

// last returns the chunk at the end of a queue that is not empty.
func (q *queue) last() *chunk {
	if q.rest == nil {
		return &q.first
	}
	return &(*q.rest)[len(*q.rest)-1]
}

// push adds a chunk at the end, with the hold on its buffer. A capacity beyond its length is the queue's to fill.
func (q *queue) push(c chunk) {
	switch {
	case q.size == 0:
		q.first = c
	case q.rest == nil:
		q.rest = &[]chunk{c}
	default:
		*q.rest = append(*q.rest, c)
	}
	q.size += len(c.bytes)
}

// copyIn appends a copy of p, in chunks that grow to at most the given number of bytes.
func (q *queue) copyIn(p []byte, most int) {
	if len(p) > 0 && q.size > 0 {
		last := q.last()
		n := min(cap(last.bytes)-len(last.bytes), len(p))
		last.bytes = append(last.bytes, p[:n]...)
		q.size += n
		p = p[n:]
	}
	for len(p) > 0 {
		n := min(len(p), most)
		room := n
		if q.size > 0 { // who has written much will write more
			room = min(max(n, q.size, growChunk), most)
		}
		b, buffer := wire.Copy(p[:n], room)
		q.push(chunk{b[:n:min(cap(b), most)], buffer})
		p = p[n:]
	}
}

// adopt appends p itself, which lies in the given buffer, or a copy if it is small and not alone.
func (q *queue) adopt(p []byte, buffer *wire.Buffer) {
	if len(p) < smallChunk && q.size > 0 {
		q.copyIn(p, growChunk)
		return
	}
	buffer.Hold()
	q.push(chunk{p[:len(p):len(p)], buffer})
}

// drop removes the first n bytes, of which there must be as many.
func (q *queue) drop(n int) {
	if n == q.size {
		q.clear()
		return
	}
	q.size -= n
	for n >= len(q.first.bytes) {
		n -= len(q.first.bytes)
		q.first.buffer.Release()
		q.first = (*q.rest)[0]
		(*q.rest)[0] = chunk{}
		if *q.rest = (*q.rest)[1:]; len(*q.rest) == 0 {
			q.rest = nil
		}
	}
	q.first.bytes = q.first.bytes[n:]
}

// clear removes everything.
func (q *queue) clear() {
	q.first.buffer.Release()
	for _, c := range q.behind() {
		c.buffer.Release()
	}
	*q = queue{}
}

// copyOut copies from the offset on into p, and returns how many bytes.
func (q *queue) copyOut(p []byte, offset int) (n int) {
	chunk, behind := q.first, q.behind()
	for n < len(p) {
		if offset < len(chunk.bytes) {
			n += copy(p[n:], chunk.bytes[offset:])
		}
		offset = max(0, offset-len(chunk.bytes))
		if len(behind) == 0 {
			break
		}
		chunk, behind = behind[0], behind[1:]
	}
	return n
}

// behind returns the chunks after the first.
func (q *queue) behind() []chunk {
	if q.rest == nil {
		return nil
	}
	return *q.rest
}

// run returns the bytes from the offset on, as far as they lie in one chunk. The offset must be less than size.
func (q *queue) run(offset int) chunk {
	c, behind := q.first, q.behind()
	for offset >= len(c.bytes) {
		offset -= len(c.bytes)
		c, behind = behind[0], behind[1:]
	}
	c.bytes = c.bytes[offset:len(c.bytes):len(c.bytes)]
	return c
}

// slice returns n bytes from the offset on, or fewer where a chunk ends, but never fewer than whole: what is shorter
// than that is copied together. The chunk has a hold of its own.
func (q *queue) slice(offset, n, whole int) chunk {
	c := q.run(offset)
	if len(c.bytes) < min(n, whole) {
		b, buffer := wire.Copy(nil, min(n, whole))
		b = b[:min(n, whole)]
		return chunk{b[:q.copyOut(b, offset)], buffer}
	}
	c.buffer.Hold()
	c.bytes = c.bytes[:min(n, len(c.bytes)):min(n, len(c.bytes))]
	return c
}
