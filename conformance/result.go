// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"fmt"
	"strconv"
	"strings"
)

// The functions of this file write the values of answers, so that all arms write them alike.

// Number is the value of a call that returns a count.
func Number(n int) string { return strconv.Itoa(n) }

// Received is the value of recv(2).
func Received(data []byte) string { return strconv.Quote(string(data)) }

// ReceivedFrom is the value of recvfrom(2) and recvmsg(2). from is an address as [AddressText] writes it.
func ReceivedFrom(data []byte, from string) string { return Received(data) + " from " + from }

// QueuedError is the value of recvmsg(2) with MSG_ERRQUEUE: the data that was sent, where it was sent to, and what
// struct sock_extended_err says. offender is the address of who sent the ICMP message.
func QueuedError(data []byte, to string, errno, typ, code int, offender string) string {
	return fmt.Sprintf("%s to %s, %s %d/%d by %s", Received(data), to, ErrnoName(errno), typ, code, offender)
}

// PollEvents is the value of poll(2): the revents, "0" if it timed out.
func PollEvents(revents int) string { return pollEvents.text(revents) }

// EpollEvents is the value of epoll_wait(2) for one descriptor of those it reports, by its name in the script; join
// several with blanks.
func EpollEvents(name string, events int) string { return name + ":" + epollEvents.text(events) }

// SelectSets is the value of select(2) for one descriptor that is in all three sets.
func SelectSets(readable, writable, exceptional bool) string {
	var sets []string
	for i, in := range []bool{readable, writable, exceptional} {
		if in {
			sets = append(sets, []string{"read", "write", "except"}[i])
		}
	}
	if sets == nil {
		return "0"
	}
	return strings.Join(sets, "|")
}

// State is the value of "state": a look at a socket that consumes nothing. revents are those of poll(2) for
// IN|PRI|OUT|RDHUP at once; name and peer are what getsockname(2) and getpeername(2) say, an address or an errno; tcp
// is the TCP state, "" for sockets that have none.
func State(revents int, name, peer, tcp string) string {
	s := fmt.Sprintf("%s, %s -> %s", PollEvents(revents), name, peer)
	if tcp != "" {
		s += ", " + tcp
	}
	return s
}

// text is the answer as scripts write it. A failing getsockopt(2) is marked, because the value of SO_ERROR is an
// errno too.
func (r Result) text(call string) string {
	switch {
	case r.Errno != "" && call == "getsockopt":
		return "-1 " + r.Errno
	case r.Errno != "":
		return r.Errno
	case r.Value == "":
		return "0"
	}
	return r.Value
}
