// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"dialtone/errno"
	"dialtone/firewall"
	"dialtone/link"
	"dialtone/tcp"
	"dialtone/trail"
	"dialtone/wire"
)

// fate says what became of a packet.
type fate uint8

const (
	sent     fate = iota // on its way, or waiting for a neighbour
	filtered             // the firewall dropped it without a word
	rejected             // the firewall rejected it; whoever it was from has been told
	crowded              // lost: too many neighbours have not answered yet
)

// output sends p on the way w: past the firewall, to the neighbour. p belongs to output. t takes what is decided; it may
// be nil.
func (s *Stack) output(p *wire.Packet, w path, t *trail.Trail) fate {
	verdict, rule := s.Firewall.Decide(firewall.Output, p, w.out.Name)
	if t != nil && (rule != nil || verdict.Action != firewall.Accept) {
		s.recordFirewall(t, firewall.Output, verdict, rule)
	}
	switch verdict.Action {
	case firewall.Drop:
		p.Free()
		return filtered
	case firewall.Reject:
		s.reject(p, verdict, w.out)
		p.Free()
		return rejected
	}
	if !w.out.up || p.TTL == 0 && p.Dst.IsMulticast() { // what has no hops stays with the host (ip_mc_output)
		p.Free()
		return sent
	}
	if w.broadcast || p.Dst.IsMulticast() {
		w.out.transmit(nil, p)
		return sent
	}
	var to link.Station
	if w.out.loopback {
		to = w.out
	} else {
		var f fate
		if to, f = s.resolve(w.out, w.nextHop, p); to == nil {
			switch {
			case t == nil:
			case f == crowded:
				t.Add(s.core.Now(), trail.Neighbour, "%v on %s is not asked: %d others have not answered yet", w.nextHop, w.out.Name, silentMost)
			default:
				t.Add(s.core.Now(), trail.Neighbour, "%v on %s does not answer yet%s", w.nextHop, w.out.Name, s.crashOf(w.nextHop))
			}
			return f
		}
	}
	if t != nil && to == (vacated{}) {
		t.Add(s.core.Now(), trail.Neighbour, "%v on %s has answered before, and is believed to be there%s", w.nextHop, w.out.Name, s.crashOf(w.nextHop))
	}
	w.out.transmit(to, p)
	return sent
}

// transmit sends p by i to a station; nil is everyone else on the link.
func (i *Interface) transmit(to link.Station, p *wire.Packet) {
	if len(i.stack.taps) > 0 {
		i.tell(firewall.Output, p)
	}
	i.stack.core.Transmit(i.link, i, to, p)
}

func (s *Stack) recordFirewall(t *trail.Trail, d firewall.Direction, v firewall.Verdict, r *firewall.Rule) {
	rule := "policy: " + v.String()
	if r != nil {
		rule = r.String()
	}
	if v.Action == firewall.Accept {
		t.Add(s.core.Now(), trail.Firewall, "%v: %s", d, rule)
	} else {
		t.Decide(s.core.Now(), trail.Firewall, "%v: %s", d, rule)
	}
}

// reject answers a packet that the firewall rejected. The answer goes to whoever sent p: for a packet on its way out
// that is the host itself, so it comes back by the loopback.
func (s *Stack) reject(p *wire.Packet, v firewall.Verdict, at *Interface) {
	if v.With == firewall.TCPReset {
		if rst, ok := tcp.ResetFor(&p.TCP); ok {
			s.answer(p, at, func(a *wire.Packet) { a.Proto, a.TCP = wire.TCP, rst })
		}
		return
	}
	if typ, code, ok := v.With.ICMP(p.Is4()); ok {
		s.sendICMPError(p, at, typ, code, 0)
	}
}

// hopLimit is what packets begin with whose socket, if any, has no limit of its own.
func (s *Stack) hopLimit(is4 bool) uint8 {
	if is4 {
		return s.Sysctl.IPDefaultTTL
	}
	return wire.DefaultTTL // net.ipv6.conf.all.hop_limit
}

// answer sends a packet back to where p came from, by in if given, from the address p was for; from one of the host's own
// if that is none of them and it is ICMP that answers. A reset must come from whom the segment was for, whoever sends it.
func (s *Stack) answer(p *wire.Packet, in *Interface, fill func(*wire.Packet)) {
	q := query{to: p.Src}
	if p.Src.IsLinkLocalUnicast() && in != nil {
		q.device = s.arrival(in, p.Dst)
	}
	if in != nil && in.standsIn && s.owner(p.Dst) == nil {
		return // nobody else's packet comes from there (ip_route_output_key)
	}
	w, _, e := s.lookUp(q)
	if e != errno.OK {
		return
	}
	a := wire.NewPacket()
	a.Src, a.Dst, a.TTL = p.Dst, p.Src, s.hopLimit(p.Is4())
	fill(a)
	if a.Proto != wire.TCP && s.owner(a.Src) == nil {
		a.Src = w.source
	}
	s.output(a, w, nil)
}
