// SPDX-License-Identifier: Apache-2.0

package dialtone_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"dialtone"
	"dialtone/clock"
)

// dnsErrorOf returns the look-up's error in err, without what differs from resolver to resolver: which server was asked,
// and over which sockets.
func dnsErrorOf(t *testing.T, err error) net.DNSError {
	t.Helper()
	var e *net.DNSError
	if !errors.As(err, &e) {
		t.Fatalf("%v (%T) is no *net.DNSError", err, err)
	}
	return net.DNSError{Name: e.Name, IsTimeout: e.IsTimeout, IsTemporary: e.IsTemporary, IsNotFound: e.IsNotFound}
}

// Dials, listeners and resolvers fail alike, each name as its first fault says, and are whole again without it.
func TestFaultName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := dialtone.NewNetwork()
		h := n.Host("web.test")
		l, err := h.Listen("tcp", ":80")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		n.AddName("db.test", h.Addresses()...)
		n.AddName("mail.test", h.Addresses()...)
		looks := map[string]func(name string) error{
			"dial": func(name string) error {
				c, err := h.Dial("tcp", name+":80")
				if err == nil {
					c.Close()
				}
				return err
			},
			"listen": func(name string) error {
				l, err := h.ListenPacket("udp", name+":53")
				if err == nil {
					l.Close()
				}
				return err
			},
			"resolver": func(name string) error {
				_, err := n.Resolver().LookupHost(t.Context(), name)
				return err
			},
		}
		expect := func(name string, want *net.DNSError, after time.Duration) {
			t.Helper()
			for by, look := range looks {
				before := time.Now()
				err := look(name)
				if took := time.Since(before); took != after && (by != "resolver" || took < after) {
					// The resolver goes by this machine's resolv.conf: how many servers, how long.
					t.Errorf("%s %s: took %v, want %v", by, name, took, after)
				}
				switch {
				case want == nil && err != nil:
					t.Errorf("%s %s: %v", by, name, err)
				case want != nil && dnsErrorOf(t, err) != *want:
					t.Errorf("%s %s: %+v, want %+v", by, name, dnsErrorOf(t, err), *want)
				}
			}
		}
		servFail := func(name string) *net.DNSError { return &net.DNSError{Name: name, IsTemporary: true} }
		silent := func(name string) *net.DNSError {
			return &net.DNSError{Name: name, IsTemporary: true, IsTimeout: true}
		}

		expect("db.test.", nil, 0)
		one := n.FaultName("DB.test", dialtone.NameServFail)
		two := n.FaultName("mail.test", dialtone.NameSilent)
		later := n.FaultName("db.test", dialtone.NameSilent)
		expect("db.test.", servFail("db.test."), 0)
		expect("mail.test.", silent("mail.test."), 10*time.Second)
		expect("web.test.", nil, 0)
		one()
		expect("db.test.", silent("db.test."), 10*time.Second)
		later()
		expect("db.test.", nil, 0)
		two()
		gone := n.FaultName("web.test", dialtone.NameNotFound)
		expect("web.test.", &net.DNSError{Name: "web.test.", IsNotFound: true}, 0)
		gone()
		all := n.FaultName("", dialtone.NameServFail)
		for _, name := range []string{"db.test.", "web.test.", "nobody.test."} {
			expect(name, servFail(name), 0)
		}
		for _, address := range []string{"10.0.0.1:80", "[::1]:80", "localhost:80", ":80"} {
			c, err := h.Dial("tcp", address)
			if err != nil {
				t.Errorf("what is not looked up: %v", err)
				continue
			}
			c.Close()
		}
		all()
		expect("web.test.", nil, 0)
	})
}

// A dial's own time, or its context, ends the wait for an answer. The errors are those of a net.Dialer whose resolver
// nobody answers.
func TestFaultName_ends(t *testing.T) {
	silent := func(ctx context.Context, network, _ string) (net.Conn, error) {
		near, far := net.Pipe()
		go func() {
			buf := make([]byte, 512)
			for {
				if _, err := far.Read(buf); err != nil {
					return
				}
			}
		}()
		return near, nil
	}
	for name, limit := range map[string]struct {
		timeout time.Duration
		context func() (context.Context, context.CancelFunc)
	}{
		"its own patience": {0, func() (context.Context, context.CancelFunc) { return context.Background(), func() {} }},
		"timeout":          {3 * time.Second, func() (context.Context, context.CancelFunc) { return context.WithCancel(context.Background()) }},
		"passed already":   {-1, func() (context.Context, context.CancelFunc) { return context.Background(), func() {} }},
		"deadline": {time.Hour, func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(context.Background(), 3*time.Second)
		}},
		"canceled": {0, func() (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(context.Background())
			time.AfterFunc(3*time.Second, cancel)
			return ctx, cancel
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dial := func(d interface {
					DialContext(context.Context, string, string) (net.Conn, error)
				},
				) (time.Duration, error) {
					ctx, cancel := limit.context()
					defer cancel()
					before := time.Now()
					_, err := d.DialContext(ctx, "tcp", "db.test.:80")
					return time.Since(before), err
				}
				n := dialtone.NewNetwork()
				n.FaultName("db.test", dialtone.NameSilent)
				took, got := dial(&dialtone.Dialer{Host: n.Host("db.test"), Timeout: limit.timeout})
				wantTook, want := dial(&net.Dialer{Timeout: limit.timeout, Resolver: &net.Resolver{PreferGo: true, Dial: silent}})
				if dnsErrorOf(t, got) != dnsErrorOf(t, want) {
					t.Errorf("%+v, want %+v", dnsErrorOf(t, got), dnsErrorOf(t, want))
				}
				for _, target := range []error{context.Canceled, context.DeadlineExceeded} {
					if errors.Is(got, target) != errors.Is(want, target) {
						t.Errorf("%v is %v: %v", got, target, errors.Is(got, target))
					}
				}
				if name == "its own patience" { // package net's is as resolv.conf of this machine says
					wantTook = 10 * time.Second
				}
				if took != wantTook {
					t.Errorf("took %v, want %v", took, wantTook)
				}
				time.Sleep(time.Minute) // by then package net has given up its reads from silent
			})
		})
	}
}

// The wait for an answer is of the network's clock.
func TestFaultName_manualClock(t *testing.T) {
	m := clock.NewManual()
	n := dialtone.NewNetwork(dialtone.WithClock(m))
	n.FaultName("", dialtone.NameSilent)
	h := n.Host("web.test")
	var err error
	m.Go(func() { _, err = h.Dial("tcp", "web.test:80") })
	for m.Step() {
	}
	if e := dnsErrorOf(t, err); !e.IsTimeout || m.Now() != 10*time.Second {
		t.Errorf("%v at %v", err, m.Now())
	}
}
