// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"dialtone/firewall"
)

// minimal is a file that has what must be there, to be extended by a test.
const minimal = `
links:
  lan: {kind: hub}
hosts:
  a.test:
    interfaces:
      eth0:
        link: lan
        addresses: [10.0.0.1/24, fd00::1/64]
`

func TestMistakes(t *testing.T) {
	for _, test := range []struct{ name, file, want string }{
		{"empty", "", "f:1:1: the file is empty, expected a mapping with the keys seed, links, hosts, names, srv, lookups, faults, timeline, policy, mode, booleans, flask, labelled, labels, programs"},
		{"only a comment", "# nothing\n", "f:1:1: the file is empty, expected a mapping with the keys seed, links, hosts, names, srv, lookups, faults, timeline, policy, mode, booleans, flask, labelled, labels, programs"},
		{"a long text", strings.Repeat("x", 61), `f:1:1: "` + strings.Repeat("x", 60) + `…", expected a mapping with keys of seed, links, hosts, names, srv, lookups, faults, timeline, policy, mode, booleans, flask, labelled, labels, programs`},
		{"no mapping", "- a\n", "f:1:1: a list, expected a mapping with keys of seed, links, hosts, names, srv, lookups, faults, timeline, policy, mode, booleans, flask, labelled, labels, programs"},
		{"not YAML", "hosts: {a.test: {}\n", "f:1:8: not YAML: could not find flow mapping end token '}'"},
		{"a tab", "hosts:\n\ta: {}\n", "f:2:1: not YAML: found character '\t' that cannot start any token"},
		{"a key twice", "hosts: {a: {}}\nseed: 1\nseed: 2\n", `f:3:1: not YAML: mapping key "seed" already defined at [2:1]`},
		{"two documents", "hosts: {a: {}}\n---\nseed: 2\n", "f:3:1: a second document, expected only one in a file"},
		{"missing key", "seed: 1\n", `f:1:1: the key "hosts" is missing`},
		{"no hosts", "hosts: {}\n", "f:1:1: no hosts, expected at least one"},
		{"unknown key, near", "host: {}\nhosts: {a: {}}\n", `f:1:1: unknown key "host", expected "hosts"`},
		{"unknown key, far", "hosts:\n  a: {firewall: {colour: red}}\n", `f:2:18: unknown key "colour", expected one of input, output`},
		{"two at once", "sede: 1\nhosts:\n  a: {rutes: []}\n", `f:1:1: unknown key "sede", expected one of mode, seed` + "\n" + `f:3:7: unknown key "rutes", expected "routes"`},
		{"key that is no scalar", "hosts: {a: {}}\n<<: {seed: 1}\n", `f:2:1: an anchor, alias or merge key, which are not read, expected a plain key`},
		{"anchor", "seed: &x 1\nhosts: {a: {}}\n", "f:1:7: an anchor, alias or merge key, which are not read, expected a whole number, 0 or more"},
		{"tag", "seed: !!int 1\nhosts: {a: {}}\n", "f:1:7: a tag, which is not read, expected a whole number, 0 or more"},
		{"no value", "hosts:\n  a:\n", "f:2:6: nothing, expected a mapping with keys of aliases, personality, sysctls, interfaces, routes, firewall, services"},
		{"scalar for a mapping", "hosts: 5\n", `f:1:8: "5", expected a mapping`},
		{"scalar for a list", "hosts:\n  a: {routes: none}\n", `f:2:15: "none", expected a list`},
		{"list for a scalar", "seed: [1]\nhosts: {a: {}}\n", "f:1:7: a list, expected a whole number, 0 or more"},

		{"number", "seed: -1\nhosts: {a: {}}\n", `f:1:7: "-1", expected a whole number, 0 or more`},
		{"time without unit", "links:\n  lan: {kind: hub, latency: 5}\nhosts: {a: {}}\n", `f:2:29: "5", expected a time with its unit, such as 200ms or 1.5s`},
		{"time below 0", "links:\n  lan: {kind: hub, latency: -5ms}\nhosts: {a: {}}\n", `f:2:29: "-5ms", expected a time with its unit, such as 200ms or 1.5s`},
		{"kind of link", "links:\n  lan: {kind: switch}\nhosts: {a: {}}\n", `f:2:15: "switch", expected one of hub, cable`},
		{
			"address without length", strings.Replace(minimal, "/24", "", 1),
			`f:9:21: "10.0.0.1", expected an address with its prefix length, such as 10.0.0.1/24 or fd00::1/64`,
		},
		{
			"bad address", strings.Replace(minimal, "10.0.0.1/", "10.0.0.256/", 1),
			`f:9:21: "10.0.0.256/24", expected an address with its prefix length, such as 10.0.0.1/24 or fd00::1/64`,
		},
		{
			"v4-mapped address", strings.Replace(minimal, "fd00::1/64", "'::ffff:1.2.3.4/120'", 1),
			`f:9:34: "::ffff:1.2.3.4/120", expected an address with its prefix length, such as 10.0.0.1/24 or fd00::1/64`,
		},
		{
			"multicast address", strings.Replace(minimal, "fd00::1/64", "ff02::1/64", 1),
			"f:9:34: ff02::1 is a multicast address, expected a unicast address",
		},
		{
			"loopback address", strings.Replace(minimal, "10.0.0.1/24", "127.0.0.1/8", 1),
			"f:9:21: 127.0.0.1 is a loopback address, which every host has, expected a unicast address",
		},
		{
			"unspecified address", strings.Replace(minimal, "10.0.0.1/24", "0.0.0.0/8", 1),
			"f:9:21: 0.0.0.0 is the unspecified address, expected a unicast address",
		},
		{
			"broadcast address", strings.Replace(minimal, "10.0.0.1/24", "255.255.255.255/8", 1),
			"f:9:21: 255.255.255.255 is the broadcast address, expected a unicast address",
		},
		{
			"address of another", minimal + "  b.test:\n    interfaces:\n      eth0: {link: lan, addresses: [10.0.0.1/16]}\n",
			"f:12:37: 10.0.0.1 is an address of a.test already, expected one that is free",
		},
		{
			"yes for true", minimal + "        silent: yes\n",
			`f:10:17: "yes", expected true or false`,
		},

		{
			"IPv6 address in braces", "links: {l: {kind: hub}}\nhosts:\n  a: {interfaces: {e: {link: l, addresses: [fd00::1/64]}}}\n",
			"f:3:45: a mapping, expected an address with its prefix length, such as 10.0.0.1/24 or fd00::1/64; within { } an IPv6 address needs quotes",
		},

		{"host name", "hosts:\n  -a: {}\n", `f:2:3: "-a" is no domain name, expected labels of letters, digits and hyphens with dots between, such as web.test`},
		{"host name ends with a dot", "hosts:\n  a.: {}\n", `f:2:3: "a." is no domain name, expected labels of letters, digits and hyphens with dots between, such as web.test`},
		{"host name that is an address", "hosts:\n  10.0.0.1: {}\n", `f:2:3: "10.0.0.1" is no domain name, expected labels of letters, digits and hyphens with dots between, such as web.test`},
		{"service twice", "hosts:\n  a: {}\nsrv:\n  _x._tcp.b: []\n  _X._tcp.b: []\n", `f:5:3: the name "_X._tcp.b" was given on line 4 already, expected another`},
		{"name twice", "hosts:\n  a: {}\n  b: {aliases: [A]}\n", `f:3:17: the name "A" was given on line 2 already, expected another`},
		{"name of a host and an address", "hosts:\n  a: {}\nnames:\n  a: [10.0.0.1]\n", `f:4:3: the name "a" was given on line 2 already, expected another`},
		{"address of a name", "hosts:\n  a: {}\nnames:\n  b: [10.0.0]\n", `f:4:7: "10.0.0", expected an IP address, such as 10.0.0.1 or fd00::1`},
		{"SRV without such a host", "hosts:\n  web: {}\nsrv:\n  _http._tcp.test: [{host: wep, port: 80}]\n", `f:4:28: no host "wep", expected "web"`},
		{"program without such a host", "hosts: {a: {}, b: {}}\nprograms:\n  - {host: nowhere, command: [x]}\n", `f:3:12: no host "nowhere", expected one of a, b`},
		{"program without command", "hosts: {a: {}}\nprograms:\n  - {host: a, command: []}\n", "f:3:12: an empty command, expected a program and its arguments"},
		{"environment", "hosts: {a: {}}\nprograms:\n  - {host: a, command: [x], environment: {A=B: c}}\n", `f:3:43: "A=B" is no name of an environment variable`},

		{"personality", "hosts:\n  a: {personality: linus}\n", `f:2:20: no personality "linus", expected "linux"`},
		{"sysctl", "hosts:\n  a: {sysctls: {net.ipv4.tcp_syn_retry: 1}}\n", `f:2:17: unknown sysctl "net.ipv4.tcp_syn_retry", expected "net.ipv4.tcp_syn_retries"`},
		{"value of a sysctl", "hosts:\n  a: {sysctls: {net.ipv4.tcp_syn_retries: 128}}\n", `f:2:43: sysctl net.ipv4.tcp_syn_retries: "128", expected a whole number from 1 to 127`},
		{
			"range of a sysctl", "hosts:\n  a: {sysctls: {net.ipv4.ip_local_port_range: 2000 1000}}\n",
			`f:2:47: sysctl net.ipv4.ip_local_port_range: "2000 1000", expected two numbers from 1 to 65535, the smaller one first`,
		},
		{"link", strings.Replace(minimal, "link: lan", "link: lam", 1), `f:8:15: no link "lam", expected "lan"`},
		{"no link at all", "hosts:\n  a: {interfaces: {eth0: {link: lan, addresses: []}}}\n", `f:2:33: no link "lan", and there are none`},
		{"interface lo", "links: {l: {kind: hub}}\nhosts:\n  a: {interfaces: {lo: {link: l, addresses: []}}}\n", `f:3:20: every host has its loopback, expected another name than "lo"`},
		{"long interface name", "links: {l: {kind: hub}}\nhosts:\n  a: {interfaces: {abcdefghijklmnop: {link: l, addresses: []}}}\n", `f:3:20: "abcdefghijklmnop" is no name of an interface, expected 1 to 15 letters such as eth0`},
		{
			"third end of a cable", "links: {l: {kind: cable}}\nhosts:\n" +
				"  a: {interfaces: {e: {link: l, addresses: []}}}\n  b: {interfaces: {e: {link: l, addresses: []}}}\n  c: {interfaces: {e: {link: l, addresses: []}}}\n",
			`f:5:30: the cable "l" has both its ends already, expected a hub or another cable`,
		},
		{
			"a TUN device on a full cable", "links: {l: {kind: cable, tun: {device: d, addresses: [10.0.0.9/24]}}}\nhosts:\n" +
				"  a: {interfaces: {e: {link: l, addresses: []}}}\n  b: {interfaces: {e: {link: l, addresses: []}}}\n",
			`f:4:30: the cable "l" has both its ends already, expected a hub or another cable`,
		},
		{
			"a host with the machine's address", "links: {l: {kind: hub, tun: {device: d, addresses: [10.0.0.9/24]}}}\nhosts:\n" +
				"  a: {interfaces: {e: {link: l, addresses: [10.0.0.9/24]}}}\n",
			"f:3:45: 10.0.0.9 is an address of the machine already, expected one that is free",
		},
		{
			"a TUN device twice", "links:\n  l: {kind: hub, tun: {device: d, addresses: [10.0.0.9/24]}}\n" +
				"  m: {kind: hub, tun: {device: d, addresses: [10.0.1.9/24]}}\nhosts: {a: {}}\n",
			`f:3:32: the device "d" is on a link already on line 2, expected another`,
		},
		{
			"a TUN device without addresses", "links: {l: {kind: hub, tun: {device: d/0, addresses: []}}}\nhosts: {a: {}}\n",
			"f:1:38: \"d/0\" is no name of an interface, expected 1 to 15 letters such as eth0\n" +
				"f:1:38: the machine has no address there, expected one at least",
		},

		{"route with bits", minimal + "    routes:\n      - {to: 10.1.1.1/24, via: 10.0.0.2}\n", "f:11:14: 10.1.1.1/24 has bits set behind its length, expected 10.1.1.0/24"},
		{"route of two versions", minimal + "    routes:\n      - {to: 10.1.1.0/24, via: fd00::2}\n", "f:11:32: fd00::2 is not of the IP version of 10.1.1.0/24"},
		{"gateway elsewhere", minimal + "    routes:\n      - {to: 10.1.1.0/24, via: 10.9.0.1}\n", "f:11:32: 10.9.0.1 is on no link of the host, expected an address within the prefix of one of its interfaces"},
		{"gateway by another interface", minimal + "    routes:\n      - {to: 10.1.1.0/24, via: 10.0.0.2, interface: lo}\n", "f:11:32: 10.0.0.2 is on no link of the host, expected an address within the prefix of one of its interfaces"},
		{"route to nowhere", minimal + "    routes:\n      - {to: 10.1.1.0/24}\n", "f:11:14: a unicast route to nowhere, expected via, interface or both"},
		{"blackhole with a way", minimal + "    routes:\n      - {to: 10.1.1.0/24, type: blackhole, interface: eth0}\n", "f:11:55: a route of type blackhole leads nowhere, expected neither via nor interface"},
		{"type of route", minimal + "    routes:\n      - {to: 10.1.1.0/24, type: throw}\n", `f:11:33: "throw", expected one of unicast, unreachable, blackhole, prohibit`},
		{"interface of a route", minimal + "    routes:\n      - {to: 10.1.1.0/24, interface: eth1}\n", `f:11:38: the host has no interface "eth1", expected "eth0"`},

		{"policy", "hosts:\n  a: {firewall: {input: {policy: reject with tcp-reset}}}\n", "f:2:34: a policy can't reject, expected accept or drop"},
		{
			"verdict", "hosts:\n  a: {firewall: {input: {rules: [{verdict: deny}]}}}\n",
			`f:2:44: "deny", expected accept, drop, or reject with one of tcp-reset, port-unreachable, host-unreachable, no-route, admin-prohibited, ` +
				"net-unreachable, prot-unreachable, net-prohibited, host-prohibited, addr-unreachable, policy-fail, reject-route",
		},
		{"protocol", "hosts:\n  a: {firewall: {input: {rules: [{protocol: sctp, verdict: drop}]}}}\n", `f:2:45: "sctp", expected one of icmp, icmpv6, tcp, udp, udplite`},
		{"ports", "hosts:\n  a: {firewall: {input: {rules: [{to-port: 90-80, verdict: drop}]}}}\n", `f:2:44: "90-80", expected a port or a range of ports, such as 80 or 8000-8999`},
		{"rule with bits", "hosts:\n  a: {firewall: {input: {rules: [{from: 10.0.0.1/8, verdict: drop}]}}}\n", `f:2:41: 10.0.0.1/8 has bits set behind its length, expected 10.0.0.0/8`},
		{"rule of two versions", "hosts:\n  a: {firewall: {input: {rules: [{from: 10.0.0.0/8, to: 'fd00::/8', verdict: drop}]}}}\n", `f:2:57: fd00::/8 is not of the IP version of 10.0.0.0/8, so that no packet matches`},
		{"interface of a rule", "hosts:\n  a: {firewall: {input: {rules: [{interface: eth0, verdict: drop}]}}}\n", `f:2:46: the host has no interface "eth0", expected "lo"`},
		{"rule without verdict", "hosts:\n  a: {firewall: {input: {rules: [{protocol: tcp}]}}}\n", `f:2:34: the key "verdict" is missing`},

		{"kind of service", "hosts:\n  a: {services: [{kind: smtp}]}\n", `f:2:25: "smtp", expected one of http, echo, reset, full, dns`},
		{"service without port", "hosts:\n  a: {services: [{kind: reset}]}\n", `f:2:25: the key "port" is missing, which reset needs`},
		{"port 0", "hosts:\n  a: {services: [{kind: http, port: 0}]}\n", "f:2:37: port 0, expected 1 to 65535"},
		{"port 65536", "hosts:\n  a: {services: [{kind: http, port: 65536}]}\n", `f:2:37: "65536", expected a whole number from 0 to 65535`},
		{"port twice", "hosts:\n  a: {services: [{kind: http}, {kind: full, port: 80}]}\n", "f:2:39: port 80 of the host has a service already, expected another port"},
		{"page of an echo", "hosts:\n  a: {services: [{kind: echo, page: x}]}\n", `f:2:37: a page, which echo does not serve`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse("f", []byte(test.file))
			var all Mistakes
			if !errors.As(err, &all) {
				t.Fatalf("%v, want mistakes:\n%s", err, test.want)
			}
			if err.Error() != test.want {
				t.Errorf("mistakes:\n%v\nwant:\n%s", err, test.want)
			}
		})
	}
}

