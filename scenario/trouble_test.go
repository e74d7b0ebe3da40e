// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"errors"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// trouble is two hosts on a link with rules, and faults.
const trouble = `
links:
  lan:
    kind: hub
    rules:
      - {protocol: tcp, to-port: 81, action: reset}
      - {to: 10.0.0.2/32, to-port: 82, latency: 30ms}
hosts:
  a.test:
    aliases: [a]
    interfaces: {eth0: {link: lan, addresses: [10.0.0.1/24]}}
  b.test:
    interfaces: {eth0: {link: lan, addresses: [10.0.0.2/24]}}
    services: [{kind: echo, port: 80}, {kind: echo, port: 81}, {kind: echo, port: 82}]
faults:
  - {from: a, to: b.test, protocol: tcp, port: 80, nth: 2, times: 1, errno: ENETDOWN}
`

func TestTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := running(t, trouble)
		for _, c := range []struct {
			network, to string
			want        error
			took        time.Duration
		}{
			{"tcp4", "b.test:80", nil, 0},
			{"udp4", "b.test:80", nil, 0}, // the fault does not count it
			{"tcp4", "b.test:80", syscall.ENETDOWN, 0},
			{"tcp4", "b.test:80", nil, 0},
			{"tcp4", "b.test:81", syscall.ECONNREFUSED, 0},
			{"tcp4", "b.test:82", nil, 30 * time.Millisecond},
		} {
			before := time.Now()
			conn, err := r.Host("a").Dial(c.network, c.to)
			if !errors.Is(err, c.want) || time.Since(before) != c.took {
				t.Errorf("%s: %v after %v, want %v after %v", c.to, err, time.Since(before), c.want, c.took)
			}
			if err == nil {
				conn.Close()
			}
		}
	})
}

func TestTroubleMistakes(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{"latency: 30ms", "loss: 1.5", `"1.5", expected a share between 0 and 1, such as 0.01`},
		{"latency: 30ms", "loss: NaN", `"NaN", expected a share`},
		{"latency: 30ms", "rate: 10", `"10", expected a rate with its unit, such as 500kbit, 10mbit or 1.5gbit`},
		{"latency: 30ms", "rate: 0mbit", `"0mbit", expected a rate`},
		{"latency: 30ms", "reorder: 0.5", "rule 2 of the link: what is held back for no time is not overtaken"},
		{"action: reset", "action: reset, loss: 0.5", "rule 1 of the link: what is not passed on (reset) can have no other effect"},
		{"action: reset", "action: explode", `"explode", expected one of pass, drop, reset, unreachable, prohibited`},
		{"10.0.0.2/32, to-port", "10.0.0.2/24, to-port", "10.0.0.2/24 has bits set behind its length"},
		{"{to: 10.0.0.2/32", `{from: "fd00::/64", to: 10.0.0.2/32`, "10.0.0.2/32 is not of the IP version of fd00::/64"},
		{"errno: ENETDOWN", "errno: ENOSUCH", `"ENOSUCH", expected the name of an error, such as ECONNREFUSED`},
		{", errno: ENETDOWN", "", `the key "errno" is missing`},
		{"from: a,", "from: c.test,", `no host "c.test"`},
		{"to: b.test,", "to: c.test,", `"c.test" is no host or name with an address`},
		{"to: b.test,", "to: nowhere,", "expected one of a, a.test, b.test"},
	} {
		file := strings.Replace(trouble, c.from, c.to, 1)
		if file == trouble {
			t.Fatalf("%q is not in the file", c.from)
		}
		if _, err := Parse("f", []byte(file)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.to, err, c.want)
		}
	}
	for _, to := range []string{"10.0.0.0/8", "10.0.0.2", "'fd00::1'", "/run/s", "'@s'"} {
		if _, err := Parse("f", []byte(strings.Replace(trouble, "to: b.test,", "to: "+to+",", 1))); err != nil {
			t.Errorf("to %s: %v", to, err)
		}
	}
}
