// SPDX-License-Identifier: Apache-2.0

package link

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dialtone/wire"
)

// taker is a station that keeps the packets, and when they came.
type taker struct {
	station
	packets []*wire.Packet
}

func (s *taker) Deliver(at time.Duration, p *wire.Packet) {
	s.got = append(s.got, at)
	s.packets = append(s.packets, p)
}

// bench is an impaired cable with a station at each end.
type bench struct {
	*Impaired
	a, b *taker
}

func newBench(t testing.TB, seed uint64, rules ...Rule) *bench {
	t.Helper()
	l := &bench{Impaired: NewImpaired(NewCable(0), seed), a: &taker{}, b: &taker{}}
	l.a.ip, l.b.ip = netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	for _, s := range []Station{l.a, l.b} {
		if err := l.Attach(s); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.SetRules(rules...); err != nil {
		t.Fatal(err)
	}
	return l
}

// datagram is a UDP datagram from a to b, of a flow that its port tells, with a number in it.
func (l *bench) datagram(port uint16, number byte) *wire.Packet {
	p := wire.NewPacket()
	p.Src, p.Dst, p.Proto, p.TTL = l.a.ip, l.b.ip, wire.UDP, 64
	p.UDP = wire.Datagram{SrcPort: port, DstPort: 7, Payload: []byte{number}}
	return p
}

// arrived returns the numbers of what came to b, in the order of their times.
func (l *bench) arrived() []byte {
	order := make([]int, len(l.b.got))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return int(l.b.got[i] - l.b.got[j]) })
	var numbers []byte
	for _, i := range order {
		numbers = append(numbers, l.b.packets[i].UDP.Payload...)
	}
	return numbers
}

func TestRulesFirstMatch(t *testing.T) {
	p := func(s string) netip.Prefix { return netip.MustParsePrefix(s) }
	for _, c := range []struct {
		name  string
		rules []Rule
		want  bool // the packet from 10.0.0.1:5 to 10.0.0.2:7, UDP, arrives
	}{
		{"no rule", nil, true},
		{"all", []Rule{{Action: Drop}}, false},
		{"from", []Rule{{From: p("10.0.0.1/32"), Action: Drop}}, false},
		{"from another: one-way", []Rule{{From: p("10.0.0.2/32"), Action: Drop}}, true},
		{"to", []Rule{{To: p("10.0.0.0/8"), Action: Drop}}, false},
		{"to another", []Rule{{To: p("10.0.0.1/32"), Action: Drop}}, true},
		{"protocol", []Rule{{Protocol: wire.UDP, Action: Drop}}, false},
		{"another protocol", []Rule{{Protocol: wire.TCP, Action: Drop}}, true},
		{"port", []Rule{{ToPort: 7, Action: Drop}}, false},
		{"another port", []Rule{{ToPort: 5, Action: Drop}}, true},
		{"one of two", []Rule{{To: p("10.0.0.2/32"), ToPort: 8, Action: Drop}}, true},
		{"the first", []Rule{{ToPort: 7}, {Action: Drop}}, true},
		{"the second", []Rule{{ToPort: 8}, {Action: Drop}}, false},
		{"IPv6", []Rule{{From: p("::/0"), Action: Drop}}, true},
	} {
		l := newBench(t, 1, c.rules...)
		l.Send(0, l.a, l.b, l.datagram(5, 1))
		if got := len(l.b.got) == 1; got != c.want {
			t.Errorf("%s: arrived %v, want %v", c.name, got, c.want)
		}
	}
}

