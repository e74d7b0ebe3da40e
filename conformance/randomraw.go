// SPDX-License-Identifier: Apache-2.0

package conformance

// What random calls on raw(7), icmp(7) and netlink(7) sockets are made of.

var rawFamilies = []randomFamily{
	{
		name:    "raw4",
		prepare: append([]string{"b: r = socket(INET, RAW|NONBLOCK, 253)"}, prohibited4...),
		sockets: []string{
			"%s = socket(INET, RAW, 253)", "%s = socket(INET, RAW, ICMP)", "%s = socket(INET, RAW, 255)", "%s = socket(INET, RAW, UDP)",
		},
		headers: true,
		calls: joined(commonCalls, echoCalls4, deviceCalls, []string{
			"setsockopt(%s, IP_HDRINCL, 1)", "setsockopt(%s, IP_HDRINCL, 0)", "setsockopt(%s, ICMP_FILTER, 0x100)",
			"getsockopt(%s, ICMP_FILTER)", "recvfrom(r, DONTWAIT)",
			`sendto(%s, "\x45\x00\x00\x1c\x00\x00\x00\x00\x40\xfd\x00\x00\x0a\x00\x00\x63\x0a\x00\x00\x02eightbyt", 10.0.0.2:0)`,
			`sendto(%s, "\x45\x00\x00\x1c\x00\x00\x00\x00\x40\xfd\x00\x00\x00\x00\x00\x00\x7f\x00\x00\x01eightbyt", 127.0.0.1:0)`,
		}),
	},
	{
		name:    "ping4",
		prepare: append([]string{"sysctl a net.ipv4.ping_group_range = 0 0"}, prohibited4...),
		sockets: []string{"%s = socket(INET, DGRAM, ICMP)"},
		headers: true,
		calls:   joined(commonCalls, echoCalls4, echoCalls4, deviceCalls),
	},
	{
		name:    "raw6",
		prepare: append([]string{"b: r = socket(INET6, RAW|NONBLOCK, 253)"}, append(acquainted6, prohibited6...)...),
		sockets: []string{
			"%s = socket(INET6, RAW, 253)", "%s = socket(INET6, RAW, ICMPV6)", "%s = socket(INET6, RAW, 255)",
			"%s = socket(INET6, RAW, UDP)",
		},
		headers: true,
		calls: joined(commonCalls, echoCalls6, deviceCalls, []string{
			"setsockopt(%s, ICMP6_FILTER, 129)", "recvfrom(r, DONTWAIT)", "setsockopt(%s, IPV6_HDRINCL, 1)",
		}),
	},
	{
		name:    "ping6",
		prepare: append([]string{"sysctl a net.ipv4.ping_group_range = 0 0"}, prohibited6...),
		sockets: []string{"%s = socket(INET6, DGRAM, ICMPV6)"},
		headers: true,
		calls:   joined(commonCalls, echoCalls6, echoCalls6, deviceCalls),
	},
}

var netlinkFamily = randomFamily{
	name:    "netlink",
	headers: true,
	prepare: []string{
		"l = socket(NETLINK, RAW|NONBLOCK, 2); bind(l, netlink:4242)", "k = socket(NETLINK, RAW|NONBLOCK); bind(k, netlink:4242)",
	},
	sockets: []string{
		"%s = socket(NETLINK, RAW|NONBLOCK, 2)", "%s = socket(NETLINK, DGRAM|NONBLOCK)", "%s = socket(NETLINK, DGRAM|NONBLOCK, 2)",
	},
	calls: joined(commonCalls, []string{
		"connect(%s, netlink:0)", "connect(%s, netlink:0)", "connect(%s, netlink:4242)", "connect(%s, netlink:4242)",
		"connect(%s, netlink:99)", "connect(%s, netlink:0/1)", "connect(%s, netlink:0/4)", "connect(%s, netlink:4242, len=4)",
		"connect(%s, netlink:4242, len=1)", "connect(%s, netlink:4242, family=77)", "connect(%s, netlink:7777)",
		"bind(%s, netlink:0)", "bind(%s, netlink:0/1)", "bind(%s, netlink:7777)", "bind(%s, netlink:7777/2)", "bind(%s, netlink:4242)",
		"bind(%s, netlink:7777, family=0)", "bind(%s, netlink:7777, len=4)", "listen(%s, 1)", "accept(%s)",
		"recvfrom(l, DONTWAIT)", "recvfrom(k, DONTWAIT)", "recvfrom(%s, DONTWAIT)", "recvfrom(%s, DONTWAIT)",
		`sendto(%s, "y", netlink:4242)`, `sendto(%s, "y", netlink:0)`, `sendto(%s, "y", netlink:0/1)`, `sendto(%s, "y", netlink:7777)`,
		`sendto(l, "z", netlink:7777)`, `sendto(k, "z", netlink:7777)`, `sendto(%s, "y", netlink:4242, len=4)`,
		`sendto(%s, "y", unspec)`, `send(%s, "\x10\x00\x00\x00\x02\x00\x05\x00\x01\x00\x00\x00\x00\x00\x00\x00")`,
		"connect(l, netlink:7777)", "connect(l, unspec)", "getsockopt(%s, SO_ERROR)", "state(%s)",
	}),
}

