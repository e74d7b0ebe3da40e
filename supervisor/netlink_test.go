// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"dialtone"
	"dialtone/inet"

	"golang.org/x/sys/unix"
)

// routedVirtual has a host with every kind of route, and a rule. The same
// commands on Linux 6.18 print the same, but for what each test says.
func routedVirtual(t *testing.T) (*virtual, *dialtone.Host) {
	t.Helper()
	v := newVirtual(t, Options{})
	h := v.net.Host("routed.test")
	stack := h.Stack()
	eth := stack.Interfaces()[1]
	for _, p := range eth.Prefixes() {
		eth.RemoveAddress(p)
	}
	for _, r := range stack.Routes() {
		if !r.Connected() {
			stack.RemoveRoute(r.Type, r.Prefix)
		}
	}
	for _, a := range []string{"10.0.0.5/24", "fd00::5/64"} {
		eth.AddAddress(netip.MustParsePrefix(a))
	}
	for _, r := range []inet.Route{
		{Prefix: netip.MustParsePrefix("0.0.0.0/0"), Interface: eth, Gateway: netip.MustParseAddr("10.0.0.1")},
		{Prefix: netip.MustParsePrefix("::/0"), Interface: eth, Gateway: netip.MustParseAddr("fd00::1"), Metric: 7},
		{Prefix: netip.MustParsePrefix("172.16.0.0/12"), Interface: eth, Source: netip.MustParseAddr("10.0.0.5")},
		{Type: inet.Unreachable, Prefix: netip.MustParsePrefix("203.0.113.0/25")},
		{Type: inet.Prohibit, Prefix: netip.MustParsePrefix("203.0.113.128/25"), Metric: 5},
		{Type: inet.Blackhole, Prefix: netip.MustParsePrefix("198.51.100.0/24")},
		{Type: inet.Throw, Prefix: netip.MustParsePrefix("192.0.2.0/24")},
		{Type: inet.Unreachable, Prefix: netip.MustParsePrefix("fd01::/64"), Metric: 9},
	} {
		if err := stack.AddRoute(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := stack.AddRule(inet.Rule{Type: inet.Prohibit, Prefix: netip.MustParsePrefix("9.9.9.0/24")}); err != nil {
		t.Fatal(err)
	}
	return v, h
}

// A hosted ip(8) lists the routes, rules and ways of the virtual host. Linux
// 6.18 differs in IPv6: its kernel's own routes have the metric 256, those that
// refuse name lo, and each has a preference (RFC 4191).
func TestHostedIPRoute(t *testing.T) {
	needs(t, "ip")
	v, h := routedVirtual(t)
	for _, c := range []struct {
		args string
		want string
	}{
		{"route", `
default via 10.0.0.1 dev eth0
10.0.0.0/24 dev eth0 proto kernel scope link src 10.0.0.5
172.16.0.0/12 dev eth0 scope link src 10.0.0.5
throw 192.0.2.0/24
blackhole 198.51.100.0/24
unreachable 203.0.113.0/25
prohibit 203.0.113.128/25 metric 5`},
		{"-6 route", `
default via fd00::1 dev eth0 metric 7
fd00::/64 dev eth0 proto kernel metric 0
unreachable fd01::/64 metric 9`},
		{"route show table local", `
local 127.0.0.1 dev lo proto kernel scope host src 127.0.0.1
local 127.0.0.0/8 dev lo proto kernel scope host src 127.0.0.1
broadcast 127.255.255.255 dev lo proto kernel scope link src 127.0.0.1
local 10.0.0.5 dev eth0 proto kernel scope host src 10.0.0.5
broadcast 10.0.0.255 dev eth0 proto kernel scope link src 10.0.0.5`},
		{"-6 route show table local", `
local ::1 dev lo proto kernel metric 0
local fd00::5 dev eth0 proto kernel metric 0
multicast ff00::/8 dev eth0 proto kernel metric 0`},
		{"route show 172.16.0.0/12", "172.16.0.0/12 dev eth0 scope link src 10.0.0.5"},
		{"route show dev eth0 scope link", `
10.0.0.0/24 proto kernel src 10.0.0.5
172.16.0.0/12 src 10.0.0.5`},
		{"route show cache", ""},
		{"route get 8.8.8.8", "8.8.8.8 via 10.0.0.1 dev eth0 src 10.0.0.5 uid 0\n    cache"},
		{"route get 8.8.8.8 from 10.0.0.5", "8.8.8.8 from 10.0.0.5 via 10.0.0.1 dev eth0 uid 0\n    cache"},
		{"route get 10.0.0.7 oif eth0", "10.0.0.7 dev eth0 src 10.0.0.5 uid 0\n    cache"},
		{"route get 127.3.2.1", "local 127.3.2.1 dev lo table local src 127.0.0.1 uid 0\n    cache <local>"},
		{"route get 10.0.0.5", "local 10.0.0.5 dev lo table local src 10.0.0.5 uid 0\n    cache <local>"},
		{"route get 10.0.0.255", "broadcast 10.0.0.255 dev eth0 table local src 10.0.0.5 uid 0\n    cache <local,brd>"},
		{"route get fd00::7", "fd00::7 from :: dev eth0 proto kernel src fd00::5 metric 0"},
		{"route get 2001:db8::1", "2001:db8::1 from :: via fd00::1 dev eth0 src fd00::5 metric 7"},
		{"route get fd00::5", "local fd00::5 from :: dev lo table local proto kernel src fd00::5 metric 0"},
		{"route get 203.0.113.1", "RTNETLINK answers: No route to host"},
		{"route get 203.0.113.200", "RTNETLINK answers: Permission denied"},
		{"route get 198.51.100.2", "RTNETLINK answers: Invalid argument"},
		{"route get 192.0.2.1", "RTNETLINK answers: Network is unreachable"},
		{"route get 9.9.9.9", "RTNETLINK answers: Permission denied"},
		{"route get fd01::1", "RTNETLINK answers: No route to host"},
		{"rule", `
0:	from all lookup local
32765:	from all to 9.9.9.0/24 prohibit
32766:	from all lookup main
32767:	from all lookup default`},
		{"-6 rule", "0:\tfrom all lookup local\n32766:\tfrom all lookup main"},
		{"-o link show dev eth0", "2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qlen 1000\\    link/ether 02:00:00:00:00:02 brd ff:ff:ff:ff:ff:ff"},
		{"link show dev eth7", `Device "eth7" does not exist.`},
		{"route add 1.2.3.0/24 dev eth0", "RTNETLINK answers: Operation not supported"},
		{"neigh", "RTNETLINK answers: Operation not supported\nDump terminated"},
	} {
		out, _ := v.runOn(t, h, nil, append([]string{"ip"}, strings.Fields(c.args)...)...)
		lines := strings.Split(strings.TrimSpace(out), "\n")
		for i := range lines {
			lines[i] = strings.TrimRight(lines[i], " ")
		}
		if got := strings.Join(lines, "\n"); got != strings.TrimPrefix(c.want, "\n") {
			t.Errorf("ip %s:\n%s\nwant:\n%s", c.args, got, c.want)
		}
	}
}

// A long list comes in several datagrams, none longer than a page, and whole.
func TestNetlinkLongList(t *testing.T) {
	needs(t, "ip")
	v := newVirtual(t, Options{})
	const many = 300
	for i := range many {
		r := inet.Route{Type: inet.Blackhole, Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{99, byte(i >> 8), byte(i), 0}), 24)}
		if err := v.here.Stack().AddRoute(r); err != nil {
			t.Fatal(err)
		}
	}
	out := v.sh(t, "ip route")
	for i := range many {
		if line := fmt.Sprintf("blackhole 99.%d.%d.0/24 \n", i>>8, i&255); !strings.Contains(out, line) {
			t.Fatalf("%q is missing of\n%s", line, out)
		}
	}
	h := &hosted{id: 7, stack: v.here.Stack()}
	for _, b := range h.netlinkAnswers(netlinkTestRequest(unix.RTM_GETROUTE, unix.NLM_F_REQUEST|unix.NLM_F_DUMP)) {
		if len(b) > netlinkRoom {
			t.Errorf("a datagram of %d bytes", len(b))
		}
	}
}

