// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"dialtone"
)

// crashing is a network whose host b.test has all services, and the timeline given.
func crashing(timeline string) string {
	return `
links: {lan: {kind: hub, latency: 1ms}}
hosts:
  a.test: {interfaces: {eth0: {link: lan, addresses: [10.0.0.1/24]}}}
  b.test:
    aliases: [b]
    interfaces: {eth0: {link: lan, addresses: [10.0.0.2/24]}}
    services: [{kind: echo}, {kind: http}, {kind: dns}, {kind: reset, port: 1}, {kind: full, port: 2}]
timeline:
` + timeline
}

// served checks that all services of b.test do what they are for.
func served(t *testing.T, r *Running) {
	t.Helper()
	a := r.Host("a.test")
	for _, network := range []string{"tcp", "udp"} {
		c, err := a.Dial(network, "b.test:7")
		if err != nil {
			t.Fatal(err)
		}
		echoes(t, c)
		c.Close()
	}
	web := http.Client{Transport: &http.Transport{DialContext: a.DialContext, DisableKeepAlives: true}}
	answer, err := web.Get("http://b.test/")
	if err != nil {
		t.Fatal(err)
	}
	if page, err := io.ReadAll(answer.Body); err != nil || string(page) != "b.test\n" {
		t.Errorf("a page: %q, %v", page, err)
	}
	answer.Body.Close()
	for _, network := range []string{"udp", "tcp"} {
		names := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return a.DialContext(ctx, network, "10.0.0.2:53")
		}}
		if got, err := names.LookupHost(t.Context(), "a.test"); err != nil || len(got) != 1 || got[0] != "10.0.0.1" {
			t.Errorf("names by %s: %v, %v", network, got, err)
		}
	}
	c, err := a.Dial("tcp", "b.test:1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("reset: %v", err)
	}
	c.Close()
	d := dialtone.Dialer{Host: a, Timeout: 10 * time.Second}
	if c, err := d.Dial("tcp", "b.test:2"); err == nil {
		t.Error("the full backlog took one more")
		c.Close()
	}
}

// echoes checks that what is sent comes back.
func echoes(t *testing.T, c net.Conn) {
	t.Helper()
	if _, err := c.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 5)
	if _, err := io.ReadFull(c, b); err != nil || string(b) != "hello" {
		t.Errorf("echo: %q, %v", b, err)
	}
}

// TestCrash: before, between and after two crashes all services serve. While the host is down who asks for it hears
// nothing, EHOSTUNREACH after 14 s where it was asked for a minute ago, and who was connected hears nothing either, and a
// reset when it is back.
func TestCrash(t *testing.T) {
	const timeline = `
  - {at: 130s, restart: b}
  - {at: 100s, crash: b.test}
  - {at: 200s, crash: b.test}
  - {at: 200s, restart: b.test}
`
	synctest.Test(t, func(t *testing.T) {
		r := running(t, crashing(timeline))
		begin := time.Now()
		until := func(at time.Duration) { time.Sleep(at - time.Since(begin)) }
		a := r.Host("a.test")
		served(t, r)
		c, err := a.Dial("tcp", "b.test:7")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		echoes(t, c)

		until(101 * time.Second)
		if _, err := a.Dial("tcp", "b.test:7"); !errors.Is(err, syscall.EHOSTUNREACH) || time.Since(begin) != 115*time.Second {
			t.Errorf("%v after %v", err, time.Since(begin)-101*time.Second)
		}
		if _, err := c.Write([]byte("anybody?")); err != nil {
			t.Errorf("the peer is told: %v", err)
		}
		c.SetReadDeadline(begin.Add(129 * time.Second))
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the peer is told: %v", err)
		}
		c.SetReadDeadline(time.Time{})
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) || time.Since(begin) < 130*time.Second {
			t.Errorf("after the restart: %v at %v", err, time.Since(begin))
		}
		served(t, r)

		until(199 * time.Second)
		d, err := a.Dial("tcp", "b.test:7")
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		until(201 * time.Second)
		if _, err := d.Write([]byte("?")); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("after a crash and a restart in one moment: %v", err)
		}
		served(t, r)
	})
}

// TestCrash_connecting: an attempt that began before the crash gets through after it.
func TestCrash_connecting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := running(t, crashing("  - {at: 500us, crash: b}\n  - {at: 2500ms, restart: b}\n"))
		begin := time.Now()
		c, err := r.Host("a.test").Dial("tcp", "b.test:7") // its SYN is under way when b crashes
		if took := time.Since(begin); err != nil || took < 2500*time.Millisecond {
			t.Fatalf("%v after %v", err, took)
		}
		echoes(t, c)
		c.Close()
	})
}

// TestCrash_instant: an attempt whose SYN is sent again in the very moment of the restart is not refused: either it comes
// too early, and the next one gets through, or all services listen.
func TestCrash_instant(t *testing.T) {
	for range 100 {
		synctest.Test(t, func(t *testing.T) {
			r := running(t, strings.Replace(crashing("  - {at: 0s, crash: b}\n  - {at: 2s, restart: b}\n"), "1ms", "0ms", 1))
			c, err := r.Host("a.test").Dial("tcp", "b.test:7") // SYNs leave at 1 s, 2 s
			if err != nil {
				t.Fatal(err)
			}
			c.Close()
		})
	}
}

// TestCrash_atOnce: what happens at 0s has happened when the network starts. Names are answered on a host that is down
// from when it is up.
func TestCrash_atOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := running(t, crashing(`
  - {at: 0s, crash: a.test}
  - {at: 0s, crash: b}
  - {at: 1s, restart: a.test}
  - {at: 10s, restart: b}
`))
		a, b := r.Host("a.test"), r.Host("b")
		if err := r.AnswerNames(a, []netip.Addr{netip.MustParseAddr("127.0.0.53"), b.Addresses()[0]}); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Dial("tcp", "b.test:7"); !errors.Is(err, syscall.ENETUNREACH) {
			t.Errorf("down from the start: %v", err)
		}
		time.Sleep(2 * time.Second)
		if _, err := a.Dial("tcp", "b.test:7"); !errors.Is(err, syscall.EHOSTUNREACH) {
			t.Errorf("down from the start: %v", err)
		}
		time.Sleep(8 * time.Second)
		served(t, r)
		names := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return a.DialContext(ctx, network, "127.0.0.53:53")
		}}
		if got, err := names.LookupHost(t.Context(), "a.test"); err != nil || len(got) != 1 {
			t.Errorf("names: %v, %v", got, err)
		}
	})
}

// whileDown returns a network in the middle of the second between its host b's crash and restart.
func whileDown(t *testing.T) *Running {
	t.Helper()
	r := started(t, crashing("  - {at: 1s, crash: b}\n  - {at: 2s, restart: b}\n"))
	time.Sleep(1500 * time.Millisecond)
	return r
}

// TestCrash_portTaken: a service whose port somebody took while the host was down does not begin again, and Close says so.
func TestCrash_portTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := whileDown(t)
		l, err := r.Host("b").Listen("tcp", ":80")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		time.Sleep(time.Second)
		if err := r.Close(); !errors.Is(err, syscall.EADDRINUSE) || !strings.HasPrefix(err.Error(), "host b.test, restarted: ") {
			t.Errorf("%v", err)
		}
	})
}

// TestCrash_closed: a network that is closed while a host is down stays so.
func TestCrash_closed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := whileDown(t)
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second)
		if _, err := r.Host("a.test").Dial("tcp", "b.test:7"); !errors.Is(err, syscall.EHOSTUNREACH) {
			t.Errorf("%v", err)
		}
	})
}
