// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"cmp"
	"net/netip"
	"slices"
)

// ordered returns the addresses of a name in the order of RFC 6724, section 6, as far as it tells addresses of one host
// apart: rules 1 (a way there), 2 (the scope of the source), 5 (its label), 6 (precedence) and 8 (the smaller scope).
// Equals stay as they were. Rules 3, 4 and 7 ask for what hosts here don't have; rule 9 package net leaves out for IPv4
// too, and on one host's own links it says nothing more.
func (h *Host) ordered(ips []netip.Addr) []netip.Addr {
	if len(ips) < 2 {
		return ips
	}
	type candidate struct {
		ip     netip.Addr
		source netip.Addr
		usable bool
	}
	all := make([]candidate, len(ips))
	for i, ip := range ips {
		all[i].ip = ip
		all[i].source, all[i].usable = h.stack.SourceFor(ip)
	}
	better := func(is bool) int { // less is better
		if is {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(all, func(a, b candidate) int {
		labelA, precedenceA := policyOf(a.ip)
		labelB, precedenceB := policyOf(b.ip)
		sourceA, _ := policyOf(a.source)
		sourceB, _ := policyOf(b.source)
		return cmp.Or(
			cmp.Compare(better(a.usable), better(b.usable)),
			cmp.Compare(better(scopeOf(a.ip) == scopeOf(a.source)), better(scopeOf(b.ip) == scopeOf(b.source))),
			cmp.Compare(better(labelA == sourceA), better(labelB == sourceB)),
			cmp.Compare(precedenceB, precedenceA),
			cmp.Compare(scopeOf(a.ip), scopeOf(b.ip)),
		)
	})
	sorted := make([]netip.Addr, len(all))
	for i := range all {
		sorted[i] = all[i].ip
	}
	return sorted
}

// policies is the default policy table (RFC 6724, 2.1), longest prefix first.
var policies = [...]struct {
	prefix            netip.Prefix
	precedence, label int
}{
	{netip.MustParsePrefix("::1/128"), 50, 0},
	{netip.MustParsePrefix("::ffff:0:0/96"), 35, 4},
	{netip.MustParsePrefix("::/96"), 1, 3},
	{netip.MustParsePrefix("2001::/32"), 5, 5},
	{netip.MustParsePrefix("2002::/16"), 30, 2},
	{netip.MustParsePrefix("3ffe::/16"), 1, 12},
	{netip.MustParsePrefix("fec0::/10"), 1, 11},
	{netip.MustParsePrefix("fc00::/7"), 3, 13},
	{netip.MustParsePrefix("::/0"), 40, 1},
}

// policyOf looks an address up; IPv4 addresses are looked up in mapped form (RFC 6724, 2.1). One that is not valid has
// no label.
func policyOf(ip netip.Addr) (label, precedence int) {
	if !ip.IsValid() {
		return -1, 0
	}
	ip = netip.AddrFrom16(ip.As16()).WithZone("")
	for _, p := range policies {
		if containsMapped(p.prefix, ip) {
			return p.label, p.precedence
		}
	}
	return -1, 0 // not reached: ::/0 has every address
}

// containsMapped is Prefix.Contains that takes an IPv4-mapped address for the IPv6 address it is.
func containsMapped(p netip.Prefix, ip netip.Addr) bool {
	masked, err := ip.Prefix(p.Bits())
	return err == nil && masked.Addr() == p.Addr()
}

// Scopes (RFC 4291, 2.7; RFC 6724, 3.1 and 3.2).
const (
	linkLocal = 0x2
	siteLocal = 0x5
	global    = 0xe
)

// scopeOf returns the scope of an address; loopback counts as link-local (RFC 6724, 3.4).
func scopeOf(ip netip.Addr) int {
	switch {
	case !ip.IsValid():
		return 0
	case ip.Is6() && ip.IsMulticast():
		return int(ip.As16()[1] & 0xf)
	case ip.IsLoopback(), ip.IsLinkLocalUnicast():
		return linkLocal
	case ip.Is6() && containsMapped(policies[6].prefix, ip):
		return siteLocal
	}
	return global
}