// netlinkTestRequest is a request: struct nlmsghdr, and what follows it.
func netlinkTestRequest(typ, flags uint16, body ...byte) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(unix.SizeofNlMsghdr+len(body)))
	b = binary.LittleEndian.AppendUint16(b, typ)
	b = binary.LittleEndian.AppendUint16(b, flags)
	return append(append(b, 1, 2, 3, 4, 0, 0, 0, 0), body...)
}

func FuzzNetlinkRequest(f *testing.F) {
	f.Add(netlinkTestRequest(unix.RTM_GETLINK, unix.NLM_F_REQUEST|unix.NLM_F_DUMP, unix.AF_UNSPEC))
	f.Add(netlinkTestRequest(unix.RTM_GETADDR, unix.NLM_F_REQUEST|unix.NLM_F_DUMP, unix.AF_INET))
	f.Add(netlinkTestRequest(unix.RTM_NEWADDR, unix.NLM_F_REQUEST))
	f.Add(netlinkTestRequest(unix.RTM_GETROUTE, unix.NLM_F_REQUEST|unix.NLM_F_DUMP))
	f.Add(netlinkTestRequest(unix.RTM_GETROUTE, unix.NLM_F_REQUEST,
		unix.AF_INET, 32, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 8, 0, unix.RTA_DST, 0, 127, 0, 0, 1, 8, 0, unix.RTA_OIF, 0, 1, 0, 0, 0))
	f.Add(netlinkTestRequest(unix.RTM_GETRULE, unix.NLM_F_REQUEST|unix.NLM_F_DUMP, unix.AF_INET6))
	f.Add(netlinkTestRequest(unix.RTM_GETNEIGH, unix.NLM_F_REQUEST|unix.NLM_F_DUMP))
	f.Add([]byte{255, 255, 255, 255})
	stack := dialtone.NewNetwork().Host("fuzz.test").Stack()
	f.Fuzz(func(t *testing.T, b []byte) {
		h := &hosted{id: 7, stack: stack}
		for _, reply := range h.netlinkAnswers(b) {
			// Each answer is a chain of whole messages with the asker's port.
			for len(reply) > 0 {
				n := int(binary.LittleEndian.Uint32(reply))
				if n < unix.SizeofNlMsghdr || align4(n) > len(reply) || binary.LittleEndian.Uint32(reply[12:]) != 7 {
					t.Fatalf("%x is no message", reply)
				}
				reply = reply[align4(n):]
			}
		}
	})
}
