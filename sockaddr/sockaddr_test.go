// SPDX-License-Identifier: Apache-2.0

package sockaddr

import (
	"bytes"
	"net/netip"
	"testing"
)

func TestRoundTrip(t *testing.T) {
	for _, a := range []Addr{
		Of(netip.MustParseAddrPort("10.0.0.1:80")),
		Of(netip.MustParseAddrPort("[fd00::1]:65535")),
		{Family: Inet6, IP: netip.MustParseAddr("fe80::1"), Port: 7, Scope: 3, FlowInfo: 0x12345},
		OfUnix("/run/s"), OfUnix("\x00abstract\x00name"), OfUnix(""),
	} {
		if got := parse(a.Append(nil)); got != a {
			t.Errorf("parsed %+v, want %+v", got, a)
		}
	}
}

// parse reads b by the family it names.
func parse(b []byte) Addr {
	switch FamilyOf(b) {
	case Inet:
		return ParseInet(b)
	case Inet6:
		return ParseInet6(b)
	}
	return ParseUnix(b)
}

func TestParseUnixEndsAtNul(t *testing.T) {
	b := OfUnix("/s").Append(nil)
	if got := ParseUnix(append(b, "junk"...)).Name; got != "/s" {
		t.Errorf("path %q, want /s", got)
	}
	if got := ParseUnix(b[:len(b)-1]).Name; got != "/s" {
		t.Errorf("path without NUL %q, want /s", got)
	}
}

func TestRawCopy(t *testing.T) {
	for _, c := range []struct {
		raw Raw
		ok  bool
	}{
		{Raw{Mem: []byte{1, 2, 3}, Len: 2}, true},
		{Raw{Mem: []byte{1, 2, 3}, Len: 4}, false},
		{Raw{Mem: []byte{1}, Len: -1}, false},
		{Raw{Len: 0}, true},
		{Raw{Len: 16}, false},
	} {
		if b, ok := c.raw.Copy(); ok != c.ok || ok && len(b) != c.raw.Len {
			t.Errorf("%+v: Copy() = %v, %v", c.raw, b, ok)
		}
	}
}

func TestString(t *testing.T) {
	for _, c := range []struct {
		a    Addr
		want string
	}{
		{Of(netip.MustParseAddrPort("10.0.0.1:80")), "10.0.0.1:80"},
		{Of(netip.MustParseAddrPort("[fd00::1]:80")), "[fd00::1]:80"},
		{Addr{Family: Inet6, IP: netip.MustParseAddr("fe80::1"), Port: 7, Scope: 3}, "[fe80::1%3]:7"},
		{OfUnix("/s"), "/s"},
		{OfUnix("\x00n"), "@n"},
		{OfUnix(""), "unnamed"},
		{Addr{}, "AF_UNSPEC"},
		{Addr{Family: 99}, "AF_99"},
	} {
		if got := c.a.String(); got != c.want {
			t.Errorf("String() = %q, want %q", got, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(Of(netip.MustParseAddrPort("10.0.0.1:80")).Append(nil))
	f.Add(OfUnix("/s").Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= LenInet {
			ParseInet(b)
		}
		if len(b) >= LenInet6Short {
			ParseInet6(b)
		}
		if len(b) < LenFamily || len(b) > LenUnix {
			return
		}
		a := ParseUnix(b)
		a.Family = Unix
		if got := ParseUnix(a.Append(nil)); got != a {
			t.Errorf("%+v became %+v", a, got)
		}
		if a.IsAbstract() && !bytes.Equal(a.Append(nil)[2:], b[2:]) {
			t.Errorf("an abstract name changed: %q", b)
		}
	})
}
