// SPDX-License-Identifier: Apache-2.0

package firewall

import (
	"net/netip"
	"strings"
	"testing"

	"dialtone/wire"
)

func packet4(proto wire.Protocol) *wire.Packet {
	p := &wire.Packet{
		Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("10.0.1.2"), Proto: proto,
	}
	switch proto {
	case wire.TCP:
		p.TCP = wire.Segment{SrcPort: 40000, DstPort: 80}
	case wire.UDP, wire.UDPLite:
		p.UDP = wire.Datagram{SrcPort: 40000, DstPort: 80}
	}
	return p
}

func packet6(proto wire.Protocol) *wire.Packet {
	p := packet4(proto)
	p.Src, p.Dst = netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8:1::2")
	return p
}

func TestRuleMatches(t *testing.T) {
	tcp4, tcp6, udp4, icmp4 := packet4(wire.TCP), packet6(wire.TCP), packet4(wire.UDP), packet4(wire.ICMP)
	for _, test := range []struct {
		rule   Rule
		packet *wire.Packet
		want   bool
		line   string
	}{
		{Rule{}, tcp4, true, "any: accept"},
		{Rule{Proto: wire.TCP}, tcp4, true, "tcp: accept"},
		{Rule{Proto: wire.TCP}, udp4, false, "tcp: accept"},
		{Rule{Proto: 47}, udp4, false, "protocol 47: accept"},
		{Rule{Src: netip.MustParsePrefix("10.0.0.0/24")}, tcp4, true, "from 10.0.0.0/24: accept"},
		{Rule{Src: netip.MustParsePrefix("10.0.1.0/24")}, tcp4, false, "from 10.0.1.0/24: accept"},
		{Rule{Dst: netip.MustParsePrefix("10.0.1.0/24")}, tcp4, true, "to 10.0.1.0/24: accept"},
		{Rule{Dst: netip.MustParsePrefix("0.0.0.0/0")}, tcp6, false, "to 0.0.0.0/0: accept"},
		{Rule{Dst: netip.MustParsePrefix("::/0")}, tcp6, true, "to ::/0: accept"},
		{Rule{SrcPorts: Ports{1, 1023}}, tcp4, false, "from port 1-1023: accept"},
		{Rule{SrcPorts: Ports{1024, 65535}}, tcp4, true, "from port 1024-65535: accept"},
		{Rule{DstPorts: Ports{80, 80}}, tcp4, true, "to port 80: accept"},
		{Rule{DstPorts: Ports{80, 80}}, udp4, true, "to port 80: accept"},
		{Rule{DstPorts: Ports{81, 90}}, udp4, false, "to port 81-90: accept"},
		{Rule{DstPorts: Ports{70, 79}}, udp4, false, "to port 70-79: accept"},
		{Rule{DstPorts: Ports{80, 80}}, packet4(wire.UDPLite), true, "to port 80: accept"},
		{Rule{DstPorts: Ports{0, 65535}}, icmp4, false, "to port 0-65535: accept"},
		{Rule{FlagMask: wire.SYN | wire.ACK, Flags: wire.ACK}, tcp4, false, "flags & 0x12 == 0x10: accept"},
		{Rule{FlagMask: wire.SYN | wire.ACK}, tcp4, true, "flags & 0x12 == 0x0: accept"},
		{Rule{FlagMask: wire.SYN | wire.ACK}, udp4, false, "flags & 0x12 == 0x0: accept"},
		{Rule{Interface: "eth0"}, tcp4, true, "by eth0: accept"},
		{Rule{Interface: "eth1"}, tcp4, false, "by eth1: accept"},
		{Rule{Verdict: Verdict{Action: Drop}}, icmp4, true, "any: drop"},
		{Rule{Verdict: Verdict{Reject, TCPReset}}, tcp6, true, "any: reject with tcp-reset"},
		{Rule{Verdict: Verdict{Reject, TCPReset}}, udp4, false, "any: reject with tcp-reset"},
		{Rule{Verdict: Verdict{Reject, NetProhibited}}, tcp4, true, "any: reject with net-prohibited"},
		{Rule{Verdict: Verdict{Reject, NetProhibited}}, tcp6, false, "any: reject with net-prohibited"},
		{Rule{Verdict: Verdict{Reject, PolicyFail}}, tcp4, false, "any: reject with policy-fail"},
		{
			Rule{wire.TCP, netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("10.0.1.2/32"), Ports{}, Ports{80, 90}, 0, 0, "eth0", Verdict{Action: Drop}},
			tcp4, true, "tcp, from 10.0.0.0/8, to 10.0.1.2/32 port 80-90, by eth0: drop",
		},
	} {
		if got := test.rule.matches(test.packet, "eth0"); got != test.want {
			t.Errorf("%v: matches %+v: %v", &test.rule, test.packet, got)
		}
		if got := test.rule.String(); got != test.line {
			t.Errorf("line %q, want %q", got, test.line)
		}
	}
}

