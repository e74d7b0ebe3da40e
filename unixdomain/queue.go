// SPDX-License-Identifier: Apache-2.0

package unixdomain

// queue is first in, first out. Its zero value is empty.
type queue[T any] struct {
	items []T
	first int // those before it have been taken
}

func (q *queue[T]) len() int { return len(q.items) - q.first }

func (q *queue[T]) add(x T) {
	if q.first > 0 && len(q.items) == cap(q.items) {
		// Make room at the end before growing; at least half of it must come free, or it would be done all too often.
		if q.first >= len(q.items)/2 {
			n := copy(q.items, q.items[q.first:])
			clear(q.items[n:])
			q.items, q.first = q.items[:n], 0
		}
	}
	q.items = append(q.items, x)
}

// take returns the first item, which must exist, and removes it.
func (q *queue[T]) take() T {
	var none T
	x := q.items[q.first]
	q.items[q.first] = none
	q.first++
	if q.first == len(q.items) {
		q.items, q.first = q.items[:0], 0
	}
	return x
}
