// SPDX-License-Identifier: Apache-2.0

package dialtonearm

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"dialtone/conformance"
	"dialtone/inet"
	"dialtone/link"
	"dialtone/wire"
)

// tap keeps what a host has sent.
type tap struct {
	mu   sync.Mutex
	sent []sent
}

// sent is a packet that left by an interface, headers only.
type sent struct {
	at     time.Duration
	by     *inet.Interface
	packet wire.Packet
}

// wrap puts the tap between an interface and its link.
func (t *tap) wrap(i *inet.Interface) {
	i.Wrap(func(l link.Link) link.Link { return tapped{l, t, i} })
}

// tapped is a link that shows a tap what one interface sends.
type tapped struct {
	link.Link
	tap *tap
	by  *inet.Interface
}

func (l tapped) Send(now time.Duration, from, to link.Station, p *wire.Packet) {
	l.tap.mu.Lock()
	l.tap.sent = append(l.tap.sent, sent{now, l.by, *p})
	l.tap.mu.Unlock()
	l.Link.Send(now, from, to, p)
}

// delay is a link that takes more time for what one interface sends.
type delay struct {
	link.Link
	by time.Duration
}

func (d *delay) wrap(l link.Link) link.Link {
	d.Link = l
	return d
}

func (d *delay) Send(now time.Duration, from, to link.Station, p *wire.Packet) {
	d.Link.Send(now+d.by, from, to, p)
}

// syns answers when a host sent SYNs to an address, counted from the first one.
func (t *tap) syns(to netip.AddrPort) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var times []string
	var first time.Duration
	for _, s := range t.sent {
		p := &s.packet
		if p.Proto != wire.TCP || !p.TCP.Flags.Has(wire.SYN) || p.TCP.Flags.Has(wire.ACK) ||
			netip.AddrPortFrom(p.Dst, p.TCP.DstPort) != to {
			continue
		}
		if times == nil {
			first = s.at
		}
		times = append(times, (s.at - first).Round(time.Millisecond).String())
	}
	if times == nil {
		return "none"
	}
	return strings.Join(times, " ")
}

// last returns the last TCP or UDP packet that was sent from an address, or, if that is the wildcard, from its port.
func (t *tap) last(from netip.AddrPort) (sent, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := len(t.sent) - 1; i >= 0; i-- {
		p := &t.sent[i].packet
		if p.Proto != wire.TCP && p.Proto != wire.UDP || p.SrcPort() != from.Port() {
			continue
		}
		if from.Addr().IsUnspecified() || p.Src == from.Addr() {
			return t.sent[i], true
		}
	}
	return sent{}, false
}

// icmp sends an ICMP error about the last packet of a socket, as the packet's destination, to the interface that the
// packet left by.
func (w *world) icmp(a conformance.ICMP) error {
	p := w.processes[a.Process]
	local, err := p.Getsockname(a.FD)
	if err != nil {
		return fmt.Errorf("icmp: the name of %s: %w", a.Socket, err)
	}
	about, ok := p.host.tap.last(local.AddrPort())
	if !ok {
		return fmt.Errorf("icmp: socket %s at %v has sent no packet", a.Socket, local)
	}
	m := wire.NewPacket()
	m.Src, m.Dst, m.TTL, m.Proto = about.packet.Dst, about.packet.Src, wire.DefaultTTL, wire.ICMP
	if m.Dst.Is6() {
		m.Proto = wire.ICMPv6
	}
	m.ICMP = wire.Message{Type: uint8(a.Type), Code: uint8(a.Code), Info: uint32(a.MTU), Quote: &about.packet}
	about.by.Deliver(w.clock.Now(), m)
	w.clock.Settle()
	return nil
}
