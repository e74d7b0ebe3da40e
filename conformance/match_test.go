// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"testing"
	"time"
)

func exact(time.Duration) (early, late time.Duration) { return 0, 0 }

func TestMatch(t *testing.T) {
	tests := []struct {
		want, got string
		ok        bool
	}{
		{"EISCONN", "EISCONN", true},
		{"EISCONN", "EISCON", false},
		{"EISCON", "EISCONN", false},
		{"127.0.0.1:$known", "127.0.0.1:40000", true},
		{"127.0.0.1:$known", "127.0.0.1:40001", false},
		{"127.0.0.1:$new", "127.0.0.1:40001", true},
		{"[::1]:$x -> [::1]:$x", "[::1]:5000 -> [::1]:5000", true},
		{"[::1]:$x -> [::1]:$x", "[::1]:5000 -> [::1]:5001", false},
		{"unix:@*", "unix:@0a1b2", true},
		{"unix:@*", "unix:@", false},
		{"OUT, *:* -> ENOTCONN", "OUT, 127.0.0.1:1 -> ENOTCONN", false}, // * is one word
		{"CLOSE, FIN_WAIT*", "CLOSE, FIN_WAIT2", true},
		{`"hi" from 10.0.0.2:*`, `"hi" from 10.0.0.2:7`, true},
		{"3 bytes", `"abc"`, true},
		{"4 bytes", `"abc"`, false},
		{"3 bytes from 10.0.0.1:*", `"a\"c" from 10.0.0.1:7000`, true},
		{"3 bytes from 10.0.0.2:*", `"abc" from 10.0.0.1:7000`, false},
		{"3 bytes", `"abc" from 10.0.0.1:7000`, false},
		{`"abc" from family 16, 12 bytes`, `"abc" from family 16, 12 bytes`, true},
		{"family 16, 12 bytes", "family 16, 12 bytes", true},
		{"0s 1s 3s", "0s 1s 3s", true},
		{"0s 1s 3s", "0s 1s 3.1s", false},
		{"0s 1s 3s", "0s 1s", false},
		{"EAGAIN or EINPROGRESS", "EINPROGRESS", true},
		{"EAGAIN or EINPROGRESS", "EAGAIN", true},
		{"EAGAIN or EINPROGRESS", "0", false},
		{`"a or b"`, `"a or b"`, true},
		{"", "x", false},
	}
	for _, tt := range tests {
		names := map[string]string{"known": "40000"}
		if got := match(tt.want, tt.got, names, exact); got != tt.ok {
			t.Errorf("match(%q, %q) is %v", tt.want, tt.got, got)
		}
		if _, ok := names["new"]; ok != (tt.want == "127.0.0.1:$new") {
			t.Errorf("match(%q, %q) left names %v", tt.want, tt.got, names)
		}
	}
}

func TestMatch_timesWithinTheSlack(t *testing.T) {
	slack := func(d time.Duration) (time.Duration, time.Duration) { return d / 10, d / 5 }
	for got, ok := range map[string]bool{"0s 900ms": true, "0s 1.2s": true, "0s 899ms": false, "0s 1201ms": false} {
		if match("0s 1s", got, nil, slack) != ok {
			t.Errorf("%s is not %v", got, ok)
		}
	}
}

func TestCompare(t *testing.T) {
	c := parseOne(t, "case x: t\n  s = socket(INET, STREAM)\n  connect(s, 10.0.0.2:7000) = ?\n  getsockname(s) = ?\n  getsockname(s) = ?\n")
	report := func(names ...string) *Report {
		f := &fake{answers: []Result{{FDs: []int{3}}, {}, {Value: names[0]}, {Value: names[1]}}}
		r, err := Run(f, c, Linux)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	base := report("10.0.0.1:40000", "10.0.0.1:40000")
	for _, tt := range []struct {
		names [2]string
		n     int
	}{
		{[2]string{"10.0.0.1:50000", "10.0.0.1:50000"}, 0}, // another port, in the same way
		{[2]string{"10.0.0.1:50000", "10.0.0.1:50001"}, 1},
		{[2]string{"10.0.0.2:50000", "10.0.0.1:50000"}, 1},
		{[2]string{"10.0.0.1:7000", "10.0.0.1:7000"}, 2}, // a port that the case writes is no other's stand-in
	} {
		if d := Compare(base, report(tt.names[:]...), &fake{}, &fake{}); len(d) != tt.n {
			t.Errorf("%v: %d differences, expected %d: %v", tt.names, len(d), tt.n, d)
		}
	}
	// A port of netlink(7) is a process's number, which may be small; 0 is nobody's choice.
	base = report("netlink:40000", "netlink:0")
	for _, tt := range []struct {
		names [2]string
		n     int
	}{
		{[2]string{"netlink:7", "netlink:0"}, 0}, {[2]string{"netlink:0", "netlink:0"}, 1}, {[2]string{"netlink:7", "netlink:7"}, 1},
	} {
		if d := Compare(base, report(tt.names[:]...), &fake{}, &fake{}); len(d) != tt.n {
			t.Errorf("%v: %d differences, expected %d: %v", tt.names, len(d), tt.n, d)
		}
	}
}
