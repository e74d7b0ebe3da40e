// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
	"pgregory.net/rapid"
)

const named = `
links: {lan: {kind: hub}}
hosts:
  Web.test:
    aliases: [www.test, web]
    interfaces:
      eth0: {link: lan, addresses: [10.0.0.1/24, "fd00::1/64"]}
      eth1: {link: lan, addresses: [10.0.1.1/24]}
  bare.sub.test: {}
names:
  extra.test: [10.9.9.9, "fd00::9"]
  second.test: [10.9.9.9]
srv:
  _http._tcp.test:
    - {host: web, port: 80, weight: 5}
    - {host: Web.test, port: 8080, priority: 1}
`

func zoneOf(t testing.TB, file string) *zone {
	t.Helper()
	return running(t, file).zone
}

// running starts the network of a file, which ends with the test.
func running(t testing.TB, file string) *Running {
	t.Helper()
	r := started(t, file)
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// started is running for a test that ends the network itself.
func started(t testing.TB, file string) *Running {
	t.Helper()
	s, err := Parse("f", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Start()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// texts returns records without their time to live, sorted.
func texts(records []dns.RR) string {
	var all []string
	for _, r := range records {
		all = append(all, strings.Join(strings.Fields(strings.Replace(r.String(), "\t60\tIN", "", 1)), " "))
	}
	slices.Sort(all)
	return strings.Join(all, "; ")
}

func TestAnswers(t *testing.T) {
	z := zoneOf(t, named)
	for _, test := range []struct {
		name   string
		qtype  uint16
		rcode  int
		answer string
	}{
		{"web.test.", dns.TypeA, dns.RcodeSuccess, "web.test. A 10.0.0.1; web.test. A 10.0.1.1"},
		{"wEb.TeSt.", dns.TypeAAAA, dns.RcodeSuccess, "wEb.TeSt. AAAA fd00::1"},
		{"web.", dns.TypeAAAA, dns.RcodeSuccess, "web. AAAA fd00::1"},
		{"www.test.", dns.TypeANY, dns.RcodeSuccess, "www.test. A 10.0.0.1; www.test. A 10.0.1.1; www.test. AAAA fd00::1"},
		{"web.test.", dns.TypeMX, dns.RcodeSuccess, ""},
		{"bare.sub.test.", dns.TypeA, dns.RcodeSuccess, ""},
		{"sub.test.", dns.TypeA, dns.RcodeSuccess, ""}, // there are names below it (RFC 8020)
		{"test.", dns.TypeA, dns.RcodeSuccess, ""},
		{"none.test.", dns.TypeA, dns.RcodeNameError, ""},
		{"deeper.web.test.", dns.TypeA, dns.RcodeNameError, ""},
		{"example.com.", dns.TypeA, dns.RcodeNameError, ""},
		{".", dns.TypeNS, dns.RcodeNameError, ""},
		{"localhost.", dns.TypeA, dns.RcodeSuccess, "localhost. A 127.0.0.1"},
		{"extra.test.", dns.TypeANY, dns.RcodeSuccess, "extra.test. A 10.9.9.9; extra.test. AAAA fd00::9"},
		{"1.1.0.10.in-addr.arpa.", dns.TypePTR, dns.RcodeSuccess, "1.1.0.10.in-addr.arpa. PTR web.test."},
		{"9.9.9.10.in-addr.arpa.", dns.TypePTR, dns.RcodeSuccess, "9.9.9.10.in-addr.arpa. PTR extra.test."},
		{"1.0.0.127.in-addr.arpa.", dns.TypePTR, dns.RcodeSuccess, "1.0.0.127.in-addr.arpa. PTR localhost."},
		{"2.1.0.10.in-addr.arpa.", dns.TypePTR, dns.RcodeNameError, ""},
		{"1.0.10.in-addr.arpa.", dns.TypePTR, dns.RcodeNameError, ""},
		{
			"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa.", dns.TypePTR, dns.RcodeSuccess,
			"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa. PTR web.test.",
		},
		{
			"_http._tcp.test.", dns.TypeSRV, dns.RcodeSuccess,
			"_http._tcp.test. SRV 0 5 80 web.; _http._tcp.test. SRV 1 0 8080 web.test.",
		},
		{"_http._tcp.test.", dns.TypeA, dns.RcodeSuccess, ""},
		{"_tcp.test.", dns.TypeA, dns.RcodeSuccess, ""},
	} {
		reply := z.answer(new(dns.Msg).SetQuestion(test.name, test.qtype))
		if reply.Rcode != test.rcode || texts(reply.Answer) != test.answer {
			t.Errorf("%s %s: %s %q, want %s %q", test.name, dns.TypeToString[test.qtype],
				dns.RcodeToString[reply.Rcode], texts(reply.Answer), dns.RcodeToString[test.rcode], test.answer)
		}
	}
}

func TestServiceComesWithAddresses(t *testing.T) {
	reply := zoneOf(t, named).answer(new(dns.Msg).SetQuestion("_http._tcp.test.", dns.TypeSRV))
	const want = "web. A 10.0.0.1; web. A 10.0.1.1; web. AAAA fd00::1; " +
		"web.test. A 10.0.0.1; web.test. A 10.0.1.1; web.test. AAAA fd00::1"
	if got := texts(reply.Extra); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

func TestQuestionsNotAnswered(t *testing.T) {
	z := zoneOf(t, named)
	query := func(change func(*dns.Msg)) []byte {
		m := new(dns.Msg).SetQuestion("web.test.", dns.TypeA)
		change(m)
		b, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, test := range []struct {
		name  string
		query []byte
		rcode int // -1: no reply
	}{
		{"answered", query(func(*dns.Msg) {}), dns.RcodeSuccess},
		{"an answer", query(func(m *dns.Msg) { m.Response = true }), -1},
		{"a status request", query(func(m *dns.Msg) { m.Opcode = dns.OpcodeStatus }), dns.RcodeNotImplemented},
		{"class CHAOS", query(func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }), dns.RcodeRefused},
		{"no question", query(func(m *dns.Msg) { m.Question = nil }), dns.RcodeFormatError},
		{"two questions", query(func(m *dns.Msg) { m.Question = append(m.Question, m.Question[0]) }), dns.RcodeFormatError},
		{"cut short", query(func(*dns.Msg) {})[:20], dns.RcodeFormatError},
		{"no header", query(func(*dns.Msg) {})[:11], -1},
	} {
		reply := z.reply(test.query, 512)
		if test.rcode < 0 {
			if reply != nil {
				t.Errorf("%s: reply % x, want none", test.name, reply)
			}
			continue
		}
		m := new(dns.Msg)
		if err := m.Unpack(reply); err != nil || m.Rcode != test.rcode || !m.Response || m.Id != uint16(test.query[0])<<8|uint16(test.query[1]) {
			t.Errorf("%s: %v\n%v\nwant %s", test.name, err, m, dns.RcodeToString[test.rcode])
		}
	}
}

// TestReversed compares with the other library's way from an address to its name.
func TestReversed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "address")
		a := netip.AddrFrom16([16]byte(b))
		if rapid.Bool().Draw(t, "IPv4") {
			a = netip.AddrFrom4([4]byte(b[:4]))
		}
		name, err := dns.ReverseAddr(a.String())
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := reversed(canonical(name)); !ok || got != a {
			t.Fatalf("%s: %v %v, want %v", name, got, ok, a)
		}
	})
	for _, name := range []string{"x.ip6.arpa", "1.2.3.in-addr.arpa", "256.1.1.1.in-addr.arpa", strings.Repeat("x.", 31) + "x.ip6.arpa", "web.test"} {
		if a, ok := reversed(name); ok {
			t.Errorf("%s: %v, want none", name, a)
		}
	}
}

