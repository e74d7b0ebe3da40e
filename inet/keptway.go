// SPDX-License-Identifier: Apache-2.0

package inet

import "dialtone/errno"

// keptWay is the way that was found last: who sends much sends most of it the same way. It is forgotten when interfaces,
// addresses, routes or rules change.
type keptWay struct {
	query   query
	way     path
	changes uint64 // Stack.changes when it was found; 0: there is none
}

// lookUpAgain is lookUp for who keeps the way; it is in k then, unless there is an error.
func (s *Stack) lookUpAgain(k *keptWay, q *query) errno.Errno {
	if k.changes == s.changes && k.query == *q {
		return errno.OK
	}
	w, _, e := s.lookUp(*q)
	if e == errno.OK {
		*k = keptWay{*q, w, s.changes}
	}
	return e
}
