// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package dialtonearm_test

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"dialtone/conformance"
)

// What random sequences about addresses are made of. %s is a socket, %03d a number that nobody has used.
var (
	addressPrepare = []string{
		"sysctl a net.ipv4.tcp_syn_retries = 1",
		"sysctl a net.ipv4.tcp_fastopen = 519",
		"b: l4 = socket(INET, STREAM|NONBLOCK); bind(l4, 10.0.0.2:7000); listen(l4, 5)",
		"b: l6 = socket(INET6, STREAM|NONBLOCK); bind(l6, [fd00::2]:7000); listen(l6, 5)",
		"b: u4 = socket(INET, DGRAM|NONBLOCK); bind(u4, 10.0.0.2:7000)",
		"b: u6 = socket(INET6, DGRAM|NONBLOCK); bind(u6, [fd00::2]:7000)",
		"m4 = socket(INET, STREAM|NONBLOCK); bind(m4, 127.0.0.1:7000); setsockopt(m4, TCP_FASTOPEN, 5); listen(m4, 5)",
		"route a add unreachable 198.51.100.1",
		"route a add prohibit 198.51.100.2",
		"route a add blackhole 198.51.100.3",
	}
	addressSockets = []string{
		"INET, STREAM", "INET, STREAM|NONBLOCK", "INET6, STREAM|NONBLOCK", "INET6, STREAM", "INET, DGRAM|NONBLOCK",
		"INET6, DGRAM|NONBLOCK",
	}
	addressTargets = []string{
		"10.0.0.2:7000", "10.0.0.2:7000", "10.0.0.2:7001", "127.0.0.1:7000", "127.0.0.1:7009", "198.51.100.1:80",
		"198.51.100.2:80", "198.51.100.3:80", "203.0.113.1:80", "255.255.255.255:9", "10.0.0.255:9", "224.0.0.1:9",
		"0.0.0.0:7000", "10.0.0.1:7000", "127.0.0.5:7000",
		"[fd00::2]:7000", "[fd00::2]:7000", "[fd00::2]:7001", "[::1]:7009", "[2001:db8::1]:9", "[fe80::2]:7000",
		"[fe80::2%a0]:7000", "[ff02::1%a0]:9", "[ff02::1]:9", "[::]:7000", "[::ffff:10.0.0.2]:7000",
		"[::ffff:127.0.0.1]:7000", "[::ffff:0.0.0.0]:7000", "unspec",
	}
	addressBinds = []string{
		"0.0.0.0:0", "10.0.0.1:0", "127.0.0.1:0", "10.0.0.1:5%03d", "0.0.0.0:6%03d", "10.0.0.77:0", "[::]:0", "[fd00::1]:0",
		"[::ffff:10.0.0.1]:0", "[fe80::1]:0", "[fe80::1%a0]:0", "[::1]:0", "[::]:6%03d", "[fd00::1]:80", "0.0.0.0:5000",
		"10.0.0.1:5000", "[::]:5000", "10.0.0.255:0", "224.0.0.1:0",
	}
	addressOptions = []string{
		"SO_REUSEADDR, 1", "SO_REUSEPORT, 1", "SO_BROADCAST, 1", "SO_DONTROUTE, 1", "SO_BINDTODEVICE, \"a0\"",
		"SO_BINDTODEVICE, \"lo\"", "IPV6_V6ONLY, 1", "IPV6_V6ONLY, 0", "IP_RECVERR, 1", "IPV6_RECVERR, 1", "IP_FREEBIND, 1",
		"IP_BIND_ADDRESS_NO_PORT, 1", "SO_LINGER, 0s", "TCP_FASTOPEN_CONNECT, 1", "SO_RCVTIMEO, 100ms", "IPV6_ADDRFORM, 2",
	}
	addressCalls = []string{
		"poll(%s, IN|PRI|OUT|RDHUP, 0s)", "poll(%s, IN|PRI|OUT|RDHUP, 0s)", "getsockopt(%s, SO_ERROR)", "getsockname(%s)",
		"getpeername(%s)", "send(%s, \"x\", DONTWAIT)", "recv(%s, DONTWAIT)", "recv(%s, PEEK|DONTWAIT)",
		"recvmsg(%s, ERRQUEUE|DONTWAIT)", "shutdown(%s, SHUT_RD)", "shutdown(%s, SHUT_WR)", "shutdown(%s, SHUT_RDWR)",
		"fcntl(%s, O_NONBLOCK, on)", "listen(%s, 1)", "accept(l4)", "accept(l6)", "accept(m4)", "recvfrom(u4, DONTWAIT)",
		"recvfrom(u6, DONTWAIT)", "state(%s)", "getsockopt(%s, SO_ACCEPTCONN)",
	}
)

// randomAddresses makes a case of random calls without answers, as [conformance.Random] does, about addresses of all kinds
// and options that change what they mean.
func randomAddresses(seed uint64) (*conformance.Case, error) {
	chance := rand.New(rand.NewPCG(seed, 1))
	pick := func(from []string) string { return from[chance.IntN(len(from))] }
	var b strings.Builder
	fmt.Fprintf(&b, "case addresses-%d: random calls about addresses\n", seed)
	for _, p := range addressPrepare {
		fmt.Fprintf(&b, "  %s\n", p)
	}
	for _, name := range []string{"s", "t"} {
		fmt.Fprintf(&b, "  %s = socket(%s)\n  setsockopt(%s, SO_SNDTIMEO, 100ms)\n", name, pick(addressSockets), name)
	}
	for i := range 4 + chance.IntN(14) {
		name, call := pick([]string{"s", "t"}), ""
		switch kind := chance.IntN(20); {
		case kind < 6:
			call = "connect(%s, " + pick(addressTargets) + ")"
		case kind < 8:
			call = "bind(%s, " + strings.Replace(pick(addressBinds), "%03d", fmt.Sprintf("%03d", i), 1) + ")"
		case kind < 10:
			call = "setsockopt(%s, " + pick(addressOptions) + ")"
		case kind < 11:
			call = "sendto(%s, \"z\", " + pick(addressTargets) + ", DONTWAIT)"
		case kind < 12:
			call = "sendto(%s, \"f\", " + pick(addressTargets) + ", FASTOPEN)"
		default:
			call = pick(addressCalls)
		}
		fmt.Fprintf(&b, "  %s = ?\n", strings.Replace(call, "%s", name, 1))
	}
	cases, err := conformance.Parse(fmt.Sprintf("addresses-%d", seed), b.String())
	if err != nil {
		return nil, err
	}
	return cases[0], nil
}
