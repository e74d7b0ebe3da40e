// SPDX-License-Identifier: Apache-2.0

package firewall

import (
	"fmt"
	"net/netip"
	"strings"

	"dialtone/wire"
)

// Rule matches a packet if all of its conditions do; one at its zero value matches every packet. A condition on ports
// matches TCP, UDP and UDP-Lite only. A rule that rejects matches only what its Rejection can answer.
type Rule struct {
	Proto    wire.Protocol
	Src, Dst netip.Prefix
	SrcPorts Ports
	DstPorts Ports
	// FlagMask and Flags match TCP segments whose control bits under the mask are Flags, as nft's "tcp flags & MASK ==
	// FLAGS"; no mask is no condition.
	FlagMask, Flags wire.Flags
	Interface       string // where the packet comes in, or goes out
	Verdict         Verdict
}

// Ports is a range of ports, First and Last included; zero is any port.
type Ports struct{ First, Last uint16 }

// any reports whether p is no condition at all.
func (p Ports) any() bool { return p == Ports{} }

// String returns "80" or "8000-8999".
func (p Ports) String() string {
	if p.First == p.Last {
		return fmt.Sprint(p.First)
	}
	return fmt.Sprintf("%d-%d", p.First, p.Last)
}

// matches reports whether r's conditions hold for p at iface.
func (r *Rule) matches(p *wire.Packet, iface string) bool {
	switch {
	case r.Proto != 0 && r.Proto != p.Proto,
		r.FlagMask != 0 && (p.Proto != wire.TCP || p.TCP.Flags&r.FlagMask != r.Flags),
		r.Interface != "" && r.Interface != iface,
		r.Src.IsValid() && !r.Src.Contains(p.Src),
		r.Dst.IsValid() && !r.Dst.Contains(p.Dst),
		!r.SrcPorts.match(p, p.SrcPort()),
		!r.DstPorts.match(p, p.DstPort()):
		return false
	}
	return r.Verdict.Action != Reject || r.Verdict.With.canAnswer(p)
}

// match reports whether port, one of p's, is in the range.
func (ports Ports) match(p *wire.Packet, port uint16) bool {
	if ports.any() {
		return true
	}
	switch p.Proto {
	case wire.TCP, wire.UDP, wire.UDPLite:
		return ports.First <= port && port <= ports.Last
	}
	return false
}

// String returns r in one line, such as
// "tcp, from 10.0.0.0/8, to 10.0.1.0/24 port 8000-8999, by eth0: reject with tcp-reset".
func (r *Rule) String() string {
	conditions := make([]string, 0, 4)
	if r.Proto != 0 {
		conditions = append(conditions, protocolName(r.Proto))
	}
	conditions = appendEnd(conditions, "from", r.Src, r.SrcPorts)
	conditions = appendEnd(conditions, "to", r.Dst, r.DstPorts)
	if r.FlagMask != 0 {
		conditions = append(conditions, fmt.Sprintf("flags & %#x == %#x", r.FlagMask, r.Flags))
	}
	if r.Interface != "" {
		conditions = append(conditions, "by "+r.Interface)
	}
	if len(conditions) == 0 {
		conditions = append(conditions, "any")
	}
	return strings.Join(conditions, ", ") + ": " + r.Verdict.String()
}

// appendEnd appends what r asks of one end of the packet's way.
func appendEnd(conditions []string, word string, prefix netip.Prefix, ports Ports) []string {
	if !prefix.IsValid() && ports.any() {
		return conditions
	}
	if prefix.IsValid() {
		word += " " + prefix.String()
	}
	if !ports.any() {
		word += " port " + ports.String()
	}
	return append(conditions, word)
}

func protocolName(p wire.Protocol) string {
	switch p {
	case wire.ICMP:
		return "icmp"
	case wire.TCP:
		return "tcp"
	case wire.UDP:
		return "udp"
	case wire.ICMPv6:
		return "icmpv6"
	case wire.UDPLite:
		return "udplite"
	}
	return fmt.Sprintf("protocol %d", p)
}
