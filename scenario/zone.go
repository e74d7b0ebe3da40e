// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// zone holds all names of a network, and answers questions about them. It is the whole world: a name it doesn't have
// doesn't exist. It never changes.
type zone struct {
	addresses map[string][]netip.Addr // by lower-case name without the last dot; so are all its names
	owners    map[netip.Addr]string   // the name that an address leads back to
	services  map[string][]srvPart
	parents   map[string]bool // names that only have others below them
}

// recordTTL is how long an answer may be kept. The names of a network never change; a client that outlives it should
// still not remember them for long.
const recordTTL = 60 * time.Second

func newZone(f *file) *zone {
	z := &zone{make(map[string][]netip.Addr), make(map[netip.Addr]string), make(map[string][]srvPart), make(map[string]bool)}
	z.add("localhost", netip.AddrFrom4([4]byte{127, 0, 0, 1})) // RFC 6761, 6.3
	z.add("localhost", netip.IPv6Loopback())
	for i := range f.Hosts {
		h := &f.Hosts[i]
		own := append([]value[string]{h.name}, h.v.Aliases...)
		for _, name := range own {
			z.parentsOf(name.v)
			z.addresses[canonical(name.v)] = nil // a host without an address has a name all the same
			for j := range h.v.Interfaces {
				for _, a := range h.v.Interfaces[j].v.Addresses {
					z.add(name.v, a.v.Addr())
				}
			}
		}
	}
	for i := range f.Names {
		n := &f.Names[i]
		z.parentsOf(n.name.v)
		for _, a := range n.v {
			z.add(n.name.v, a.v)
		}
	}
	for i := range f.SRV {
		s := &f.SRV[i]
		z.parentsOf(s.name.v)
		z.services[canonical(s.name.v)] = s.v
	}
	return z
}

// add gives name an address; the first name of an address is the one it leads back to.
func (z *zone) add(name string, a netip.Addr) {
	name = canonical(name)
	z.addresses[name] = append(z.addresses[name], a)
	if _, known := z.owners[a]; !known {
		z.owners[a] = name
	}
}

func (z *zone) parentsOf(name string) {
	for {
		_, parent, ok := strings.Cut(canonical(name), ".")
		if !ok {
			return
		}
		z.parents[parent] = true
		name = parent
	}
}

func canonical(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// answer returns the reply to query, which comes with one question at least.
func (z *zone) answer(query *dns.Msg) *dns.Msg {
	reply := new(dns.Msg).SetReply(query)
	if query.Opcode != dns.OpcodeQuery {
		return reply.SetRcode(query, dns.RcodeNotImplemented)
	}
	question := query.Question[0]
	if question.Qclass != dns.ClassINET && question.Qclass != dns.ClassANY {
		return reply.SetRcode(query, dns.RcodeRefused)
	}
	reply.Authoritative = true
	reply.RecursionAvailable = true // there is nothing to recurse to: the zone is all there is
	if !z.records(reply, question) {
		reply.Rcode = dns.RcodeNameError
	}
	if options := query.IsEdns0(); options != nil {
		reply.SetEdns0(dns.DefaultMsgSize, false)
	}
	return reply
}

// records adds what there is about the question; it returns false if the name does not exist.
func (z *zone) records(reply *dns.Msg, question dns.Question) bool {
	name, wants := canonical(question.Name), func(t uint16) bool { return question.Qtype == t || question.Qtype == dns.TypeANY }
	exists := z.parents[name]
	if addresses, ok := z.addresses[name]; ok {
		exists = true
		for _, a := range addresses {
			if record := addressRecord(question.Name, a); wants(record.Header().Rrtype) {
				reply.Answer = append(reply.Answer, record)
			}
		}
	}
	if services, ok := z.services[name]; ok {
		exists = true
		if wants(dns.TypeSRV) {
			z.serviceRecords(reply, question.Name, services)
		}
	}
	if a, ok := reversed(name); ok {
		if owner, ok := z.owners[a]; ok {
			exists = true
			if wants(dns.TypePTR) {
				reply.Answer = append(reply.Answer, &dns.PTR{Hdr: header(question.Name, dns.TypePTR), Ptr: dns.Fqdn(owner)})
			}
		}
	}
	return exists
}

// serviceRecords adds the SRV records of services, and the addresses of their hosts (RFC 2782).
func (z *zone) serviceRecords(reply *dns.Msg, name string, services []srvPart) {
	told := make(map[string]bool)
	for i := range services {
		s := &services[i]
		target := dns.Fqdn(canonical(s.Host.v))
		reply.Answer = append(reply.Answer, &dns.SRV{
			Hdr: header(name, dns.TypeSRV), Target: target, Port: s.Port.v, Priority: s.Priority.v, Weight: s.Weight.v,
		})
		if told[target] {
			continue
		}
		told[target] = true
		for _, a := range z.addresses[canonical(target)] {
			reply.Extra = append(reply.Extra, addressRecord(target, a))
		}
	}
}

func addressRecord(name string, a netip.Addr) dns.RR {
	if a.Is4() {
		return &dns.A{Hdr: header(name, dns.TypeA), A: a.AsSlice()}
	}
	return &dns.AAAA{Hdr: header(name, dns.TypeAAAA), AAAA: a.AsSlice()}
}

func header(name string, rrtype uint16) dns.RR_Header {
	return dns.RR_Header{Name: name, Rrtype: rrtype, Class: dns.ClassINET, Ttl: uint32(recordTTL.Seconds())}
}

// reversed returns the address that a name below in-addr.arpa (RFC 1035, 3.5) or ip6.arpa (RFC 3596, 2.5) stands for.
func reversed(name string) (netip.Addr, bool) {
	if digits, ok := strings.CutSuffix(name, ".in-addr.arpa"); ok {
		parts := strings.Split(digits, ".")
		if len(parts) != 4 {
			return netip.Addr{}, false
		}
		a, err := netip.ParseAddr(parts[3] + "." + parts[2] + "." + parts[1] + "." + parts[0])
		return a, err == nil
	}
	nibbles, ok := strings.CutSuffix(name, ".ip6.arpa")
	if !ok || len(nibbles) != 63 {
		return netip.Addr{}, false
	}
	var text strings.Builder
	for i := 62; i >= 0; i -= 2 {
		text.WriteByte(nibbles[i])
		if i%8 == 0 && i > 0 {
			text.WriteByte(':')
		}
	}
	a, err := netip.ParseAddr(text.String())
	return a, err == nil
}
