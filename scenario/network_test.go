// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"dialtone"
)

// onDefaultNetwork runs test on the client of the default network.
func onDefaultNetwork(t *testing.T, test func(t *testing.T, r *Running, client *dialtone.Host)) {
	t.Helper()
	r, err := Default().Start()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	test(t, r, r.Host(""))
}

// inBubble is onDefaultNetwork in virtual time.
func inBubble(t *testing.T, test func(t *testing.T, r *Running, client *dialtone.Host)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { onDefaultNetwork(t, test) })
}

// TestWhatBecomesOfAConnect tries each host of the default network over both versions of IP. The times are Linux's: see
// tcp(7), tcp_syn_retries; 4 linear timeouts and then doubling make 131 s.
func TestWhatBecomesOfAConnect(t *testing.T) {
	for _, test := range []struct {
		address    string
		want4      syscall.Errno // 0: connected
		want6      syscall.Errno
		took, most time.Duration // at least, at most; most 0: exactly
	}{
		{address: "web.test:80"},
		{address: "www.test:80"},
		{address: "echo.test:7"},
		{address: "refused.test:80", want4: syscall.ECONNREFUSED, want6: syscall.ECONNREFUSED},
		{address: "web.test:81", want4: syscall.ECONNREFUSED, want6: syscall.ECONNREFUSED},
		{address: "blackhole.test:80", want4: syscall.ETIMEDOUT, want6: syscall.ETIMEDOUT, took: 131 * time.Second},
		{address: "unreachable.test:80", want4: syscall.ENETUNREACH, want6: syscall.ENETUNREACH},
		{address: "silent.test:80", want4: syscall.EHOSTUNREACH, want6: syscall.EHOSTUNREACH, took: 3 * time.Second},
		{address: "prohibited.test:80", want4: syscall.EACCES, want6: syscall.EACCES},
		{address: "filtered.test:80", want4: syscall.EHOSTUNREACH, want6: syscall.EACCES, took: 2 * time.Millisecond},
		{address: "reset.test:80"},
		{address: "slow.test:80", took: 400 * time.Millisecond},
		{address: "full.test:80", want4: syscall.ETIMEDOUT, want6: syscall.ETIMEDOUT, took: 131 * time.Second},
	} {
		for network, want := range map[string]syscall.Errno{"tcp4": test.want4, "tcp6": test.want6} {
			t.Run(test.address+" "+network, func(t *testing.T) {
				inBubble(t, func(t *testing.T, _ *Running, client *dialtone.Host) {
					begin := time.Now()
					c, err := client.Dial(network, test.address)
					took := time.Since(begin)
					if err == nil {
						defer c.Close()
					}
					if want == 0 && err != nil || want != 0 && !errors.Is(err, want) {
						t.Errorf("%v, want %v", err, want)
					}
					if took < test.took || took > max(test.took, test.most) {
						t.Errorf("took %v, want %v to %v", took, test.took, max(test.took, test.most))
					}
				})
			})
		}
	}
}

func TestResetComesAfterAccept(t *testing.T) {
	inBubble(t, func(t *testing.T, _ *Running, client *dialtone.Host) {
		c, err := client.Dial("tcp", "reset.test:80")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if n, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%d, %v, want ECONNRESET", n, err)
		}
	})
}

// TestUDPOnDefaultNetwork: an echo, and the port nobody has.
func TestUDPOnDefaultNetwork(t *testing.T) {
	inBubble(t, func(t *testing.T, _ *Running, client *dialtone.Host) {
		for _, network := range []string{"udp4", "udp6"} {
			c, err := client.Dial(network, "echo.test:7")
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := c.Write([]byte("ping")); err != nil {
				t.Fatal(err)
			}
			b := make([]byte, 10)
			if n, err := c.Read(b); string(b[:n]) != "ping" || err != nil {
				t.Errorf("%s: %q, %v", network, b[:n], err)
			}
			refused, err := client.Dial(network, "refused.test:7")
			if err != nil {
				t.Fatal(err)
			}
			defer refused.Close()
			if _, err := refused.Write([]byte("ping")); err != nil {
				t.Fatal(err)
			}
			if _, err := refused.Read(b); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("%s: %v, want ECONNREFUSED", network, err)
			}
		}
	})
}

func TestWebOnDefaultNetwork(t *testing.T) {
	inBubble(t, func(t *testing.T, _ *Running, client *dialtone.Host) {
		transport := &http.Transport{DialContext: client.DialContext}
		defer transport.CloseIdleConnections()
		get := func(url string) string {
			t.Helper()
			r, err := (&http.Client{Transport: transport}).Get(url)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Body.Close()
			b, err := io.ReadAll(r.Body)
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}
		if page := get("http://web.test/"); !strings.Contains(page, "<title>web.test</title>") {
			t.Errorf("the page is %q", page)
		}
		if b := get("http://web.test/bytes/1000000"); len(b) != 1000000 {
			t.Errorf("%d bytes, want 1000000", len(b))
		}
		if page := get("http://slow.test/"); page != "slow.test\n" {
			t.Errorf("the page is %q", page)
		}
		begin := time.Now()
		if get("http://slow.test/delay/1m"); time.Since(begin) < time.Minute+400*time.Millisecond {
			t.Errorf("the answer took %v", time.Since(begin))
		}
	})
}