func TestRulesThatMakeNoSense(t *testing.T) {
	l := newBench(t, 1, Rule{Action: Drop})
	for _, r := range []Rule{
		{Action: 9},
		{To: netip.PrefixFrom(l.b.ip, 128), Action: Drop}, // an IPv4 address
		{Protocol: wire.ICMP, ToPort: 80},
		{Action: Drop, Effect: Effect{Latency: 1}},
		{Effect: Effect{Loss: 1.1}},
		{Effect: Effect{Loss: -0.1}},
		{Effect: Effect{Loss: math.NaN()}},
		{Effect: Effect{Bursts: GilbertElliott{ToBad: 2}}},
		{Effect: Effect{Jitter: -1}},
		{Effect: Effect{Queue: -1}},
		{Effect: Effect{Reorder: 0.5}},
	} {
		if err := l.SetRules(Rule{}, r); err == nil {
			t.Errorf("%+v was taken", r)
		}
	}
	if rules, _ := l.Rules(); len(rules) != 1 || rules[0].Action != Drop {
		t.Errorf("rules %+v after refused ones", rules)
	}
	if err := l.SetRules(); err != nil {
		t.Error(err)
	}
	if l.Send(0, l.a, l.b, l.datagram(1, 1)); len(l.b.got) != 1 {
		t.Error("a link without rules lost a packet")
	}
}

// Shares come out as they were asked for, within five standard deviations of the binomial distribution.
func TestShares(t *testing.T) {
	const packets = 20000
	for _, c := range []struct {
		name   string
		effect Effect
		share  float64
		count  func(Counts) uint64
	}{
		{"loss", Effect{Loss: 0.1}, 0.1, func(c Counts) uint64 { return c.Lost }},
		{"little loss", Effect{Loss: 0.001}, 0.001, func(c Counts) uint64 { return c.Lost }},
		{"all lost", Effect{Loss: 1}, 1, func(c Counts) uint64 { return c.Lost }},
		{"duplicate", Effect{Duplicate: 0.3}, 0.3, func(c Counts) uint64 { return c.Duplicated }},
		{"reorder", Effect{Reorder: 0.25, ReorderBy: 1}, 0.25, func(c Counts) uint64 { return c.Reordered }},
		{"corrupt", Effect{Corrupt: 0.05}, 0.05, func(c Counts) uint64 { return c.Corrupted }},
	} {
		for seed := range uint64(3) {
			l := newBench(t, seed, Rule{Effect: c.effect})
			for i := range packets {
				l.Send(0, l.a, l.b, l.datagram(uint16(i%7), 0))
			}
			_, counts := l.Rules()
			got := float64(c.count(counts[0]))
			want, deviation := c.share*packets, math.Sqrt(packets*c.share*(1-c.share))
			if math.Abs(got-want) > 5*deviation {
				t.Errorf("%s, seed %d: %v of %d packets, want %v", c.name, seed, got, packets, want)
			}
			if arrived := uint64(len(l.b.got)); arrived != counts[0].Matched-counts[0].Lost+counts[0].Duplicated {
				t.Errorf("%s: %d packets arrived, counts %+v", c.name, arrived, counts[0])
			}
		}
	}
}

// Losses in the bad state come in bursts, whose mean length is 1/ToGood, over a share ToBad/(ToBad+ToGood) of the time.
func TestBursts(t *testing.T) {
	const packets = 100000
	g := GilbertElliott{ToBad: 0.01, ToGood: 0.2, LossBad: 1}
	l := newBench(t, 1, Rule{Effect: Effect{Bursts: g}})
	lost, bursts, losing := 0, 0, false
	for range packets {
		before := len(l.b.got)
		l.Send(0, l.a, l.b, l.datagram(1, 0))
		was := losing
		if losing = len(l.b.got) == before; losing {
			lost++
			if !was {
				bursts++
			}
		}
	}
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 0.15*want {
			t.Errorf("%s %v, want %v", what, got, want)
		}
	}
	near("share lost", float64(lost)/packets, g.ToBad/(g.ToBad+g.ToGood))
	near("packets in a burst", float64(lost)/float64(bursts), 1/g.ToGood)
}

