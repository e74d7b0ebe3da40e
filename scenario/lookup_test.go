// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const failingNames = `
links: {lan: {kind: hub}}
hosts:
  a.test: {interfaces: {eth0: {link: lan, addresses: [10.0.0.1/24]}}}
  db.test:
    aliases: [www.test, mail.test, old.test]
    interfaces: {eth0: {link: lan, addresses: [10.0.0.2/24]}}
    services: [{kind: dns}, {kind: echo}]
lookups:
  - {name: DB.test, fail: servfail}
  - {name: mail.test, fail: silent}
  - {name: elsewhere.example, fail: servfail}
  - {name: old.test, fail: nxdomain}
`

// TestLookups: a Go program's dials and its resolver, which asks the name server by UDP and TCP, fail in the same way.
func TestLookups(t *testing.T) {
	for name, want := range map[string]net.DNSError{
		"www.test.":          {},
		"db.test.":           {IsTemporary: true},
		"mail.test.":         {IsTemporary: true, IsTimeout: true},
		"elsewhere.example.": {IsTemporary: true},
		"other.example.":     {IsNotFound: true},
		"old.test.":          {IsNotFound: true},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := running(t, failingNames)
			a := r.Host("a.test")
			check := func(by string, err error) {
				t.Helper()
				var got net.DNSError
				if e := (*net.DNSError)(nil); errors.As(err, &e) {
					got = net.DNSError{IsTemporary: e.IsTemporary, IsTimeout: e.IsTimeout, IsNotFound: e.IsNotFound}
				}
				if got != want || err != nil && got == (net.DNSError{}) {
					t.Errorf("%s by %s: %v, %+v, want %+v", name, by, err, got, want)
				}
			}
			for _, network := range []string{"udp", "tcp"} {
				resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
					return a.DialContext(ctx, network, "10.0.0.2:53")
				}}
				_, err := resolver.LookupHost(t.Context(), name)
				check(network, err)
			}
			c, err := a.Dial("tcp", name+":7")
			if err == nil {
				c.Close()
			}
			check("dial", err)
		})
	}
}

// TestLookups_all: no name is looked up, backwards neither, and the name server that says nothing keeps the connection.
func TestLookups_all(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := running(t, failingNames[:strings.Index(failingNames, "lookups:")]+"lookups: [{fail: silent}]\n")
		a := r.Host("a.test")
		resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return a.DialContext(ctx, network, "10.0.0.2:53")
		}}
		for _, look := range []func() error{
			func() error { _, err := resolver.LookupHost(t.Context(), "www.test."); return err },
			func() error { _, err := resolver.LookupAddr(t.Context(), "10.0.0.2"); return err },
			func() error { _, err := a.Dial("tcp", "db.test:7"); return err },
		} {
			var e *net.DNSError
			if err := look(); !errors.As(err, &e) || !e.IsTimeout {
				t.Errorf("%v", err)
			}
		}
		c, err := a.Dial("tcp", "10.0.0.2:53")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		question := "\x00\x1a\x00\x07\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x04test\x00\x00\x01\x00\x01"
		if _, err := c.Write([]byte(question)); err != nil {
			t.Fatal(err)
		}
		c.SetReadDeadline(time.Now().Add(time.Hour))
		var timeout net.Error
		if _, err := c.Read(make([]byte, 1)); !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("the name server says something: %v", err)
		}
	})
}

func TestLookups_mistakes(t *testing.T) {
	for items, want := range map[string]string{
		"{name: a.test}":                                                   `f:3:5: the key "fail" is missing`,
		"{name: a.test, fail: formerr}":                                    `f:3:26: "formerr", expected one of servfail, silent, nxdomain`,
		"{name: 10.0.0.1, fail: silent}":                                   `f:3:12: "10.0.0.1" is no domain name, expected labels of letters, digits and hyphens with dots between, such as web.test`,
		"{nmae: a.test, fail: silent}":                                     `f:3:6: unknown key "nmae", expected "name"`,
		"{name: '', fail: silent}":                                         `f:3:12: "" is no domain name, expected labels of letters, digits and hyphens with dots between, such as web.test`,
		"{fail: silent}\n  - {fail: silent}":                               `f:4:12: this never counts: line 3 says it already`,
		"{fail: silent}\n  - {name: a.test, fail: servfail}":               `f:4:12: this never counts: line 3 says it already`,
		"{name: A.test, fail: silent}\n  - {name: a.test, fail: servfail}": `f:4:12: this never counts: line 3 says it already`,
	} {
		_, err := Parse("f", []byte("hosts: {a.test: {}}\nlookups:\n  - "+items+"\n"))
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", items, err, want)
		}
	}
}
