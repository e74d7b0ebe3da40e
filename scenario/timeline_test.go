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
		"{at: 1s}":                      "f:8:10: nothing happens, expected cut or heal",
		"{at: 1s, cut: lam}":            `f:8:19: no link "lam", expected "lan"`,
		"{cut: lan}":                    `the key "at" is missing`,
		"{at: -1s, cut: lan}":           "-1s",
	} {
		_, err := Parse("f", []byte(timed[1:strings.Index(timed, "  - {at: 10s")]+"  - "+event+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", event, err, want)
		}
	}
}