// Beyond host b, which is a router here, is an address that it may not send to: it says so by ICMP.
var (
	prohibited4 = []string{
		"sysctl b net.ipv4.ip_forward = 1", "route a add 198.51.100.1 via 10.0.0.2", "route b add prohibit 198.51.100.1",
	}
	prohibited6 = []string{
		"sysctl b net.ipv6.conf.all.forwarding = 1", "route a add 2001:db8::1 via fd00::2", "route b add prohibit 2001:db8::1",
	}
)

// acquainted6 lets the two hosts find each other: what that takes is ICMPv6, which raw sockets would hear.
var acquainted6 = []string{
	"sysctl a net.ipv4.ping_group_range = 0 0", "p = socket(INET6, DGRAM, ICMPV6)",
	"sendto(p, " + echo6 + ", [fd00::2]:0)", "sendto(p, " + echo6 + ", [fe80::2%a0]:0)", "sleep 100ms",
}

var echoCalls4 = []string{
	"connect(%s, 127.0.0.1:0)", "connect(%s, 127.0.0.1:5)", "connect(%s, 10.0.0.2:0)", "connect(%s, 10.0.0.2:7)",
	"connect(%s, 10.0.0.1:0)", "connect(%s, 198.51.100.1:0)", "connect(%s, 203.0.113.9:0)", "connect(%s, 0.0.0.0:0)",
	"connect(%s, 10.0.0.255:0)", "connect(%s, 255.255.255.255:0)", "connect(%s, 224.0.0.5:0)", "connect(%s, 10.0.0.2:0, len=3)",
	"connect(%s, 10.0.0.2:0, len=8)", "connect(%s, 10.0.0.2:0, family=77)", "connect(%s, [::1]:0)",
	"bind(%s, 127.0.0.1:0)", "bind(%s, 10.0.0.1:9)", "bind(%s, 10.0.0.77:0)", "bind(%s, 0.0.0.0:0)", "bind(%s, 0.0.0.0:11)",
	"bind(%s, unspec)", "bind(%s, 10.0.0.255:0)", "bind(%s, 224.0.0.5:0)", "bind(%s, 10.0.0.1:9, len=8)",
	"bind(%s, 10.0.0.1:9, family=77)", "bind(%s, 255.255.255.255:0)",
	"send(%s, " + echo4 + ")", "send(%s, " + echo4 + ")", "sendto(%s, " + echo4 + ", 10.0.0.2:0)",
	"sendto(%s, " + echo4 + ", 127.0.0.1:0)", "sendto(%s, " + echo4 + ", 198.51.100.1:0)", "sendto(%s, " + echo4 + ", 10.0.0.2:9)",
	"sendto(%s, " + echo4 + ", 10.0.0.1:0)", "sendto(%s, " + echo4 + ", 0.0.0.0:0)", "sendto(%s, " + echo4 + ", unspec)",
	"sendto(%s, " + echo4 + ", 10.0.0.255:0)", "sendto(%s, \"x\", 10.0.0.2:0)", "sendto(%s, " + echo4 + ", [::1]:0)",
	"setsockopt(%s, IP_RECVERR, 1)", "setsockopt(%s, IP_RECVERR, 0)",
}

