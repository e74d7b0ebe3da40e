// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"net/netip"

	"dialtone/errno"
	"dialtone/personality"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/trail"
	"dialtone/wire"
)

// The ICMP messages that the stack itself makes: type and code for IPv4 and IPv6 (RFC 792, RFC 4443).
type icmpKind struct{ type4, code4, type6, code6 uint8 }

var (
	icmpHostUnreachable = icmpKind{3, 1, 1, 3}
	icmpPortUnreachable = icmpKind{3, 3, 1, 4}
)

// of returns the kind's type and code for a packet's IP version.
func (k icmpKind) of(p *wire.Packet) (typ, code uint8) {
	if p.Is4() {
		return k.type4, k.code4
	}
	return k.type6, k.code6
}

// sendICMPError tells the sender of p that something is wrong with it. Errors about errors, and about packets that were
// not for one host, are not sent (RFC 1122, 3.2.2).
func (s *Stack) sendICMPError(p *wire.Packet, typ, code uint8, info uint32) {
	if p.IsError() || p.Dst.IsMulticast() || s.isBroadcast(p.Dst) {
		return
	}
	s.answer(p, func(a *wire.Packet) {
		a.Proto = wire.ICMP
		if !p.Is4() {
			a.Proto = wire.ICMPv6
		}
		a.ICMP = wire.Message{Type: typ, Code: code, Info: info, Quote: quote(p)}
	})
}

// quote returns what an error quotes of p: its headers.
func quote(p *wire.Packet) *wire.Packet {
	q := *p
	q.TCP.Payload, q.UDP.Payload = nil, nil
	return &q
}

// inputICMP takes a message in: errors go to the socket they are about, an echo is answered.
func (s *Stack) inputICMP(p *wire.Packet) {
	m := &p.ICMP
	switch {
	case p.IsError() && m.Quote != nil:
		s.deliverError(m.Quote, m.Type, m.Code, m.Info, p.Src, "")
	case p.Proto == wire.ICMP && m.Type == 8, p.Proto == wire.ICMPv6 && m.Type == 128:
		s.answer(p, func(a *wire.Packet) {
			a.Proto = p.Proto
			a.ICMP = wire.Message{Info: m.Info, Payload: m.Payload}
			if p.Proto == wire.ICMPv6 {
				a.ICMP.Type = 129
			}
		})
	}
}

// localError tells the socket that sent p of an error found on this host, as if an ICMP message had come.
func (s *Stack) localError(p *wire.Packet, kind icmpKind, why string) {
	typ, code := kind.of(p)
	s.deliverError(p, typ, code, 0, p.Src, why)
}

// heard is an ICMP error on its way to a socket.
type heard struct {
	meaning   personality.ICMPError
	typ, code uint8
	info      uint32
	is4       bool
	from      netip.Addr
	about     netip.AddrPort // whom the quoted packet was for
	why       string         // of a local error; empty: it came as a packet
	seq       uint32         // of the quoted TCP segment
}

// deliverError finds the socket that sent the quoted packet.
func (s *Stack) deliverError(q *wire.Packet, typ, code uint8, info uint32, from netip.Addr, why string) {
	table := s.core.Personality.ICMP6
	if q.Is4() {
		table = s.core.Personality.ICMP4
	}
	meaning, ok := table(typ, code)
	if !ok {
		return
	}
	local := netip.AddrPortFrom(q.Src, q.SrcPort())
	h := heard{meaning: meaning, typ: typ, code: code, info: info, is4: q.Is4(), from: from, why: why}
	h.about = netip.AddrPortFrom(q.Dst, q.DstPort())
	switch q.Proto {
	case wire.TCP:
		h.seq = q.TCP.Seq
		if c := s.connections[newTuple(local, h.about)]; c != nil {
			c.heard(&h)
		}
	case wire.UDP:
		if d := s.datagramFor(local, h.about); d != nil {
			d.heard(&h)
		}
	}
}

// record says in the trail what was heard.
func (h *heard) record(s *Stack, t *trail.Trail, decides bool) {
	if t == nil {
		return
	}
	add := t.Add
	if decides {
		add = t.Decide
	}
	if h.why != "" {
		add(s.core.Now(), trail.Neighbour, "%s: %s", h.why, h.meaning.Errno.Name())
		return
	}
	version := "ICMPv6"
	if h.is4 {
		version = "ICMP"
	}
	add(s.core.Now(), trail.Received, "%s type %d code %d (%s) from %v", version, h.typ, h.code, h.meaning.Errno.Name(), h.from)
}

// extended returns h as recv with MSG_ERRQUEUE gives it (ip(7), IP_RECVERR).
func (h *heard) extended() *socket.ExtendedError {
	x := &socket.ExtendedError{Errno: uint32(h.meaning.Errno), Type: h.typ, Code: h.code, Info: h.info}
	switch {
	case h.why != "":
		x.Origin = 1
	case h.is4:
		x.Origin = 2
	default:
		x.Origin = 3
	}
	x.Offender = sockaddr.Of(netip.AddrPortFrom(h.from, 0))
	return x
}

// errorQueue holds what recv(MSG_ERRQUEUE) will take.
type errorQueue struct {
	entries []queuedError
}

type queuedError struct {
	extended *socket.ExtendedError
	about    sockaddr.Addr
}

func (q *errorQueue) add(h *heard) {
	if len(q.entries) < 64 {
		q.entries = append(q.entries, queuedError{h.extended(), sockaddr.Of(h.about)})
	}
}

// recv is recv(MSG_ERRQUEUE).
func (q *errorQueue) recv(m *socket.Message) (int, errno.Errno) {
	if len(q.entries) == 0 {
		return 0, errno.EAGAIN
	}
	first := q.entries[0]
	q.entries = q.entries[1:]
	m.Extended, m.From = first.extended, first.about
	m.Out |= socket.MsgErrQueue
	return 0, errno.OK
}
