// SPDX-License-Identifier: Apache-2.0

package inet

// fifo is a queue. One that is drained keeps its memory, unless it has been long: what comes and goes one by one
// allocates nothing.
type fifo[T any] struct {
	items []T
	head  int // of the first; those before it are zero
}

// keptItems is how many places a drained queue keeps.
const keptItems = 64

func (q *fifo[T]) len() int { return len(q.items) - q.head }

// all returns the items, first come first; they are the queue's.
func (q *fifo[T]) all() []T { return q.items[q.head:] }

// first returns the first item, of which there must be one. It is the queue's, until something is pushed or popped.
func (q *fifo[T]) first() *T { return &q.items[q.head] }

func (q *fifo[T]) push(item T) {
	if q.head > 0 && len(q.items) == cap(q.items) {
		kept := copy(q.items, q.items[q.head:])
		clear(q.items[kept:])
		q.items, q.head = q.items[:kept], 0
	}
	q.items = append(q.items, item)
}

// pop removes the first item, of which there must be one.
func (q *fifo[T]) pop() {
	var none T
	q.items[q.head] = none
	if q.head++; q.head < len(q.items) {
		return
	}
	if cap(q.items) > keptItems {
		*q = fifo[T]{}
		return
	}
	q.items, q.head = q.items[:0], 0
}
