// SPDX-License-Identifier: Apache-2.0

package drill

import (
	"encoding/binary"
	"errors"

	"dialtone/wire"
)

// flow is the connection that the script's packets are about. Numbers of a SYN stand as they are; others count from the
// SYN's of their side.
type flow struct {
	localPort, remotePort uint16
	localISN, remoteISN   uint32 // on the wire
	scriptISN             uint32 // what the script calls localISN
	hasLocal, hasRemote   bool   // localISN, remoteISN are known
	fd                    int64  // the script's descriptor of the socket that connects; 0: the connection is accepted
	stamps                map[uint32]uint32
	firstStamp, firstLive uint32 // the host's first timestamp, in the script and on the wire
}

// offset returns what is added to the script's numbers of the host's side, in a SYN or another segment.
func (f *flow) offset(syn bool) uint32 {
	if syn {
		return f.localISN - f.scriptISN
	}
	return f.localISN
}

// inject puts a packet in.
func (w *world) inject(p *packet) error {
	if p.icmp != nil {
		return w.injectICMP(p.icmp)
	}
	if p.ecn != "" && p.ecn != "noecn" {
		return notRun("ECN")
	}
	s := p.tcp
	syn := s.Flags.Has(wire.SYN)
	if syn && !s.Flags.Has(wire.ACK) && (w.flow == nil || w.listens) {
		w.port++
		w.flow = &flow{localPort: local.Port(), remotePort: w.port, stamps: map[uint32]uint32{}}
		w.listens = false
	}
	f := w.flow
	if f == nil {
		return errors.New("a packet of no connection")
	}
	if syn && !f.hasRemote {
		f.remoteISN, f.hasRemote = s.Seq, true
	}
	if !syn {
		s.Seq += f.remoteISN
	}
	if s.Flags.Has(wire.ACK) {
		s.Ack += f.offset(syn)
	}
	s.SrcPort, s.DstPort = f.remotePort, f.localPort
	for _, o := range p.options {
		if err := w.setOption(&s.Options, &o, f.offset(syn)); err != nil {
			return err
		}
	}
	w.deliver(&wire.Packet{Proto: wire.TCP, TCP: s})
	return nil
}

func (w *world) deliver(p *wire.Packet) {
	p.Src, p.Dst, p.TTL = remote.Addr(), local.Addr(), wire.DefaultTTL
	w.iface.Deliver(w.clock.Now(), p)
	w.clock.Settle()
}

// setOption sets a decoded option by the script's; ack is the offset of what is acknowledged.
func (w *world) setOption(to *wire.Options, o *option, ack uint32) error {
	b := o.bytes
	switch o.name {
	case "mss":
		to.MSS = binary.BigEndian.Uint16(b[2:])
	case "wscale":
		to.HasWindowScale, to.WindowScale = true, b[2]
	case "sackOK":
		to.SACKPermitted = true
	case "sack":
		to.SACKBlocks = uint8(len(b) / 8)
		for i := range to.SACKBlocks {
			block := b[2+8*int(i):]
			to.SACK[i] = wire.SACKBlock{
				Left: ack + binary.BigEndian.Uint32(block), Right: ack + binary.BigEndian.Uint32(block[4:]),
			}
		}
	case "TS":
		echo, ok := w.flow.stamps[o.ecr]
		if !ok && w.flow.firstLive != 0 {
			echo = w.flow.firstLive + (o.ecr - w.flow.firstStamp)
		}
		to.HasTimestamps, to.TSVal, to.TSEcr = true, o.val, echo
	case "FO":
		cookie, err := w.cookieBytes(o)
		if err != nil {
			return err
		}
		to.HasFastOpen, to.FastOpen = true, cookie[2:]
	case "md5":
		to.MD5 = (*[16]byte)(b[2:])
	}
	return nil
}

// unreachable are the codes of ICMP's destination unreachable by the script's names (RFC 792). CODE is the suite's word.
var unreachable = map[string]uint8{
	"net_unreachable": 0, "host_unreachable": 1, "protocol_unreachable": 2, "port_unreachable": 3, "frag_needed": 4,
	"source_route_failed": 5, "CODE": 1,
}

func (w *world) injectICMP(c *icmp) error {
	code, ok := unreachable[c.code]
	if c.kind != "unreachable" || !ok {
		return notRun("ICMP %s %s", c.kind, c.code)
	}
	f := w.flow
	if f == nil {
		return errors.New("an ICMP error of no connection")
	}
	quote := &wire.Packet{Src: local.Addr(), Dst: remote.Addr(), Proto: wire.TCP, TTL: wire.DefaultTTL}
	quote.TCP = wire.Segment{SrcPort: f.localPort, DstPort: f.remotePort, Seq: f.localISN + c.seq, Flags: wire.ACK}
	w.deliver(&wire.Packet{Proto: wire.ICMP, ICMP: wire.Message{Type: 3, Code: code, Info: c.mtu, Quote: quote}})
	return nil
}
