// SPDX-License-Identifier: Apache-2.0

package link

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"dialtone/wire"
)

// Rule says what becomes of some packets on an [Impaired] link. A rule matches if all that it names does; its zero value
// matches every packet and does nothing to it.
type Rule struct {
	From, To netip.Prefix  // source and destination address; the zero prefix is any
	Protocol wire.Protocol // 0: any
	ToPort   uint16        // of TCP and UDP; 0: any
	Action   Action
	Effect   Effect // of Pass
}

// Action is a rule's verdict.
type Action uint8

// The actions. Answers come from the link at once, in the name of whom the packet was for, as a router's next to the
// sender would.
const (
	Pass        Action = iota // carry the packet, with the rule's effect
	Drop                      // lose it without a word
	Reset                     // lose it; TCP's sender is answered with a reset (RFC 9293, 3.10.7.1)
	Unreachable               // lose it; its sender hears "host unreachable" (RFC 792: 3/1, RFC 4443: 1/3)
	Prohibited                // lose it; its sender hears "administratively prohibited" (RFC 1812: 3/13, RFC 4443: 1/1)
)

var actionNames = [...]string{"pass", "drop", "reset", "unreachable", "prohibited"}

func (a Action) String() string {
	if int(a) < len(actionNames) {
		return actionNames[a]
	}
	return "?"
}

// Effect is what a link does to packets that it carries. Shares are between 0 and 1. What is left to chance is drawn
// from the link's seed, the packet's flow (protocol, addresses and ports, in this direction), and how many packets of the
// flow came before it: so what other flows do at the same time changes nothing. A flow that sends after 32,768 others or
// more have sent is taken for a new one.
//
// Packets are those that fit the link's MTU: a longer TCP segment, which hosts send as to a network card that segments by
// itself, is cut up before the effect, unless that is latency and jitter alone.
type Effect struct {
	// Latency is added to the way, and up to Jitter more, evenly distributed. Packets of a flow stay in their order.
	Latency, Jitter time.Duration
	// Rate is what the link carries, in bits per second, IP headers counted; 0 is as much as comes. All flows that the
	// rule matches share it, those of both directions if it names neither From nor To. Queue is how many bytes may wait
	// for their turn, 0 being DefaultQueue; what finds no room is lost.
	Rate  uint64
	Queue int
	// Loss is the share of packets lost, each for itself.
	Loss float64
	// Bursts are losses that come in bursts, besides.
	Bursts GilbertElliott
	// Duplicate is the share of packets that arrive twice.
	Duplicate float64
	// Reorder is the share of packets that are held back for ReorderBy, and overtaken by what comes after.
	Reorder   float64
	ReorderBy time.Duration
	// Corrupt is the share of packets in which one bit flips. Checksums find nearly all of them: then nobody gets the
	// packet.
	Corrupt float64
}

// DefaultQueue is how many bytes wait for a link with a rate: 100 packets of Ethernet's size.
const DefaultQueue = 100 * DefaultMTU

// GilbertElliott is a link that is good or bad by turns (Gilbert 1960, Elliott 1963; netem's "loss gemodel"). Each flow
// begins on a good one; each packet moves it from good to bad with the chance ToBad, back with ToGood, and is lost with
// the chance that the new state has. The zero value loses nothing.
type GilbertElliott struct {
	ToBad, ToGood     float64
	LossGood, LossBad float64
}

// matches reports whether the rule is about p.
func (r *Rule) matches(p *wire.Packet) bool {
	return (!r.From.IsValid() || r.From.Contains(p.Src)) && (!r.To.IsValid() || r.To.Contains(p.Dst)) &&
		(r.Protocol == 0 || r.Protocol == p.Proto) && (r.ToPort == 0 || r.ToPort == p.DstPort())
}

// Check says what makes no sense in the rule.
func (r *Rule) Check() error {
	if int(r.Action) >= len(actionNames) {
		return fmt.Errorf("there is no action %d", r.Action)
	}
	for _, p := range [...]struct {
		name   string
		prefix netip.Prefix
	}{{"from", r.From}, {"to", r.To}} {
		if p.prefix != (netip.Prefix{}) && !p.prefix.IsValid() {
			return fmt.Errorf("%s %v with a length that such an address can't have, want a valid prefix or the zero Prefix, which is any",
				p.name, p.prefix.Addr())
		}
	}
	if r.ToPort != 0 && r.Protocol != 0 && r.Protocol != wire.TCP && r.Protocol != wire.UDP && r.Protocol != wire.UDPLite {
		return fmt.Errorf("to port %d of protocol %d, which has no ports", r.ToPort, r.Protocol)
	}
	e := &r.Effect
	if r.Action != Pass && *e != (Effect{}) {
		return fmt.Errorf("what is not passed on (%v) can have no other effect", r.Action)
	}
	for _, s := range [...]struct {
		name  string
		share float64
	}{
		{"loss", e.Loss},
		{"duplicate", e.Duplicate},
		{"reorder", e.Reorder},
		{"corrupt", e.Corrupt},
		{"to bad", e.Bursts.ToBad},
		{"to good", e.Bursts.ToGood},
		{"loss while good", e.Bursts.LossGood},
		{"loss while bad", e.Bursts.LossBad},
	} {
		if !(s.share >= 0 && s.share <= 1) { // NaN too
			return fmt.Errorf("%s of %v, want a share between 0 and 1", s.name, s.share)
		}
	}
	for _, d := range [...]struct {
		name string
		time time.Duration
	}{{"latency", e.Latency}, {"jitter", e.Jitter}, {"time to reorder by", e.ReorderBy}} {
		if d.time < 0 {
			return fmt.Errorf("%s of %v, want 0 or more", d.name, d.time)
		}
	}
	if e.Queue < 0 {
		return fmt.Errorf("queue of %d bytes, want 0 (for %d) or more", e.Queue, DefaultQueue)
	}
	if e.Reorder > 0 && e.ReorderBy == 0 {
		return errors.New("what is held back for no time is not overtaken: want a time to reorder by")
	}
	return nil
}