func TestLoadOfAMissingFile(t *testing.T) {
	if _, err := Load(t.TempDir() + "/none.yaml"); err == nil || !strings.Contains(err.Error(), "none.yaml") {
		t.Error(err)
	}
}

func TestValues(t *testing.T) {
	s, err := Parse("f", []byte(minimal+`
    firewall:
      output:
        policy: drop
        rules: [{protocol: udp, from-port: 8000-8999, to: "fd00::/8", verdict: reject with no-route}]
    services:
      - kind: http
        page: |
          two
          lines
seed: 18446744073709551615
programs:
  - host: a.test
    command: [sh, -c, "echo 'x: y'"]
    directory: /tmp
    environment: {PORT: 0x50, EMPTY: ""}
`))
	if err != nil {
		t.Fatal(err)
	}
	host := &s.file.Hosts[0].v
	if s.file.Seed.v != 1<<64-1 {
		t.Errorf("seed %d", s.file.Seed.v)
	}
	if page := host.Services[0].Page.v; page != "two\nlines\n" {
		t.Errorf("page %q", page)
	}
	rule := host.Firewall.Output.Rules[0]
	if rule.FromPort.v != (firewall.Ports{First: 8000, Last: 8999}) || rule.Verdict.v.String() != "reject with no-route" {
		t.Errorf("rule %+v", rule)
	}
	want := []Program{{"a.test", []string{"sh", "-c", "echo 'x: y'"}, "/tmp", []string{"PORT=0x50", "EMPTY="}}}
	if got := s.Programs(); !reflect.DeepEqual(got, want) {
		t.Errorf("programs %q, want %q", got, want)
	}
}

