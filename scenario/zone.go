// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"

	"dialtone"
)

// zone answers questions about the names of a network: hosts, aliases and other names as the network has them at that
// moment, services as the file says. It is the whole world: a name it doesn't have doesn't exist.
type zone struct {
	network  *dialtone.Network
	services map[string][]srvPart // by lower-case name without the last dot
	parents  map[string]bool      // names of the file that only have others below them
}

// recordTTL is how long an answer may be kept. Names of a network hardly change; a client that outlives it should still
// not remember them for long.
const recordTTL = 60 * time.Second

func newZone(f *file, n *dialtone.Network) *zone {
	z := &zone{n, make(map[string][]srvPart), make(map[string]bool)}
	for i := range f.Hosts {
		z.parentsOf(f.Hosts[i].name.v)
		for _, alias := range f.Hosts[i].v.Aliases {
			z.parentsOf(alias.v)
		}
	}
	for i := range f.Names {
		z.parentsOf(f.Names[i].name.v)
	}
	for i := range f.SRV {
		z.parentsOf(f.SRV[i].name.v)
		z.services[canonical(f.SRV[i].name.v)] = f.SRV[i].v
	}
	return z
}

// parentsOf notes that names above name exist, though nothing is known about them (RFC 8020).
func (z *zone) parentsOf(name string) {
	for _, parent, ok := strings.Cut(canonical(name), "."); ok; _, parent, ok = strings.Cut(parent, ".") {
		z.parents[parent] = true
	}
}

// addresses returns the addresses of a canonical name; ok is false if there is no such name.
func (z *zone) addresses(name string) (all []netip.Addr, ok bool) {
	if name == "localhost" { // RFC 6761, 6.3
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}, true
	}
	all = z.network.Addresses(name)
	_, ok = z.network.Lookup(name) // a host without an address has a name all the same
	return all, ok || len(all) > 0
}

// owner returns the name that an address leads back to: a host's before any other.
func (z *zone) owner(a netip.Addr) (name string, ok bool) {
	if a.IsLoopback() {
		return "localhost", true
	}
	names := z.network.Names(a)
	if len(names) == 0 {
		return "", false
	}
	for _, name := range names {
		if _, host := z.network.Lookup(name); host {
			return name, true
		}
	}
	return names[0], true
}

func canonical(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// answer returns the reply to query, which comes with one question at least; nil if that is to stay unanswered.
func (z *zone) answer(query *dns.Msg) *dns.Msg {
	reply := new(dns.Msg).SetReply(query)
	if query.Opcode != dns.OpcodeQuery {
		return reply.SetRcode(query, dns.RcodeNotImplemented)
	}
	question := query.Question[0]
	if question.Qclass != dns.ClassINET && question.Qclass != dns.ClassANY {
		return reply.SetRcode(query, dns.RcodeRefused)
	}
	reply.RecursionAvailable = true // there is nothing to recurse to: the zone is all there is
	switch z.network.NameFault(question.Name) {
	case dialtone.NameSilent:
		return nil
	case dialtone.NameServFail:
		reply.Rcode = dns.RcodeServerFailure
	case dialtone.NameNotFound:
		reply.Authoritative, reply.Rcode = true, dns.RcodeNameError
	default:
		reply.Authoritative = true
		if !z.records(reply, question) {
			reply.Rcode = dns.RcodeNameError
		}
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
	if addresses, ok := z.addresses(name); ok {
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
		if owner, ok := z.owner(a); ok {
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
		addresses, _ := z.addresses(canonical(target))
		for _, a := range addresses {
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
