// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"bytes"
	"net/netip"

	"dialtone/errno"
	"dialtone/personality"
	"dialtone/trail"
	"dialtone/wire"
)

// The ICMP messages that the stack itself makes: type and code for IPv4 and IPv6 (RFC 792, RFC 4443).
type icmpKind struct{ type4, code4, type6, code6 uint8 }

var (
	icmpHostUnreachable = icmpKind{3, 1, 1, 3}
	icmpPortUnreachable = icmpKind{3, 3, 1, 4}
	icmpNoProtocol      = icmpKind{3, 2, 4, 1}
)

// of returns the kind's type and code for a packet's IP version.
func (k icmpKind) of(p *wire.Packet) (typ, code uint8) {
	if p.Is4() {
		return k.type4, k.code4
	}
	return k.type6, k.code6
}

// sendICMPError tells the sender of p, which came by in, that something is wrong with it. Errors about errors, and about
// packets that were not for one host, are not sent (RFC 1122, 3.2.2).
func (s *Stack) sendICMPError(p *wire.Packet, in *Interface, typ, code uint8, info uint32) {
	if p.IsError() || p.Dst.IsMulticast() || s.isBroadcast(p.Dst) {
		return
	}
	s.answer(p, in, func(a *wire.Packet) {
		a.Proto = wire.ICMP
		if !p.Is4() {
			a.Proto = wire.ICMPv6
		}
		a.ICMP = wire.Message{Type: typ, Code: code, Info: info, Quote: quote(p)}
	})
}

// quote returns what an error quotes of p: all of it. Its payload is a copy: nobody says when an error is done with.
func quote(p *wire.Packet) *wire.Packet {
	q := *p
	q.TCP.Payload, q.TCP.Buffer = bytes.Clone(p.TCP.Payload), nil
	q.UDP.Payload, q.UDP.Buffer = bytes.Clone(p.UDP.Payload), nil
	return &q
}

// inputICMP takes a message in: errors go to the socket they are about, an echo is answered.
func (s *Stack) inputICMP(p *wire.Packet, in *Interface) {
	m := &p.ICMP
	switch {
	case (p.Proto == wire.ICMP) != p.Is4(): // the other version's
	case p.IsError() && m.Quote != nil && quotesEnough(m.Quote):
		s.deliverError(m.Quote, heard{typ: m.Type, code: m.Code, info: m.Info, from: p.Src, to: p.Dst, ttl: p.TTL, tos: p.TOS, by: in})
	case m.Type == echoRequest(p.Proto):
		if s.isBroadcast(p.Dst) || p.Is4() && p.Dst.IsMulticast() {
			return // net.ipv4.icmp_echo_ignore_broadcasts, on by default
		}
		s.answer(p, in, func(a *wire.Packet) {
			a.Proto = p.Proto
			a.ICMP = wire.Message{Type: echoReply(p.Proto), Info: m.Info, Payload: m.Payload}
		})
	case m.Type == echoReply(p.Proto):
		s.inputEcho(p, in)
	}
}

// echoRequest and echoReply are the types of an echo in ICMP and ICMPv6 (RFC 792, RFC 4443).
func echoRequest(p wire.Protocol) uint8 {
	if p == wire.ICMP {
		return 8
	}
	return 128
}

func echoReply(p wire.Protocol) uint8 {
	if p == wire.ICMP {
		return 0
	}
	return 129
}

// quotesEnough reports whether an error says enough of the packet it is about: 8 bytes of what that carried (RFC 792), which
// only the packets of other protocols may lack (icmp_socket_deliver).
func quotesEnough(q *wire.Packet) bool {
	switch q.Proto {
	case wire.TCP, wire.UDP, wire.UDPLite, wire.ICMP, wire.ICMPv6:
		return true
	}
	return len(q.Body) >= 8
}

// localError tells the socket that sent p of an error e found on this host, as if an ICMP message had come.
func (s *Stack) localError(p *wire.Packet, kind icmpKind, e errno.Errno, why string) {
	typ, code := kind.of(p)
	s.deliverError(p, heard{typ: typ, code: code, from: p.Src, to: p.Src, ttl: s.hopLimit(p.Is4()), by: s.interfaces[0], why: why, instead: e})
}

// heard is an ICMP error on its way to a socket.
type heard struct {
	meaning   personality.ICMPError
	typ, code uint8
	info      uint32
	is4       bool
	from, to  netip.Addr
	ttl, tos  uint8
	by        *Interface   // it came in by
	about     *wire.Packet // the quoted packet
	why       string       // of a local error; empty: it came as a packet
	instead   errno.Errno  // of a local error, for the table's
}

// deliverError finds the socket that sent the quoted packet. A local error comes by the loopback, like the ICMP message
// that Linux sends itself.
func (s *Stack) deliverError(q *wire.Packet, h heard) {
	h.is4, h.about = q.Is4(), q
	table := s.core.Personality.ICMP6
	if h.is4 {
		table = s.core.Personality.ICMP4
	}
	var ok bool
	if h.meaning, ok = table(h.typ, h.code); !ok {
		return
	}
	if h.instead != errno.OK {
		h.meaning.Errno = h.instead
	}
	local, remote := netip.AddrPortFrom(q.Src, q.SrcPort()), netip.AddrPortFrom(q.Dst, q.DstPort())
	switch q.Proto {
	case wire.TCP:
		if c := s.connections.find(local, remote); c != nil && c.hears(h.over(!h.is4), local.Addr()) {
			c.heard(&h)
		}
	case wire.UDP, wire.UDPLite:
		if d := s.udp(q.Proto).receiver(local, remote, h.over(h.is4)); d != nil {
			d.heard(&h)
		}
	case wire.ICMP, wire.ICMPv6:
		if q.ICMP.Type != echoRequest(q.Proto) {
			break
		}
		if d := s.pinging(q.Src, uint16(q.ICMP.Info>>16), h.by); d != nil {
			d.heard(&h)
		}
	}
	for _, r := range s.raws {
		if r.hears(q.Proto, q.Src, q.Dst, h.over(h.is4)) {
			r.heard(&h)
		}
	}
}

// over returns the interface by which the error counts as come. Where device is set that is the one of the message itself:
// one that the host has sent to itself came by lo, whoever it is for (tcp_v6_err, __udp4_lib_err, raw_icmp_error).
func (h *heard) over(device bool) *Interface {
	if device && h.by.loopback {
		return h.by.stack.cameBy(h.by.stack.interfaces[0])
	}
	return h.by
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
	add(s.core.Now(), trail.Received, "%s type %d code %d (%s) from %v%s", version, h.typ, h.code, h.meaning.Errno.Name(), h.from, s.crashOf(h.about.Dst))
}