func TestDefaultNetwork(t *testing.T) {
	s := Default()
	for _, name := range []string{
		"web.test", "echo.test", "refused.test", "blackhole.test", "unreachable.test", "silent.test", "prohibited.test",
		"filtered.test", "reset.test", "slow.test", "full.test",
	} {
		host := s.file.host(name)
		if host == nil {
			t.Errorf("no host %s", name)
			continue
		}
		var v4, v6 bool
		for _, i := range host.v.Interfaces {
			for _, a := range i.v.Addresses {
				v4, v6 = v4 || a.v.Addr().Is4(), v6 || a.v.Addr().Is6()
			}
		}
		if !v4 || !v6 {
			t.Errorf("%s: IPv4 address %v, IPv6 address %v; want both", name, v4, v6)
		}
	}
	if latency := s.file.Links[2].v.Latency.v; latency != 200*time.Millisecond {
		t.Errorf("latency to slow.test: %v", latency)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(defaultFile)
	f.Add([]byte(minimal))
	f.Add([]byte(minimal + "    services: [{kind: full, port: 1}, {kind: reset, port: 2}, {kind: echo}, {kind: dns}]\n"))
	f.Add([]byte(minimal + "    routes: [{to: 10.1.0.0/16, via: 10.0.0.9}, {to: 0.0.0.0/0, interface: lo}]\n"))
	f.Add([]byte("faults: [{from: a.test, to: a.test, nth: 2, times: 1, errno: EIO}]\n" + strings.Replace(minimal, "{kind: hub}", "{kind: hub, rules: [{rate: 1mbit, loss: 0.1, bursts: {to-bad: 0.1}}, {action: reset}]}", 1)))
	f.Add([]byte("a: &x [*x, {b: !t c}]\n---\n? - d\n: |2-\n   e\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Parse("f", data)
		if err == nil {
			start(t, s)
			return
		}
		var all Mistakes
		if !errors.As(err, &all) || len(all) == 0 {
			t.Fatalf("%T %v, want mistakes", err, err)
		}
		for _, m := range all {
			if m.Line < 1 || m.Column < 1 || m.Text == "" {
				t.Fatalf("%+v", m)
			}
		}
	})
}

// start checks that what was found to have no mistake can be built.
func start(t *testing.T, s *Scenario) {
	r, err := s.Start()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}