var echoCalls6 = []string{
	"connect(%s, [::1]:0)", "connect(%s, [::1]:5)", "connect(%s, [fd00::2]:0)", "connect(%s, [fd00::2]:7)",
	"connect(%s, [fd00::1]:0)", "connect(%s, [2001:db8::1]:0)", "connect(%s, [2001:db8::9]:0)", "connect(%s, [::]:0)",
	"connect(%s, [ff02::5%a0]:0)", "connect(%s, [ff02::5]:0)", "connect(%s, [fe80::2]:0)", "connect(%s, [fe80::2%a0]:0)",
	"connect(%s, [fd00::2]:0, len=3)", "connect(%s, [fd00::2]:0, len=24)", "connect(%s, [fd00::2]:0, family=77)",
	"connect(%s, 10.0.0.2:0)", "connect(%s, [::ffff:10.0.0.2]:0)",
	"bind(%s, [::1]:0)", "bind(%s, [fd00::1]:9)", "bind(%s, [fd00::77]:0)", "bind(%s, [::]:0)", "bind(%s, [::]:11)",
	"bind(%s, unspec)", "bind(%s, [fe80::1%a0]:0)", "bind(%s, [fe80::1]:0)", "bind(%s, [ff02::5%a0]:0)",
	"bind(%s, [fd00::1]:9, len=24)", "bind(%s, [fd00::1]:9, family=77)", "bind(%s, [::ffff:10.0.0.1]:0)", "bind(%s, 10.0.0.1:0)",
	"send(%s, " + echo6 + ")", "send(%s, " + echo6 + ")", "sendto(%s, " + echo6 + ", [fd00::2]:0)",
	"sendto(%s, " + echo6 + ", [::1]:0)", "sendto(%s, " + echo6 + ", [2001:db8::1]:0)", "sendto(%s, " + echo6 + ", [fd00::2]:9)",
	"sendto(%s, " + echo6 + ", [fd00::1]:0)", "sendto(%s, " + echo6 + ", [::]:0)", "sendto(%s, " + echo6 + ", unspec)",
	"sendto(%s, " + echo6 + ", [fe80::2]:0)", "sendto(%s, " + echo6 + ", [fe80::2%a0]:0)", "sendto(%s, " + echo6 + ", 10.0.0.2:0)",
	"sendto(%s, " + echo6 + ", [::ffff:10.0.0.2]:0)", "sendto(%s, \"x\", [fd00::2]:0)",
	"setsockopt(%s, IPV6_RECVERR, 1)", "setsockopt(%s, IPV6_RECVERR, 0)", "setsockopt(%s, IPV6_V6ONLY, 1)",
	"setsockopt(%s, IPV6_V6ONLY, 0)", "setsockopt(%s, IPV6_ADDRFORM, 2)",
}

// An echo request of 12 bytes, for IPv4 with its checksum.
const (
	echo4 = `"\x08\x00\xf7\xfe\x00\x00\x00\x01\x00\x00\x00\x00"`
	echo6 = `"\x80\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00"`
)

var deviceCalls = []string{
	`setsockopt(%s, SO_BINDTODEVICE, "a0")`, `setsockopt(%s, SO_BINDTODEVICE, "lo")`, `setsockopt(%s, SO_BINDTODEVICE, "")`,
	"setsockopt(%s, SO_BROADCAST, 1)", "setsockopt(%s, SO_DONTROUTE, 1)", "setsockopt(%s, IP_FREEBIND, 1)", "listen(%s, 1)",
	"shutdown(%s, SHUT_RDWR)", "recvfrom(%s, DONTWAIT)", "recvfrom(%s, DONTWAIT)",
	"recvmsg(%s, ERRQUEUE|DONTWAIT)", "state(%s)", "state(%s)", "setsockopt(%s, IP_TTL, 1)",
}

func joined(lists ...[]string) []string {
	var all []string
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}