// many is a name with more addresses than fit into 512 bytes.
func many() string {
	all := make([]string, 60)
	for i := range all {
		all[i] = netip.AddrFrom4([4]byte{10, 1, 1, byte(i + 1)}).String()
	}
	return "hosts: {a.test: {}}\nnames:\n  many.test: [" + strings.Join(all, ", ") + "]\n"
}

// TestTruncation asks over the kernel's loopback, as a resolver does: first over UDP, then again over TCP.
func TestTruncation(t *testing.T) {
	z := zoneOf(t, many())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var s servers
	s.accept(l, z.answerTCP)
	s.receive(p, z.answerUDP)
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, test := range []struct {
		network   string
		address   net.Addr
		size      uint16 // of EDNS; 0: without
		truncated bool
	}{
		{"udp", p.LocalAddr(), 0, true},
		{"udp", p.LocalAddr(), 600, true},
		{"udp", p.LocalAddr(), 4096, false},
		{"tcp", l.Addr(), 0, false},
	} {
		query := new(dns.Msg).SetQuestion("many.test.", dns.TypeA)
		if test.size > 0 {
			query.SetEdns0(test.size, false)
		}
		reply, _, err := (&dns.Client{Net: test.network, UDPSize: max(test.size, 512)}).Exchange(query, test.address.String())
		if err != nil {
			t.Fatalf("%s, EDNS %d: %v", test.network, test.size, err)
		}
		if reply.Truncated != test.truncated || (len(reply.Answer) == 60) == test.truncated {
			t.Errorf("%s, EDNS %d: truncated %v, %d of 60 addresses", test.network, test.size, reply.Truncated, len(reply.Answer))
		}
		if (reply.IsEdns0() != nil) != (test.size > 0) {
			t.Errorf("%s, EDNS %d: EDNS in the reply %v", test.network, test.size, reply.IsEdns0())
		}
	}
}

func FuzzReply(f *testing.F) {
	z := zoneOf(f, named)
	for _, m := range []*dns.Msg{
		new(dns.Msg).SetQuestion("web.test.", dns.TypeA),
		new(dns.Msg).SetQuestion("_http._tcp.test.", dns.TypeSRV),
		new(dns.Msg).SetQuestion("1.0.0.10.in-addr.arpa.", dns.TypeANY).SetEdns0(1232, true),
	} {
		b, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, query []byte) {
		reply := z.reply(query, 512)
		if reply == nil {
			return
		}
		m := new(dns.Msg)
		if err := m.Unpack(reply); err != nil {
			t.Fatalf("% x: %v", reply, err)
		}
		if !m.Response || reply[0] != query[0] || reply[1] != query[1] {
			t.Fatalf("no reply to that query: %v", m)
		}
	})
}