// What one flow meets does not depend on what others do meanwhile.
func TestChanceIsOfTheFlow(t *testing.T) {
	effect := Effect{
		Loss: 0.2, Duplicate: 0.2, Jitter: time.Second, Reorder: 0.2, ReorderBy: time.Minute,
		Bursts: GilbertElliott{ToBad: 0.2, ToGood: 0.5, LossBad: 0.9},
	}
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		others := rapid.SliceOfN(rapid.IntRange(0, 3), 30, 30).Draw(rt, "packets of others before each")
		alone, among := newBench(t, seed, Rule{Effect: effect}), newBench(t, seed, Rule{Effect: effect})
		var want, got []string
		record := func(l *bench, into *[]string, number byte) {
			before := len(l.b.got)
			l.Send(time.Duration(number)*time.Millisecond, l.a, l.b, l.datagram(1, number))
			*into = append(*into, fmt.Sprint(number, l.b.got[before:]))
		}
		for i, n := range others {
			record(alone, &want, byte(i))
			for range n {
				among.Send(0, among.a, among.b, among.datagram(uint16(2+n), 99))
			}
			record(among, &got, byte(i))
		}
		if !slices.Equal(got, want) {
			rt.Fatalf("among others %v, alone %v", got, want)
		}
	})
}

// Jitter is within its bounds, and keeps packets in order; what is held back is overtaken.
func TestJitterAndOrder(t *testing.T) {
	l := newBench(t, 1, Rule{Effect: Effect{Latency: 10 * time.Millisecond, Jitter: 5 * time.Millisecond}})
	different := map[time.Duration]bool{}
	for i := range 200 {
		now := time.Duration(i) * time.Millisecond
		l.Send(now, l.a, l.b, l.datagram(1, byte(i)))
		took := l.b.got[i] - now
		if took < 10*time.Millisecond || took > 15*time.Millisecond {
			t.Errorf("packet %d took %v", i, took)
		}
		if i > 0 && l.b.got[i] < l.b.got[i-1] {
			t.Errorf("packet %d overtook", i)
		}
		different[took] = true
	}
	if len(different) < 100 {
		t.Errorf("only %d different times", len(different))
	}
	l = newBench(t, 1, Rule{Effect: Effect{Reorder: 0.1, ReorderBy: 10 * time.Millisecond}})
	for i := range 100 {
		l.Send(time.Duration(i)*time.Millisecond, l.a, l.b, l.datagram(1, byte(i)))
	}
	_, counts := l.Rules()
	if slices.IsSorted(l.arrived()) || counts[0].Reordered == 0 || len(l.b.got) != 100 {
		t.Errorf("%d arrived, counts %+v, in order %v", len(l.b.got), counts[0], slices.IsSorted(l.arrived()))
	}
}

// A rate spaces packets out by their size (29 bytes with IP and UDP), and a queue has an end.
func TestRate(t *testing.T) {
	const size = 20 + 8 + 1
	l := newBench(t, 1, Rule{Effect: Effect{Rate: 8 * size, Queue: 3 * size}}) // one packet a second
	for i := range 6 {
		l.Send(0, l.a, l.b, l.datagram(uint16(i), byte(i))) // flows share the rate
	}
	l.Send(10*time.Second, l.a, l.b, l.datagram(1, 9)) // and time that nobody used is not saved up
	l.Send(10*time.Second, l.a, l.b, l.datagram(1, 10))
	want := []time.Duration{1, 2, 3, 11, 12}
	for i := range want {
		want[i] *= time.Second
	}
	if !slices.Equal(l.b.got, want) {
		t.Errorf("arrivals %v, want %v", l.b.got, want)
	}
	if _, c := l.Rules(); c[0].Overflowed != 3 || c[0].Lost != 3 {
		t.Errorf("counts %+v", c[0])
	}
}

// One bit is flipped: a checksum finds it, or it was in a part of the header that has none (IPv6's).
func TestCorrupt(t *testing.T) {
	l := newBench(t, 1, Rule{Effect: Effect{Corrupt: 1}})
	for i := range 500 {
		l.Send(0, l.a, l.b, l.datagram(uint16(i), byte(i)))
	}
	if len(l.b.got) != 0 {
		t.Errorf("%d corrupted IPv4 packets passed", len(l.b.got))
	}
	l.a.ip, l.b.ip = netip.MustParseAddr("fd00::1"), netip.MustParseAddr("fd00::2")
	for i := range 500 {
		l.Send(0, l.a, l.b, l.datagram(uint16(i), byte(i)))
	}
	for _, p := range l.b.packets {
		if p.TTL == 64 && p.TOS == 0 && p.FlowLabel == 0 && p.Proto == wire.UDP {
			t.Errorf("%+v passed with nothing changed that has no checksum", p)
		}
	}
	if n := len(l.b.got); n == 0 || n > 200 { // 36 of 392 bits
		t.Errorf("%d of 500 corrupted IPv6 packets passed", n)
	}
}

