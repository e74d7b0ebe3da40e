// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const timed = `
links: {lan: {kind: hub}}
hosts:
  a.test: {interfaces: {eth0: {link: lan, addresses: [10.0.0.1/24]}}}
  b.test:
    interfaces: {eth0: {link: lan, addresses: [10.0.0.2/24]}}
    services: [{kind: echo, port: 7}]
timeline:
  - {at: 10s, cut: lan}
  - {at: 12s, heal: lan}
`

// TestTimeline: before the cut a connect takes no time, and one that begins within it is done when the SYN that is sent
// first after it arrives: at 1 s and 2 s after the first (tcp_syn_linear_timeouts).
func TestTimeline(t *testing.T) {
	s, err := Parse("f", []byte(timed))
	if err != nil {
		t.Fatal(err)
	}
	if !s.Changes() {
		t.Error("a network with a timeline does not change")
	}
	synctest.Test(t, func(t *testing.T) {
		r := running(t, timed)
		begin := time.Now()
		connect := func(want time.Duration) {
			t.Helper()
			c, err := r.Host("a.test").Dial("tcp", "b.test:7")
			if err != nil {
				t.Fatal(err)
			}
			if took := time.Since(begin); took != want {
				t.Errorf("done at %v, want %v", took, want)
			}
			c.Close()
		}
		connect(0)
		time.Sleep(10*time.Second + time.Millisecond)
		connect(12*time.Second + time.Millisecond)
	})
}

// TestTimeline_closed: a network that is closed has no future.
func TestTimeline_closed(t *testing.T) {
	s, err := Parse("f", []byte(timed))
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		r, err := s.Start()
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		time.Sleep(11 * time.Second)
		l, err := r.Host("b.test").Listen("tcp", ":8")
		if err != nil {
			t.Fatal(err)
		}
		c, err := r.Host("a.test").Dial("tcp", "b.test:8")
		if err != nil {
			t.Fatalf("the link was cut after all: %v", err)
		}
		c.Close()
		l.Close()
	})
}

func TestTimeline_mistakes(t *testing.T) {
	for event, want := range map[string]string{
		"{at: 1s, cut: lan, heal: lan}": "f:8:30: an event cuts and heals, expected one of both",
		"{at: 1s}":                      "f:8:10: nothing happens, expected cut, heal, crash or restart",
		"{at: 1s, cut: lam}":            `f:8:19: no link "lam", expected "lan"`,
		"{cut: lan}":                    `f:8:5: the key "at" is missing`,
		"{at: -1s, cut: lan}":           `f:8:10: "-1s", expected a time with its unit, such as 200ms or 1.5s`,

		"{at: 1s, crash: c.test}":                                   `f:8:21: no host "c.test", expected one of a.test, b.test`,
		"{at: 1s, restart: b.tets}":                                 `f:8:23: no host "b.tets", expected "b.test"`,
		"{at: 1s, crash: lan}":                                      `f:8:21: no host "lan", expected one of a.test, b.test`,
		"{at: 1s, cut: b.test}":                                     `f:8:19: no link "b.test", expected "lan"`,
		"{at: 1s, crash: [a.test]}":                                 "f:8:21: a list, expected text",
		"{at: 1s, crahs: a.test}":                                   `f:8:14: unknown key "crahs", expected "crash"`,
		"{at: 1s, crash: a.test, restart: a.test}":                  "f:8:38: an event crashes and restarts, expected one of both",
		"{at: 1s, crash: a.test, cut: lan}":                         "f:8:21: an event cuts and crashes, expected one of both",
		"{at: 1s, restart: a.test}":                                 "f:8:23: a.test is up at 1s, expected a crash before it restarts",
		two("{at: 2s, crash: B.test}", "{at: 1s, crash: b.test}"):   "f:8:21: b.test is down since 1s already, expected a restart before it crashes again",
		two("{at: 2s, crash: a.test}", "{at: 1s, restart: a.test}"): "f:9:23: a.test is up at 1s, expected a crash before it restarts",
		two("{at: 1s, restart: a.test}", "{at: 1s, crash: a.test}"): "f:8:23: a.test is up at 1s, expected a crash before it restarts",
	} {
		_, err := Parse("f", []byte(timed[1:strings.Index(timed, "  - {at: 10s")]+"  - "+event+"\n"))
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", event, err, want)
		}
	}
}

// two are two items of the list.
func two(first, second string) string { return first + "\n  - " + second }
