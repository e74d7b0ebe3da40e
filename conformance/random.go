// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// randomFamily is what random calls are made of: how a host is prepared, and calls on sockets s and t. Calls that may wait
// are bounded by SO_SNDTIMEO, so that each sequence ends.
type randomFamily struct {
	name    string
	prepare []string
	sockets []string // one of them makes the socket; %s is its name
	calls   []string // %s is the socket's name, %d a number that nobody has used
	// headers: what is received has headers and identifiers that no two systems choose alike, so only its length counts; and
	// it takes a while to arrive.
	headers bool
}

func randomFamilies() []randomFamily {
	families := []randomFamily{
		netlinkFamily,
		{
			name:    "unix-stream",
			prepare: unixStreamPrepare("STREAM"),
			sockets: []string{"%s = socket(UNIX, STREAM)", "%s = socket(UNIX, STREAM|NONBLOCK)"},
			calls:   unixCalls,
		},
		{
			name:    "unix-seqpacket",
			prepare: unixStreamPrepare("SEQPACKET"),
			sockets: []string{"%s = socket(UNIX, SEQPACKET)", "%s = socket(UNIX, SEQPACKET|NONBLOCK)"},
			calls:   unixCalls,
		},
		{
			name: "unix-dgram",
			prepare: []string{
				"l = socket(UNIX, DGRAM); bind(l, unix:/l)", "x = socket(UNIX, DGRAM); bind(x, unix:/stale); close(x)",
			},
			sockets: []string{"%s = socket(UNIX, DGRAM|NONBLOCK)"},
			calls:   unixCalls,
		},
	}
	for _, v := range []struct{ name, family, lo, far string }{
		{"4", "INET", "127.0.0.1", "203.0.113.9"}, {"6", "INET6", "[::1]", "[2001:db8::9]"},
	} {
		fill := strings.NewReplacer("{family}", v.family, "{lo}", v.lo, "{far}", v.far)
		replaced := func(in []string) []string {
			var out []string
			for _, s := range in {
				out = append(out, fill.Replace(s))
			}
			return out
		}
		families = append(families,
			randomFamily{"tcp" + v.name, replaced(tcpPrepare), replaced(tcpSockets), replaced(tcpCalls), false},
			randomFamily{"udp" + v.name, replaced(udpPrepare), replaced(udpSockets), replaced(udpCalls), false})
	}
	return append(families, rawFamilies...)
}

func unixStreamPrepare(kind string) []string {
	return []string{
		"l = socket(UNIX, " + kind + "|NONBLOCK); bind(l, unix:/l); listen(l, 1)",
		"x = socket(UNIX, " + kind + "); bind(x, unix:/stale); close(x)",
	}
}

// commonCalls fit every socket.
var commonCalls = []string{
	"connect(%s, unspec)", "connect(%s, NULL, len=0)", "connect(%s, bad, len=16)", "getsockopt(%s, SO_ERROR)",
	"getsockname(%s)", "getpeername(%s)", "poll(%s, IN|PRI|OUT|RDHUP, 0s)", "send(%s, \"x\", DONTWAIT)",
	"recv(%s, DONTWAIT)", "shutdown(%s, SHUT_RD)", "shutdown(%s, SHUT_WR)", "fcntl(%s, O_NONBLOCK, on)",
}

var unixCalls = append([]string{
	"connect(%s, unix:/l)", "connect(%s, unix:/l)", "connect(%s, unix:/l)", "connect(%s, unix:/none)",
	"connect(%s, unix:/stale)", "connect(%s, unix:/l, len=1)", "bind(%s, unix:/b%d)", "listen(%s, 0)", "c = accept(l)",
	"recv(l, DONTWAIT)", "sendto(l, \"y\", unix:/b, DONTWAIT)",
}, commonCalls...)

var (
	tcpPrepare = []string{
		"l = socket({family}, STREAM|NONBLOCK); bind(l, {lo}:7000); listen(l, 100)", "firewall a input tcp dport 7001 drop",
	}
	tcpSockets = []string{"%s = socket({family}, STREAM)", "%s = socket({family}, STREAM|NONBLOCK)"}
	tcpCalls   = append([]string{
		"connect(%s, {lo}:7000)", "connect(%s, {lo}:7000)", "connect(%s, {lo}:7001)", "connect(%s, {lo}:7002)",
		"connect(%s, {lo}:7002)", "connect(%s, {far}:9)", "connect(%s, {lo}:7000, len=3)",
		"connect(%s, {lo}:7000, family=77)", "bind(%s, {lo}:5%03d)", "listen(%s, 1)", "c = accept(l)",
	}, commonCalls...)
	udpPrepare = []string{
		"l = socket({family}, DGRAM); bind(l, {lo}:7000)", "m = socket({family}, DGRAM); bind(m, {lo}:7003)",
	}
	udpSockets = []string{"%s = socket({family}, DGRAM)"}
	udpCalls   = append([]string{
		"connect(%s, {lo}:7000)", "connect(%s, {lo}:7003)", "connect(%s, {lo}:7002)", "connect(%s, {lo}:0)",
		"connect(%s, {far}:9)", "connect(%s, {lo}:7000, len=3)", "connect(%s, {lo}:7000, family=77)",
		"bind(%s, {lo}:5%03d)", "listen(%s, 1)", "sendto(%s, \"z\", {lo}:7002)", "sendto(%s, \"z\", {lo}:7000)",
		"recv(l, DONTWAIT)",
	}, commonCalls...)
)

// Random makes a case of random calls without answers, for arms to be compared: see [Compare]. The same seed makes
// the same case.
func Random(seed uint64) (*Case, error) {
	chance := rand.New(rand.NewPCG(seed, 0))
	families := randomFamilies()
	f := families[chance.IntN(len(families))]
	var b strings.Builder
	fmt.Fprintf(&b, "case random-%d: random calls, %s\n", seed, f.name)
	for _, s := range f.prepare {
		fmt.Fprintf(&b, "  %s\n", s)
	}
	for _, name := range []string{"s", "t"} {
		fmt.Fprintf(&b, "  "+f.sockets[chance.IntN(len(f.sockets))]+"\n", name)
		fmt.Fprintf(&b, "  setsockopt(%s, SO_SNDTIMEO, 200ms)\n", name)
	}
	for i := range 5 + chance.IntN(20) {
		call := f.calls[chance.IntN(len(f.calls))]
		name := []string{"s", "t"}[chance.IntN(2)]
		call = strings.Replace(call, "%s", name, 1)
		call = strings.Replace(call, "%03d", fmt.Sprintf("%03d", i), 1)
		call = strings.Replace(call, "%d", fmt.Sprint(i), 1)
		switch {
		case f.headers && strings.HasPrefix(call, "recv"):
			fmt.Fprintf(&b, "  %s = ? bytes\n", call)
		case f.headers && strings.HasPrefix(call, "send"):
			fmt.Fprintf(&b, "  %s = ?; sleep 20ms\n", call)
		default:
			fmt.Fprintf(&b, "  %s = ?\n", call)
		}
	}
	cases, err := Parse(fmt.Sprintf("random-%d", seed), b.String())
	if err != nil {
		return nil, err
	}
	return cases[0], nil
}
