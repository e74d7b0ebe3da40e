// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"dialtone"
)

func TestNameservers(t *testing.T) {
	for file, want := range map[string]string{
		"":                              "[127.0.0.1 ::1]",
		"# none\nsearch test\n":         "[127.0.0.1 ::1]",
		"nameserver nonsense\n":         "[127.0.0.1 ::1]",
		"nameserver 192.0.2.1\n":        "[192.0.2.1]",
		"nameserver fe80::1%eth0\n":     "[127.0.0.1 ::1]",
		"nameserver ::ffff:192.0.2.1\n": "[192.0.2.1]",
		"nameserver 127.0.0.53\nnameserver 2001:db8::1\noptions edns0\n": "[127.0.0.53 2001:db8::1]",
	} {
		if got := fmt.Sprint(Nameservers(strings.NewReader(file))); got != want {
			t.Errorf("%q: %v, want %v", file, got, want)
		}
	}
}

// TestAnyNameserverAnswers asks servers that the network has not, has as another host, has as its name server, and has
// twice.
func TestAnyNameserverAnswers(t *testing.T) {
	onDefaultNetwork(t, func(t *testing.T, r *Running, client *dialtone.Host) {
		var servers []netip.Addr
		for _, text := range []string{
			"0.0.0.0", "127.0.0.53", "::1", "198.18.0.1", "2001:db8:9::1", "192.0.2.1", "192.0.2.53", "192.0.2.80", "198.18.0.1",
		} {
			servers = append(servers, netip.MustParseAddr(text))
		}
		if err := r.AnswerNames(client, servers); err != nil {
			t.Fatal(err)
		}
		for _, server := range servers {
			for _, network := range []string{"udp", "tcp"} {
				resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
					return client.DialContext(ctx, network, netip.AddrPortFrom(server, 53).String())
				}}
				if got, err := resolver.LookupHost(t.Context(), "web.test"); err != nil || len(got) != 2 {
					t.Errorf("%v over %s: %v, %v", server, network, got, err)
				}
			}
		}
		// The web server is still there, and nothing but names is answered at an address that the network had not.
		for address, want := range map[string]syscall.Errno{"192.0.2.80:80": 0, "198.18.0.1:80": syscall.ECONNREFUSED} {
			c, err := client.Dial("tcp", address)
			if want == 0 && err != nil || want != 0 && !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", address, err, want)
			}
			if err == nil {
				c.Close()
			}
		}
	})
}

// TestNameserverBesideTheFiles asks at an address of the loopback that the file's name server on the same host has not,
// and at those that it has.
func TestNameserverBesideTheFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := running(t, failingNames)
		h := r.Host("db.test")
		var servers []netip.Addr
		for _, text := range []string{"127.0.0.53", "127.0.0.1", "::1", "10.0.0.2", "198.18.0.1"} {
			servers = append(servers, netip.MustParseAddr(text))
		}
		if err := r.AnswerNames(h, servers); err != nil {
			t.Fatal(err)
		}
		for _, server := range servers {
			for _, network := range []string{"udp", "tcp"} {
				resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
					return h.DialContext(ctx, network, netip.AddrPortFrom(server, 53).String())
				}}
				if got, err := resolver.LookupHost(t.Context(), "a.test."); err != nil || len(got) != 1 {
					t.Errorf("%v over %s: %v, %v", server, network, got, err)
				}
			}
		}
	})
}