func TestDecideTakesTheFirstMatchOfItsDirection(t *testing.T) {
	f := Firewall{
		Input: Chain{
			Rules: []Rule{
				{Proto: wire.UDP, Verdict: Verdict{Action: Drop}},
				{Proto: wire.TCP, Verdict: Verdict{Reject, HostUnreachable}},
				{Proto: wire.TCP, Verdict: Verdict{Action: Drop}},
			},
		},
		Output: Chain{Policy: Verdict{Action: Drop}},
	}
	for _, test := range []struct {
		direction Direction
		proto     wire.Protocol
		want      Verdict
		rule      *Rule
	}{
		{Input, wire.UDP, Verdict{Action: Drop}, &f.Input.Rules[0]},
		{Input, wire.TCP, Verdict{Reject, HostUnreachable}, &f.Input.Rules[1]},
		{Input, wire.ICMP, Verdict{}, nil},
		{Output, wire.UDP, Verdict{Action: Drop}, nil},
	} {
		if v, r := f.Decide(test.direction, packet4(test.proto), "eth0"); v != test.want || r != test.rule {
			t.Errorf("%v, protocol %d: %v by %v; want %v by %v", test.direction, test.proto, v, r, test.want, test.rule)
		}
	}
}

func TestPolicyThatCannotAnswerDrops(t *testing.T) {
	f := Firewall{Input: Chain{Policy: Verdict{Reject, TCPReset}}}
	if v, _ := f.Decide(Input, packet4(wire.TCP), "lo"); v != f.Input.Policy {
		t.Errorf("TCP: %v", v)
	}
	if v, _ := f.Decide(Input, packet4(wire.UDP), "lo"); v.Action != Drop {
		t.Errorf("UDP: %v", v)
	}
}

// TestRejectionsAsNft holds the type and code of each name as nft(8) and the kernel's uapi headers (linux/icmp.h,
// linux/icmpv6.h) have them; -1 where the name is not of that version.
func TestRejectionsAsNft(t *testing.T) {
	want := []struct {
		name         string
		code4, code6 int
	}{
		{"tcp-reset", -1, -1},
		{"port-unreachable", 3, 4},
		{"host-unreachable", 1, 3},
		{"no-route", 0, 0},
		{"admin-prohibited", 13, 1},
		{"net-unreachable", 0, -1},
		{"prot-unreachable", 2, -1},
		{"net-prohibited", 9, -1},
		{"host-prohibited", 10, -1},
		{"addr-unreachable", -1, 3},
		{"policy-fail", -1, 5},
		{"reject-route", -1, 6},
	}
	all := Rejections()
	if len(all) != len(want) {
		t.Fatalf("%d rejections, want %d", len(all), len(want))
	}
	for i, r := range all {
		if r.String() != want[i].name {
			t.Errorf("%d is %q, want %q", r, r, want[i].name)
		}
		for _, version := range []struct {
			is4       bool
			typ, code int
		}{{true, 3, want[i].code4}, {false, 1, want[i].code6}} {
			typ, code, ok := r.ICMP(version.is4)
			if ok != (version.code >= 0) || ok && (int(typ) != version.typ || int(code) != version.code) {
				t.Errorf("%v, IPv4 %v: type %d code %d %v; want type %d code %d", r, version.is4, typ, code, ok, version.typ, version.code)
			}
		}
	}
	if s := Rejection(0).String(); !strings.Contains(s, "no") {
		t.Errorf("the zero rejection is called %q", s)
	}
}

func TestDecideDoesNotAllocate(t *testing.T) {
	f := Firewall{Input: Chain{Rules: make([]Rule, 20)}}
	for i := range f.Input.Rules {
		f.Input.Rules[i] = Rule{
			Proto: wire.TCP, Src: netip.MustParsePrefix("10.0.0.0/8"), DstPorts: Ports{uint16(100 + i), 200},
			Interface: "eth0", Verdict: Verdict{Reject, AdminProhibited},
		}
	}
	p := packet4(wire.TCP)
	if n := testing.AllocsPerRun(100, func() { f.Decide(Input, p, "eth0") }); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}
