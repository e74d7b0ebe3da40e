// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"dialtone/socket"

	"golang.org/x/sys/unix"
)

// asides are the control messages that datagrams come with, by number: those
// that many have alike, such as addresses and TTLs. A number goes in the name of
// the datagram's sender, which costs nothing; what differs from one datagram to
// the next, such as times, travels in an envelope. The supervisor's lock guards
// them.
type asides struct {
	numbers map[string]int // by what envelopes have of them
	known   [][]socket.ControlMessage
}

// maxAsides bounds how many are known, for good: there may be datagrams under
// way with each.
const maxAsides = 1024

// number returns the number of some control messages, 0 if there are none; ok is
// false if they have no number.
func (as *asides) number(control []socket.ControlMessage) (n int, ok bool) {
	if len(control) == 0 {
		return 0, true
	}
	for _, c := range control {
		if c.Level == unix.SOL_SOCKET {
			return 0, false
		}
	}
	text := string(appendControl(nil, control))
	n, ok = as.numbers[text]
	if !ok && len(as.known) < maxAsides {
		if as.numbers == nil {
			as.numbers = map[string]int{}
		}
		as.known = append(as.known, control)
		n, ok = len(as.known), true
		as.numbers[text] = n
	}
	return n, ok
}

// control returns the control messages that have a number.
func (as *asides) control(n int) []socket.ControlMessage {
	if n < 1 || n > len(as.known) {
		return nil
	}
	return as.known[n-1]
}