// TestResolver asks the name server as Go's own resolver does; that one doesn't work in synctest's bubbles.
func TestResolver(t *testing.T) {
	onDefaultNetwork(t, func(t *testing.T, r *Running, client *dialtone.Host) {
		r.Network.AddName("later.test", netip.MustParseAddr("10.9.9.9"))
		resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return client.DialContext(ctx, network, "192.0.2.53:53")
		}}
		ctx := t.Context()
		for name, want := range map[string]string{
			"web.test": "192.0.2.80 2001:db8::80", "www.test": "192.0.2.80 2001:db8::80", "later.test": "10.9.9.9",
		} {
			got, err := resolver.LookupHost(ctx, name)
			if err != nil || strings.Join(got, " ") != want {
				t.Errorf("%s: %v, %v, want %s", name, got, err, want)
			}
		}
		if names, err := resolver.LookupAddr(ctx, "2001:db8::80"); err != nil || strings.Join(names, " ") != "web.test." {
			t.Errorf("2001:db8::80: %v, %v", names, err)
		}
		if _, services, err := resolver.LookupSRV(ctx, "http", "tcp", "test"); err != nil || len(services) != 1 || services[0].Port != 80 {
			t.Errorf("SRV: %v, %v", services, err)
		}
		var missing *net.DNSError
		if _, err := resolver.LookupHost(ctx, "none.test"); !errors.As(err, &missing) || !missing.IsNotFound {
			t.Errorf("none.test: %v, want no such host", err)
		}
	})
}

// TestDNSOverTCPOnNetwork asks twice on one connection.
func TestDNSOverTCPOnNetwork(t *testing.T) {
	inBubble(t, func(t *testing.T, _ *Running, client *dialtone.Host) {
		c, err := client.Dial("tcp6", "dns.test:53")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		framed := &dns.Conn{Conn: c}
		for _, name := range []string{"web.test.", "echo.test."} {
			if err := framed.WriteMsg(new(dns.Msg).SetQuestion(name, dns.TypeA)); err != nil {
				t.Fatal(err)
			}
			if reply, err := framed.ReadMsg(); err != nil || len(reply.Answer) != 1 {
				t.Errorf("%s: %v, %v", name, reply, err)
			}
		}
	})
}

// TestFileMakesSense checks that what the file says arrives where it belongs.
func TestFileMakesSense(t *testing.T) {
	s, err := Parse("f", []byte(`
links:
  lan: {kind: hub}
  wire: {kind: cable, latency: 10ms}
hosts:
  a.test:
    sysctls: {net.ipv4.tcp_syn_retries: 1, net.ipv4.ip_local_port_range: 2000 2001}
    interfaces:
      eth0: {link: lan, addresses: [10.0.0.1/24]}
      eth1: {link: wire, addresses: [10.0.1.1/24]}
    routes:
      - {to: 10.2.0.0/16, via: 10.0.1.2}
      - {to: 10.3.0.0/16, type: blackhole}
      - {to: 10.3.1.0/24, type: unreachable}
      - {to: 10.4.0.0/16, interface: eth0}
    firewall:
      output: {rules: [{protocol: tcp, to-port: 25, verdict: reject with tcp-reset}, {to: 10.0.0.3/32, verdict: drop}]}
  b.test:
    aliases: [bee]
    interfaces:
      eth0: {link: wire, addresses: [10.0.1.2/24, 10.2.0.1/16]}
    services: [{kind: http, port: 8080}]
`))
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		r, err := s.Start()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if r.Host("") != r.Host("A.Test.") || r.Host("bee") != r.Host("b.test") || r.Host("c") != nil {
			t.Error("hosts are not known by their names")
		}
		for given, want := range map[string]string{"": "a.test", "A.Test.": "a.test", "bee": "b.test"} {
			if name, err := s.HostName(given); name != want || err != nil {
				t.Errorf("the host named %q is %q, %v; want %q", given, name, err, want)
			}
		}
		if _, err := s.HostName("bea"); err == nil || err.Error() != `no host "bea", expected "bee"` {
			t.Error(err)
		}
		for _, test := range []struct {
			address string
			want    syscall.Errno
			took    time.Duration
		}{
			{"10.2.0.1:8080", 0, 20 * time.Millisecond},
			{"bee:8080", 0, 20 * time.Millisecond},
			{"10.3.0.1:80", syscall.EINVAL, 0},
			{"10.3.1.1:80", syscall.EHOSTUNREACH, 0},
			{"10.4.0.1:80", syscall.EHOSTUNREACH, 3 * time.Second},
			{"b.test:25", syscall.ECONNREFUSED, 0},
			{"10.0.0.3:80", syscall.ETIMEDOUT, 3 * time.Second}, // as Linux 6.18 with tcp_syn_retries=1
		} {
			begin := time.Now()
			c, err := r.Host("a.test").Dial("tcp", test.address)
			if took := time.Since(begin); took != test.took {
				t.Errorf("%s: took %v, want %v", test.address, took, test.took)
			}
			if err != nil {
				if !errors.Is(err, test.want) || test.want == 0 {
					t.Errorf("%s: %v, want %v", test.address, err, test.want)
				}
				continue
			}
			if test.want != 0 {
				t.Errorf("%s: connected, want %v", test.address, test.want)
			}
			if port := c.LocalAddr().(*net.TCPAddr).Port; port != 2000 && port != 2001 {
				t.Errorf("%s: from port %d, want 2000 or 2001", test.address, port)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestSeed: the same seed chooses the same implicit ports, another one others.
func TestSeed(t *testing.T) {
	ports := func(seed string) (all [8]int) {
		s, err := Parse("f", []byte(minimal+"    services: [{kind: echo}]\nseed: "+seed+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		r, err := s.Start()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		for i := range all {
			c, err := r.Host("a.test").Dial("tcp", "10.0.0.1:7")
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			all[i] = c.LocalAddr().(*net.TCPAddr).Port
		}
		return all
	}
	first := ports("7")
	if again := ports("7"); again != first {
		t.Errorf("seed 7 gave the ports %v, and then %v", first, again)
	}
	if other := ports("8"); other == first {
		t.Errorf("seeds 7 and 8 both gave the ports %v", other)
	}
}
