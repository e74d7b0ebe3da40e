// SPDX-License-Identifier: Apache-2.0

package firewall

import "dialtone/wire"

// Rejection is what the sender of a rejected packet gets back. The names are those of nft(8), "reject statement".
type Rejection uint8

// The rejections. Those of one IP version apply to packets of that version only, TCPReset to TCP only, as in nft, where
// the choice of an answer restricts its rule to the packets that can be answered so.
const (
	TCPReset        Rejection = iota + 1
	PortUnreachable           // ICMP and ICMPv6
	HostUnreachable           // ICMP; its ICMPv6 counterpart is address unreachable
	NoRoute                   // ICMPv6; its ICMP counterpart is network unreachable
	AdminProhibited           // ICMP and ICMPv6
	NetUnreachable            // ICMP
	ProtUnreachable           // ICMP
	NetProhibited             // ICMP
	HostProhibited            // ICMP
	AddrUnreachable           // ICMPv6
	PolicyFail                // ICMPv6
	RejectRoute               // ICMPv6
)

// Destination unreachable: its ICMP type in each version (RFC 792; RFC 4443, 3.1).
const (
	unreachable4 = 3
	unreachable6 = 1
)

// none marks a rejection that an IP version lacks.
const none = -1

// rejections has, for each, the code of the destination-unreachable message by IP version. Codes: RFC 792 and RFC 1812
// 5.2.7.1; RFC 4443, 3.1. Those that exist in both versions pair as nft's "icmpx" (Linux, net/netfilter/nft_reject.c).
var rejections = [...]struct {
	name         string
	code4, code6 int8
}{
	TCPReset:        {"tcp-reset", none, none},
	PortUnreachable: {"port-unreachable", 3, 4},
	HostUnreachable: {"host-unreachable", 1, 3},
	NoRoute:         {"no-route", 0, 0},
	AdminProhibited: {"admin-prohibited", 13, 1},
	NetUnreachable:  {"net-unreachable", 0, none},
	ProtUnreachable: {"prot-unreachable", 2, none},
	NetProhibited:   {"net-prohibited", 9, none},
	HostProhibited:  {"host-prohibited", 10, none},
	AddrUnreachable: {"addr-unreachable", none, 3},
	PolicyFail:      {"policy-fail", none, 5},
	RejectRoute:     {"reject-route", none, 6},
}

// Rejections returns all rejections, in order.
func Rejections() []Rejection {
	all := make([]Rejection, 0, len(rejections)-1)
	for r := TCPReset; int(r) < len(rejections); r++ {
		all = append(all, r)
	}
	return all
}

// String returns the rejection's name.
func (r Rejection) String() string {
	if r == 0 || int(r) >= len(rejections) {
		return "no rejection"
	}
	return rejections[r].name
}

// ICMP returns type and code of the ICMP (is4) or ICMPv6 message that is the answer; ok is false where there is none.
func (r Rejection) ICMP(is4 bool) (typ, code uint8, ok bool) {
	if r == 0 || int(r) >= len(rejections) {
		return 0, 0, false
	}
	typ, c := uint8(unreachable6), rejections[r].code6
	if is4 {
		typ, c = unreachable4, rejections[r].code4
	}
	if c == none {
		return 0, 0, false
	}
	return typ, uint8(c), true
}

// canAnswer reports whether r is an answer to p.
func (r Rejection) canAnswer(p *wire.Packet) bool {
	if r == TCPReset {
		return p.Proto == wire.TCP
	}
	_, _, ok := r.ICMP(p.Is4())
	return ok
}
