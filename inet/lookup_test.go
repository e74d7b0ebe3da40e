// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"net/netip"
	"testing"

	"dialtone/errno"
)

// The way, the source address and the errors, in the order that Linux looks for them (ip_route_output_key_hash,
// ip6_dst_lookup_tail).
func TestLookUp(t *testing.T) {
	s := newTestStack(t)
	a0, a1 := s.interfaces[1], s.interfaces[2]
	for _, p := range []string{"10.0.0.1/24", "10.0.0.7/24", "fe80::1/64", "fd00::1/64"} {
		a0.AddAddress(netip.MustParsePrefix(p))
	}
	for _, p := range []string{"172.16.0.1/24", "fe80::2/64"} {
		a1.AddAddress(netip.MustParsePrefix(p))
	}
	for _, r := range []Route{
		{Prefix: netip.MustParsePrefix("192.0.2.0/24"), Gateway: netip.MustParseAddr("10.0.0.9"), Interface: a0},
		{Prefix: netip.MustParsePrefix("198.51.100.0/24"), Interface: a0, Source: netip.MustParseAddr("10.0.0.7")},
	} {
		if err := s.AddRoute(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.AddRule(Rule{Type: Unreachable, Prefix: netip.MustParsePrefix("172.16.0.66/32")}); err != nil {
		t.Fatal(err)
	}
	if err := s.AddRule(Rule{Type: Unicast, Prefix: netip.MustParsePrefix("10.0.0.0/8")}); err == nil {
		t.Error("a rule that routes was accepted")
	}
	for _, c := range []struct {
		to, from, device string
		onLink, foreign  bool
		out, hop, source string
		errno            errno.Errno
	}{
		{to: "127.0.0.1", out: "lo", source: "127.0.0.1"},
		{to: "127.9.9.9", out: "lo", source: "127.0.0.1"},
		{to: "10.0.0.7", out: "lo", source: "10.0.0.7"},
		{to: "::1", out: "lo", source: "::1"},
		{to: "10.0.0.2", out: "a0", source: "10.0.0.1"},
		{to: "172.16.0.2", out: "a1", source: "172.16.0.1"},
		{to: "192.0.2.1", out: "a0", hop: "10.0.0.9", source: "10.0.0.1"},
		{to: "192.0.2.1", onLink: true, errno: errno.ENETUNREACH},
		{to: "198.51.100.1", out: "a0", source: "10.0.0.7"},
		{to: "203.0.113.1", errno: errno.ENETUNREACH},
		{to: "203.0.113.1", device: "a1", out: "a1", source: "172.16.0.1"}, // taken to be on the link
		{to: "127.0.0.1", device: "a1", out: "a1", source: "172.16.0.1"},
		{to: "203.0.113.1", device: "nope", errno: errno.ENETUNREACH},
		{to: "172.16.0.66", errno: errno.ENETUNREACH}, // the rule
		{to: "10.0.0.2", from: "10.0.0.7", out: "a0", source: "10.0.0.7"},
		{to: "10.0.0.2", from: "127.0.0.1", errno: errno.EINVAL},
		{to: "10.0.0.2", from: "192.0.2.77", errno: errno.ENETUNREACH}, // no address of the host's
		{to: "10.0.0.2", from: "192.0.2.77", foreign: true, out: "a0", source: "192.0.2.77"},
		{to: "10.0.0.255", out: "a0", source: "10.0.0.1"},
		{to: "fd00::2", out: "a0", source: "fd00::1"},
		{to: "fd00::2", from: "::1", out: "a0", source: "::1"},
		{to: "fd00::2", from: "2001:db8::77", out: "a0", source: "2001:db8::77"},
		{to: "fd00::2", device: "a1", errno: errno.ENETUNREACH},
		{to: "::1", device: "a0", errno: errno.ENETUNREACH},
		{to: "fe80::9", device: "a1", out: "a1", source: "fe80::2"},
		{to: "fe80::9", device: "lo", errno: errno.ENETUNREACH},
		{to: "ff02::1", device: "a0", out: "a0", source: "fe80::1"},
		{to: "2001:db8::1", errno: errno.ENETUNREACH},
	} {
		q := query{to: netip.MustParseAddr(c.to), device: c.device, onLink: c.onLink, foreign: c.foreign}
		if c.from != "" {
			q.from = netip.MustParseAddr(c.from)
		}
		if c.hop == "" {
			c.hop = c.to
		}
		w, _, e := s.lookUp(q)
		if e != c.errno {
			t.Errorf("%+v: %s, want %s", c, e.Name(), c.errno.Name())
			continue
		}
		if e == errno.OK && (w.out.Name != c.out || w.nextHop.String() != c.hop || w.source.String() != c.source) {
			t.Errorf("%+v: by %s to %v from %v", c, w.out.Name, w.nextHop, w.source)
		}
	}
}

// Without IPv6 there is nothing to come from, which is said before anything is said of routes.
func TestLookUpWithoutIPv6(t *testing.T) {
	s := newTestStack(t)
	if err := s.SetSysctlNamed("net.ipv6.conf.all.disable_ipv6", "1"); err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{"::1", "2001:db8::1"} {
		if _, _, e := s.lookUp(query{to: netip.MustParseAddr(to)}); e != errno.EADDRNOTAVAIL {
			t.Errorf("%s: %s", to, e.Name())
		}
	}
	s.interfaces[1].AddAddress(netip.MustParsePrefix("fd00::1/64"))
	if s.hasIPv6() {
		t.Error("an address was given while IPv6 is disabled")
	}
}

// An interface that goes down takes its IPv6 addresses and routes along; IPv4's wait for it.
func TestInterfaceDown(t *testing.T) {
	s := newTestStack(t)
	a0 := s.interfaces[1]
	a0.AddAddress(netip.MustParsePrefix("10.0.0.1/24"))
	a0.AddAddress(netip.MustParsePrefix("fd00::1/64"))
	look := func(to string, want errno.Errno) {
		t.Helper()
		if _, _, e := s.lookUp(query{to: netip.MustParseAddr(to)}); e != want {
			t.Errorf("%s: %s, want %s", to, e.Name(), want.Name())
		}
	}
	a0.SetUp(false)
	look("10.0.0.2", errno.ENETUNREACH)
	look("fd00::2", errno.ENETUNREACH)
	a0.SetUp(true)
	look("10.0.0.2", errno.OK)
	look("fd00::2", errno.ENETUNREACH)
	lo := s.interfaces[0]
	lo.SetUp(false)
	look("::1", errno.EADDRNOTAVAIL)
	lo.SetUp(true)
	look("::1", errno.OK)
}