// What a sender hears of each action.
func TestAnswers(t *testing.T) {
	tcp := func(l *bench, s wire.Segment) *wire.Packet {
		p := wire.NewPacket()
		p.Src, p.Dst, p.Proto, p.TCP = l.a.ip, l.b.ip, wire.TCP, s
		return p
	}
	for _, c := range []struct {
		name   string
		action Action
		packet func(l *bench) *wire.Packet
		want   func(p *wire.Packet) bool // nil: nothing is heard
	}{
		{"drop", Drop, func(l *bench) *wire.Packet { return l.datagram(1, 1) }, nil},
		{"reset of SYN", Reset, func(l *bench) *wire.Packet {
			return tcp(l, wire.Segment{SrcPort: 1, DstPort: 2, Seq: 100, Flags: wire.SYN})
		}, func(p *wire.Packet) bool {
			return p.TCP.Flags == wire.RST|wire.ACK && p.TCP.Ack == 101 && p.TCP.SrcPort == 2 && p.TCP.DstPort == 1
		}},
		{"reset of data", Reset, func(l *bench) *wire.Packet {
			return tcp(l, wire.Segment{Seq: 100, Ack: 7, Flags: wire.ACK, Payload: []byte("x")})
		}, func(p *wire.Packet) bool { return p.TCP.Flags == wire.RST && p.TCP.Seq == 7 }},
		{"reset of reset", Reset, func(l *bench) *wire.Packet { return tcp(l, wire.Segment{Flags: wire.RST}) }, nil},
		{"reset of UDP", Reset, func(l *bench) *wire.Packet { return l.datagram(1, 1) }, nil},
		{"unreachable", Unreachable, func(l *bench) *wire.Packet { return l.datagram(5, 1) }, func(p *wire.Packet) bool {
			return p.Proto == wire.ICMP && p.ICMP.Type == 3 && p.ICMP.Code == 1 && p.ICMP.Quote.UDP.SrcPort == 5
		}},
		{"prohibited", Prohibited, func(l *bench) *wire.Packet { return l.datagram(5, 1) }, func(p *wire.Packet) bool {
			return p.ICMP.Type == 3 && p.ICMP.Code == 13
		}},
		{"unreachable IPv6", Unreachable, func(l *bench) *wire.Packet {
			l.a.ip, l.b.ip = netip.MustParseAddr("fd00::1"), netip.MustParseAddr("fd00::2")
			return l.datagram(5, 1)
		}, func(p *wire.Packet) bool { return p.Proto == wire.ICMPv6 && p.ICMP.Type == 1 && p.ICMP.Code == 3 }},
		{"an error about an error", Unreachable, func(l *bench) *wire.Packet { return errorFor(l.datagram(1, 1), 3, 1, 1, 3) }, nil},
		{"multicast", Unreachable, func(l *bench) *wire.Packet {
			p := l.datagram(1, 1)
			p.Dst = netip.MustParseAddr("224.0.0.1")
			return p
		}, nil},
	} {
		l := newBench(t, 1, Rule{Action: c.action})
		p := c.packet(l)
		src, dst := p.Src, p.Dst
		l.Send(time.Second, l.a, l.b, p)
		if len(l.b.got) != 0 {
			t.Errorf("%s: it arrived", c.name)
		}
		if c.want == nil {
			if len(l.a.got) != 0 {
				t.Errorf("%s: the sender heard %+v", c.name, l.a.packets[0])
			}
			continue
		}
		if len(l.a.got) != 1 || l.a.got[0] != time.Second || !c.want(l.a.packets[0]) {
			t.Errorf("%s: the sender heard %v", c.name, l.a.packets)
			continue
		}
		if a := l.a.packets[0]; a.Src != dst || a.Dst != src {
			t.Errorf("%s: answer from %v to %v", c.name, a.Src, a.Dst)
		}
	}
}
