// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"net/netip"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

func TestParseAddress(t *testing.T) {
	tests := []struct {
		s    string
		mods []string
		text string // of the bytes
		len  int64
	}{
		{"10.0.0.2:80", nil, "10.0.0.2:80", 16},
		{"[fd00::2]:80", nil, "[fd00::2]:80", 28},
		{"[fd00::2%3]:80", nil, "[fd00::2%i3]:80", 28},
		{"[::ffff:1.2.3.4]:80", nil, "[::ffff:1.2.3.4]:80", 28},
		{"10.0.0.2:80", []string{"len=3"}, "10.0.0.2:80", 3},
		{"10.0.0.2:80", []string{"family=77", "len=-1"}, "family 77, 16 bytes", -1},
		{"unix:/s", nil, "unix:/s", 5},
		{"unix:", nil, "unnamed", 2},
		{"unix:@", nil, "unix:@", 3},
		{"unix:@nm", nil, "unix:@nm", 5},
		{`unix:"\x00nm\x00"`, nil, "unix:@nm\x00", 6},
		{`unix:"s\x00garbage"`, nil, "unix:s", 11},
		{"unspec", nil, "family 0, 16 bytes", 16},
		{"netlink:4242", nil, "netlink:4242", 12},
		{"netlink:0/8001", []string{"len=4"}, "netlink:0/8001", 4},
		{"raw:100000009210000001000000", nil, "netlink:4242/1", 12},
		{"raw:11000000", nil, "family 17, 4 bytes", 4},
	}
	for _, tt := range tests {
		a, err := parseAddress(tt.s, tt.mods)
		if err != nil {
			t.Errorf("%s: %v", tt.s, err)
			continue
		}
		text := AddressText(a.Bytes, func(i int) string { return "i" + strconv.Itoa(i) })
		if text != tt.text || a.Len != tt.len {
			t.Errorf("%s %v: %q, length %d; expected %q, %d", tt.s, tt.mods, text, a.Len, tt.text, tt.len)
		}
	}
}

func TestParseAddress_refuses(t *testing.T) {
	for _, tt := range []struct {
		s    string
		mods []string
	}{
		{"10.0.0.2", nil},
		{"[fd00::2]", nil},
		{"10.0.0.2:99999", nil},
		{"NULL", nil},
		{"unix:\"", nil},
		{"raw:0", nil},
		{"netlink:", nil},
		{"netlink:1/x", nil},
		{"", nil},
		{"10.0.0.2:1", []string{"len=x"}},
		{"10.0.0.2:1", []string{"len=9999999999"}},
		{"10.0.0.2:1", []string{"flowinfo=1"}},
		{"NULL", []string{"family=1"}},
	} {
		if a, err := parseAddress(tt.s, tt.mods); err == nil {
			t.Errorf("%q %v is accepted: %+v", tt.s, tt.mods, a)
		}
	}
}

// What is written is what is read.
func TestAddressText_roundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var ip netip.Addr
		if rapid.Bool().Draw(t, "v4") {
			ip = netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "ip")))
		} else {
			ip = netip.AddrFrom16([16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "ip")))
		}
		want := netip.AddrPortFrom(ip, rapid.Uint16().Draw(t, "port")).String()
		a, err := parseAddress(want, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := AddressText(a.Bytes, nil); got != want {
			t.Fatalf("%s became %s", want, got)
		}
	})
}

func FuzzAddressText(f *testing.F) {
	f.Add([]byte{2, 0, 0, 80, 10, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{1, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		if AddressText(b, strconv.Itoa) == "" {
			t.Fatal("no text")
		}
	})
}
