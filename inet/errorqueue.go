// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"bytes"
	"net/netip"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/wire"
)

// errorQueue holds what recv(MSG_ERRQUEUE) will take (ip(7), IP_RECVERR).
type errorQueue struct {
	entries []queuedError
}

type queuedError struct {
	extended *socket.ExtendedError
	about    sockaddr.Addr
	data     []byte
	control  []socket.ControlMessage
}

// maxQueuedErrors bounds the queue. Linux counts its bytes in SO_RCVBUF.
const maxQueuedErrors = 64

// Origins of errors (SO_EE_ORIGIN_LOCAL, SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6).
const (
	originLocal = 1
	originICMP  = 2
	originICMP6 = 3
)

// empty reports whether q holds nothing; nil is empty.
func (q *errorQueue) empty() bool { return q == nil || len(q.entries) == 0 }

// add queues an error for a socket of the given family, with the control messages that it comes with.
func (q *errorQueue) add(h *heard, family sockaddr.Family, control []socket.ControlMessage) {
	if len(q.entries) >= maxQueuedErrors {
		return
	}
	x := &socket.ExtendedError{Errno: uint32(h.meaning.Errno), Origin: originICMP6, Type: h.typ, Code: h.code, Info: h.info}
	if h.is4 {
		x.Origin = originICMP
	}
	x.Offender = addr(family, netip.AddrPortFrom(h.from, 0))
	about := addr(family, netip.AddrPortFrom(h.about.Dst, h.about.DstPort()))
	q.entries = append(q.entries, queuedError{x, about, h.data(), control})
}

// addLocal queues an error that no message has brought, about what was to go to an address. Who reported it is all zeros.
func (q *errorQueue) addLocal(e errno.Errno, info uint32, about sockaddr.Addr) {
	if len(q.entries) < maxQueuedErrors {
		x := &socket.ExtendedError{Errno: uint32(e), Origin: originLocal, Info: info}
		x.Offender.Name = string(make([]byte, fullLen(about.Family)-sockaddr.LenFamily))
		q.entries = append(q.entries, queuedError{extended: x, about: about})
	}
}

// data is what an error says of the packet it is about: of UDP the payload, of other protocols all that IP carried
// (ip_icmp_error).
func (h *heard) data() []byte {
	if h.about.Proto == wire.UDP || h.about.Proto == wire.UDPLite {
		return bytes.Clone(h.about.UDP.Payload)
	}
	return carried(h.about)
}

// recv is recv(MSG_ERRQUEUE) on s: the oldest entry. With it goes the pending error, if ICMP brought it; the next
// entry's takes its place (sock_dequeue_err_skb).
func (q *errorQueue) recv(s *socket.Socket, m *socket.Message) (int, errno.Errno) {
	if q.empty() {
		return 0, errno.EAGAIN
	}
	first := q.entries[0]
	if q.entries = q.entries[1:]; len(q.entries) == 0 {
		q.entries = nil
	}
	switch {
	case len(q.entries) > 0 && q.entries[0].extended.Origin != originLocal:
		s.SetError(errno.Errno(q.entries[0].extended.Errno))
	case first.extended.Origin != originLocal:
		s.TakeError()
	}
	n := copy(m.Data, first.data)
	if n < len(first.data) {
		m.Out |= socket.MsgTrunc
	}
	m.Size, m.Extended, m.From, m.Control = len(first.data), first.extended, first.about, first.control
	m.Out |= socket.MsgErrQueue
	return n, errno.OK
}
