// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"

	"golang.org/x/net/dns/dnsmessage"
)

func named() *Network {
	n := NewNetwork()
	n.Host("web.test")
	n.Host("Client.test")
	n.AddName("far.test", netip.MustParseAddr("192.0.2.9"))
	return n
}

// The Go resolver gets the network's names and no others, inside of bubbles and outside in any order.
func TestResolver(t *testing.T) {
	look := func(t *testing.T) {
		r, ctx := named().Resolver(), context.Background()
		for _, c := range []struct {
			network, name string
			want          []string
		}{
			{"ip4", "web.test.", []string{"10.0.0.1"}},
			{"ip6", "web.test.", []string{"fd00::1"}},
			{"ip4", "WEB.test.", []string{"10.0.0.1"}},
			{"ip4", "client.test.", []string{"10.0.0.2"}},
			{"ip4", "far.test.", []string{"192.0.2.9"}},
		} {
			got, err := r.LookupNetIP(ctx, c.network, c.name)
			var texts []string
			for _, ip := range got {
				texts = append(texts, ip.Unmap().String())
			}
			if err != nil || !slices.Equal(texts, c.want) {
				t.Errorf("%s of %s: %v, %v; want %v", c.network, c.name, texts, err, c.want)
			}
		}
		for _, name := range []string{"nobody.test.", "www.iana.org."} {
			_, err := r.LookupHost(ctx, name)
			var dns *net.DNSError
			if !errors.As(err, &dns) || !dns.IsNotFound {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, address := range []string{"10.0.0.1", "fd00::1"} {
			if names, err := r.LookupAddr(ctx, address); err != nil || !slices.Equal(names, []string{"web.test."}) {
				t.Errorf("%s: %v, %v", address, names, err)
			}
		}
		if txt, err := r.LookupTXT(ctx, "web.test."); err == nil {
			t.Errorf("TXT: %q", txt)
		}
	}
	synctest.Test(t, look)
	look(t)
	synctest.Test(t, look)
}

// Questions that nobody should ask.
func TestNameServerRefusals(t *testing.T) {
	n := named()
	question := func(change func(*dnsmessage.Message)) []byte {
		m := dnsmessage.Message{Header: dnsmessage.Header{ID: 7, RecursionDesired: true}, Questions: []dnsmessage.Question{{
			Name: dnsmessage.MustNewName("web.test."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET,
		}}}
		change(&m)
		b, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, c := range []struct {
		name    string
		b       []byte
		answers int // -1: none at all
		rcode   dnsmessage.RCode
	}{
		{"one that is in order", question(func(*dnsmessage.Message) {}), 1, dnsmessage.RCodeSuccess},
		{"no header", []byte{1, 2, 3}, -1, 0},
		{"an answer", question(func(m *dnsmessage.Message) { m.Response = true }), -1, 0},
		{"another operation", question(func(m *dnsmessage.Message) { m.OpCode = 5 }), 0, dnsmessage.RCodeNotImplemented},
		{"no question", question(func(m *dnsmessage.Message) { m.Questions = nil }), 0, dnsmessage.RCodeFormatError},
		{"two questions", question(func(m *dnsmessage.Message) { m.Questions = append(m.Questions, m.Questions...) }), 0, dnsmessage.RCodeFormatError},
		{"another class", question(func(m *dnsmessage.Message) { m.Questions[0].Class = dnsmessage.ClassCHAOS }), 0, dnsmessage.RCodeSuccess},
		{"another type", question(func(m *dnsmessage.Message) { m.Questions[0].Type = dnsmessage.TypeMX }), 0, dnsmessage.RCodeSuccess},
		{"the root", question(func(m *dnsmessage.Message) { m.Questions[0].Name = dnsmessage.MustNewName(".") }), 0, dnsmessage.RCodeNameError},
		{"cut off", question(func(*dnsmessage.Message) {})[:20], 0, dnsmessage.RCodeFormatError},
		{"a pointer", append(question(func(*dnsmessage.Message) {})[:12], 0xc0, 12, 0, 1, 0, 1), 0, dnsmessage.RCodeFormatError},
	} {
		b := n.answerName(c.b)
		if b == nil {
			if c.answers >= 0 {
				t.Errorf("%s: no answer", c.name)
			}
			continue
		}
		var m dnsmessage.Message
		if err := m.Unpack(b); err != nil || len(m.Answers) != c.answers || m.RCode != c.rcode || m.ID != 7 {
			t.Errorf("%s: %v, %v", c.name, m.GoString(), err)
		}
	}
}

// Whatever comes, the answer is a message that another decoder reads, to the question that was asked.
func FuzzNameServer(f *testing.F) {
	n := named()
	for _, name := range []string{"web.test.", "1.0.0.10.in-addr.arpa.", "nobody.test.", "."} {
		for _, typ := range []dnsmessage.Type{dnsmessage.TypeA, dnsmessage.TypeAAAA, dnsmessage.TypePTR, dnsmessage.TypeMX} {
			m := dnsmessage.Message{Questions: []dnsmessage.Question{{
				Name: dnsmessage.MustNewName(name), Type: typ, Class: dnsmessage.ClassINET,
			}}}
			b, err := m.Pack()
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a := n.answerName(b)
		if a == nil {
			return
		}
		var p dnsmessage.Parser
		h, err := p.Start(a)
		if err != nil || !h.Response || h.ID != uint16(b[0])<<8|uint16(b[1]) {
			t.Fatalf("header %+v, %v", h, err)
		}
		questions, err := p.AllQuestions()
		if err != nil {
			t.Fatalf("questions: %v", err)
		}
		answers, err := p.AllAnswers()
		if err != nil {
			t.Fatalf("answers: %v", err)
		}
		for _, x := range answers {
			if len(questions) != 1 || x.Header.Type != questions[0].Type || x.Header.Name != questions[0].Name {
				t.Errorf("%+v does not answer %+v", x.Header, questions)
			}
		}
	})
}

// Names of addresses read back as the addresses.
func TestReverse(t *testing.T) {
	for name, want := range map[string]string{
		"1.0.0.10.in-addr.arpa.": "10.0.0.1",
		"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.D.F.ip6.arpa.": "fd00::1",
		"b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.IP6.ARPA.": "4321:0:1:2:3:4:567:89ab",
		"0.0.10.in-addr.arpa.":     "",
		"1.1.0.0.10.in-addr.arpa.": "",
		"999.0.0.10.in-addr.arpa.": "",
		"g.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa.": "",
		"1.ip6.arpa.": "",
		"web.test.":   "",
	} {
		ip, ok := reverse(name)
		if ok != (want != "") || ok && ip != netip.MustParseAddr(want) {
			t.Errorf("%s: %v, %v; want %q", name, ip, ok, want)
		}
	}
}
