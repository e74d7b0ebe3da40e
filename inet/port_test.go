// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// search finds a port whenever there is one, tries each, and prefers its parity.
func TestSearchIsExhaustive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first := uint16(rapid.IntRange(1, 65535).Draw(t, "first"))
		n := rapid.IntRange(1, min(64, 65536-int(first))).Draw(t, "n")
		last := first + uint16(n-1)
		parity := uint16(rapid.IntRange(0, 1).Draw(t, "parity"))
		free := map[uint16]bool{}
		preferred := false
		for k := range n {
			if rapid.Bool().Draw(t, "free") {
				p := first + uint16(k)
				free[p] = true
				preferred = preferred || (p^first)&1 == parity
			}
		}
		port, ok := search(first, last, rapid.Uint64().Draw(t, "start"), parity, func(p uint16) bool {
			if p < first || p > last {
				t.Fatalf("asked for %d outside of %d-%d", p, first, last)
			}
			return free[p]
		})
		if ok != (len(free) > 0) || ok && !free[port] {
			t.Fatalf("search = %d, %v with free %v", port, ok, free)
		}
		if preferred && (port^first)&1 != parity {
			t.Fatalf("took %d, of the other parity, with free %v", port, free)
		}
	})
}

// bindCase is a pair of sockets that bind the same port, and whether the second may (socket(7), ip(7), ipv6(7)).
func TestBindConflicts(t *testing.T) {
	any4, any6 := netip.IPv4Unspecified(), netip.IPv6Unspecified()
	lo4, lo6 := netip.MustParseAddr("127.0.0.1"), netip.IPv6Loopback()
	for _, c := range []struct {
		name          string
		first, second netip.Addr
		option        int
		typ           socket.Type
		listening     bool
		v6only        bool
		want          errno.Errno
	}{
		{name: "same address", first: lo4, second: lo4, typ: socket.Stream, want: errno.EADDRINUSE},
		{name: "other address", first: lo4, second: netip.MustParseAddr("127.0.0.2"), typ: socket.Stream},
		{name: "wildcard after address", first: lo4, second: any4, typ: socket.Stream, want: errno.EADDRINUSE},
		{name: "address after wildcard", first: any4, second: lo4, typ: socket.Stream, want: errno.EADDRINUSE},
		{name: "both wildcards", first: any6, second: any4, typ: socket.Stream, want: errno.EADDRINUSE},
		{name: "v6only wildcard and IPv4", first: any6, second: any4, typ: socket.Stream, v6only: true},
		{name: "IPv6 address and IPv4", first: lo6, second: lo4, typ: socket.Stream},
		{name: "reuse", first: lo4, second: lo4, typ: socket.Stream, option: socket.SoReuseAddr},
		{name: "reuse of a listener", first: lo4, second: lo4, typ: socket.Stream, option: socket.SoReuseAddr, listening: true, want: errno.EADDRINUSE},
		{name: "share of a listener", first: lo4, second: lo4, typ: socket.Stream, option: socket.SoReusePort, listening: true},
		{name: "datagrams", first: lo4, second: lo4, typ: socket.Dgram, want: errno.EADDRINUSE},
		{name: "datagrams reuse", first: lo4, second: lo4, typ: socket.Dgram, option: socket.SoReuseAddr},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newTestStack(t)
			call := &socket.Call{}
			bind := func(ip netip.Addr) (*socket.Socket, errno.Errno) {
				a := sockaddr.Of(netip.AddrPortFrom(ip, 7000))
				sock, e := s.core.NewSocket(call, a.Family, c.typ, 0)
				if e != errno.OK {
					t.Fatal(e)
				}
				if c.option != 0 {
					if e := sock.SetOption(call, socket.SolSocket, c.option, socket.Bool(true)); e != errno.OK {
						t.Fatal(e)
					}
				}
				if c.v6only && ip.Is6() {
					if e := sock.SetOption(call, solIPv6, ipv6V6Only, socket.Bool(true)); e != errno.OK {
						t.Fatal(e)
					}
				}
				return sock, socket.Bind(call, s.core.Personality, sock, a.Raw())
			}
			first, e := bind(c.first)
			if e != errno.OK {
				t.Fatal(e)
			}
			if c.listening {
				if e := first.Listen(call, 1); e != errno.OK {
					t.Fatal(e)
				}
			}
			second, e := bind(c.second)
			if e != c.want {
				t.Errorf("second bind: %s, want %s", e.Name(), c.want.Name())
			}
			first.Close(call)
			second.Close(call)
			if n := len(s.tcpPorts.held) + len(s.tcpPorts.implicit) + len(s.udpPorts.held); n != 0 {
				t.Errorf("%d ports are held after all sockets are closed", n)
			}
		})
	}
}
