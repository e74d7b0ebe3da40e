// SPDX-License-Identifier: Apache-2.0

package drill

import (
	"errors"
	"fmt"
	"time"

	"dialtone/wire"
)

// expect waits for a packet and compares it. Segmentation is the link's: what the script has in one segment may come in
// several, and the other way round.
func (w *world) expect(e *event) error {
	want := e.packet
	if want.tcp.Flags.Has(wire.SYN | wire.ECE) {
		return notRun("ECN")
	}
	var got sent
	for got.packet == nil || !w.mine(got.packet) {
		if !w.until(func() bool { return len(w.sent) > 0 }, e.to+patience) {
			return errors.New("no such packet came")
		}
		got, w.sent = w.sent[0], w.sent[1:]
	}
	w.resegment(got, len(want.tcp.Payload))
	if err := w.compare(want, got.packet, got.part); err != nil {
		return err
	}
	err := w.timely(e, got.at, e.at, e.to)
	e.at = got.at
	return err
}

// mine reports whether a packet is of the script's connection. A SYN begins one.
func (w *world) mine(p *wire.Packet) bool {
	if p.Proto != wire.TCP {
		return false
	}
	s := &p.TCP
	if s.Flags.Has(wire.SYN) && !s.Flags.Has(wire.ACK) && w.flow == nil {
		w.flow = &flow{localPort: s.SrcPort, remotePort: s.DstPort, fd: w.subject, stamps: map[uint32]uint32{}}
	}
	return w.flow != nil && w.flow.localPort == s.SrcPort && w.flow.remotePort == s.DstPort
}

// resegment makes a packet one of n bytes, by what was sent right behind it, or by leaving some for later.
func (w *world) resegment(got sent, n int) {
	s := &got.packet.TCP
	if n == 0 || len(s.Payload) == 0 || s.Flags.Has(wire.SYN) {
		return
	}
	for len(s.Payload) < n && len(w.sent) > 0 {
		next := &w.sent[0].packet.TCP
		if next.SrcPort != s.SrcPort || next.Ack != s.Ack || next.Seq != s.Seq+uint32(len(s.Payload)) {
			return
		}
		w.sent = w.sent[1:]
		s.Payload = append(s.Payload, next.Payload...)
		s.Flags |= next.Flags
	}
	if len(s.Payload) > n {
		rest := got.packet.Clone()
		rest.TCP.Seq += uint32(n)
		rest.TCP.Payload = s.Payload[n:]
		s.Payload = s.Payload[:n:n]
		s.Flags &^= wire.FIN // PSH may be anywhere
		w.sent = append([]sent{{got.at, rest, got.part}}, w.sent...)
	}
}

// compare says in what a packet, or a part of a segment that stood for many, differs from the script's.
func (w *world) compare(want *packet, p *wire.Packet, part bool) error {
	f, s := w.flow, p.TCP
	syn := s.Flags.Has(wire.SYN)
	if syn && !f.hasLocal {
		f.localISN, f.scriptISN, f.hasLocal = s.Seq, want.tcp.Seq, true
	}
	ack := f.remoteISN
	if syn {
		ack = 0
	}
	s.Seq -= f.offset(syn)
	s.Ack -= ack
	shown := show(&s)
	split := len(w.sent) > 0 && w.sent[0].packet.TCP.Seq == p.TCP.Seq+uint32(len(s.Payload)) && len(s.Payload) > 0
	flags := s.Flags ^ want.tcp.Flags
	if split || part && !want.tcp.Flags.Has(wire.PSH) {
		flags &^= wire.PSH
	}
	switch t := &want.tcp; {
	case flags != 0:
		return fmt.Errorf("flags: sent %s", shown)
	case s.Seq != t.Seq || len(s.Payload) != len(t.Payload):
		return fmt.Errorf("text: sent %s", shown)
	case s.Flags.Has(wire.ACK) && s.Ack != t.Ack:
		return fmt.Errorf("acknowledgement: sent %s", shown)
	case want.hasWin && s.Window != t.Window:
		return fmt.Errorf("window: sent %s win %d", shown, s.Window)
	case want.any:
		return nil
	}
	return w.compareOptions(want, p, ack)
}

// compareOptions compares the options' bytes, and the values of timestamps; ack is the offset of what is acknowledged.
func (w *world) compareOptions(want *packet, p *wire.Packet, ack uint32) error {
	o := p.TCP.Options
	var bytes []byte
	for _, x := range want.options {
		b, err := w.cookieBytes(&x)
		if err != nil {
			return err
		}
		bytes = append(bytes, b...)
		if x.name == "TS" && o.HasTimestamps {
			if err := w.compareStamp(&x, o.TSVal, o.TSEcr); err != nil {
				return err
			}
		}
	}
	for i := range o.SACKBlocks {
		o.SACK[i].Left -= ack
		o.SACK[i].Right -= ack
	}
	o.TSVal, o.TSEcr = 0, 0
	raw, err := wire.Append(nil, &wire.Packet{Src: p.Src, Dst: p.Dst, Proto: wire.TCP, TCP: wire.Segment{Options: o}})
	if err != nil {
		return err
	}
	if have := raw[40:]; string(have) != string(bytes) { // behind both headers
		return fmt.Errorf("options: sent % x, expected % x", have, bytes)
	}
	return nil
}

// compareStamp compares what a timestamp echoes, and, where the script gives the length of a tick, its value.
func (w *world) compareStamp(want *option, val, ecr uint32) error {
	f := w.flow
	if f.firstLive == 0 {
		f.firstStamp, f.firstLive = want.val, val
	}
	f.stamps[want.val] = val
	if want.ecr != ecr {
		return fmt.Errorf("timestamp: echoes %d", ecr)
	}
	off := int32((val - f.firstLive) - (want.val - f.firstStamp))
	if (time.Duration(off) * w.tick).Abs() > max(w.tolerance, w.now()/toleranceShare) {
		return fmt.Errorf("timestamp: sent val %d", int64(want.val)+int64(off))
	}
	return nil
}

// show writes a segment as scripts do.
func show(s *wire.Segment) string {
	flags := ""
	for i, c := range "FSRP.UEW" { // by their bits
		if s.Flags&(1<<i) != 0 {
			flags += string(c)
		}
	}
	return fmt.Sprintf("%s %d:%d(%d) ack %d", flags, s.Seq, s.Seq+uint32(len(s.Payload)), len(s.Payload), s.Ack)
}
