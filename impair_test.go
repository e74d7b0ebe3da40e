// SPDX-License-Identifier: Apache-2.0

package dialtone_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"dialtone"
	"dialtone/errno"
	"dialtone/link"
)

// from is a rule's prefix for what a host sends by IPv4.
func from(h *dialtone.Host) netip.Prefix { return netip.PrefixFrom(h.Addresses()[0], 32) }

// What a dial says when the link to the server is cut in each way, in one direction or both.
func TestDialOverCutLinks(t *testing.T) {
	for _, c := range []struct {
		name  string
		rules func(client, server *dialtone.Host) []link.Rule
		want  error
		after time.Duration
	}{
		{"silently", func(_, _ *dialtone.Host) []link.Rule { return []link.Rule{{Action: link.Drop}} }, syscall.ETIMEDOUT, 131 * time.Second},
		{"with reset", func(_, _ *dialtone.Host) []link.Rule { return []link.Rule{{Action: link.Reset}} }, syscall.ECONNREFUSED, 0},
		{"only to the server", func(client, _ *dialtone.Host) []link.Rule {
			return []link.Rule{{From: from(client), Action: link.Drop}}
		}, syscall.ETIMEDOUT, 131 * time.Second},
		{"only from the server", func(_, server *dialtone.Host) []link.Rule {
			return []link.Rule{{From: from(server), Action: link.Drop}}
		}, syscall.ETIMEDOUT, 131 * time.Second},
		{"for another port", func(_, _ *dialtone.Host) []link.Rule { return []link.Rule{{ToPort: 81, Action: link.Drop}} }, nil, 0},
		{"not at all: slow", func(_, _ *dialtone.Host) []link.Rule {
			return []link.Rule{{Effect: link.Effect{Latency: 100 * time.Millisecond}}}
		}, nil, 200 * time.Millisecond},
		{"not at all: slow in one direction", func(client, _ *dialtone.Host) []link.Rule {
			return []link.Rule{{From: from(client), Effect: link.Effect{Latency: 100 * time.Millisecond}}}
		}, nil, 100 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := dialtone.NewNetwork()
				client, server := n.Host("client.test"), n.Host("server.test")
				l, err := server.Listen("tcp", ":80")
				if err != nil {
					t.Fatal(err)
				}
				defer l.Close()
				if err := n.Impair(c.rules(client, server)...); err != nil {
					t.Fatal(err)
				}
				before := time.Now()
				conn, err := client.Dial("tcp4", "server.test:80")
				if !errors.Is(err, c.want) || time.Since(before) != c.after {
					t.Errorf("%v after %v, want %v after %v", err, time.Since(before), c.want, c.after)
				}
				if err == nil {
					conn.Close()
				}
			})
		})
	}
}

// ICMP from the link ends an attempt; on an established connection it is noted, and the data gets through once the link
// is healed (RFC 1122, 4.2.3.9).
func TestUnreachableWhileConnected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := dialtone.NewNetwork()
		n.Hub().SetLatency(time.Millisecond)
		c, s := connected(t, n, "tcp4")
		n.Impair(link.Rule{Action: link.Unreachable})
		if _, err := c.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		d := dialtone.Dialer{Host: n.Host("client.test"), Timeout: 10 * time.Second}
		if _, err := d.Dial("tcp4", "server.test:9"); !errors.Is(err, syscall.EHOSTUNREACH) {
			t.Errorf("dial: %v", err)
		}
		n.Impair()
		b := make([]byte, 10)
		if k, err := s.Read(b); string(b[:k]) != "hello" || err != nil {
			t.Errorf("healed: %q, %v", b[:k], err)
		}
	})
}

// A link that resets ends connections on both sides.
func TestResetWhileConnected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := dialtone.NewNetwork()
		c, s := connected(t, n, "tcp4")
		n.Impair(link.Rule{Action: link.Reset})
		for _, end := range []*dialtone.Conn{c, s} {
			end.Write([]byte("x"))
			if _, err := end.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("read: %v", err)
			}
		}
	})
}

// Whatever a link does to packets, TCP's bytes arrive once, in order, and whole; and datagrams whole or not at all.
func TestTCPOverBadLinks(t *testing.T) {
	for name, e := range map[string]link.Effect{
		"loss":      {Loss: 0.05},
		"bursts":    {Bursts: link.GilbertElliott{ToBad: 0.02, ToGood: 0.3, LossBad: 1}},
		"duplicate": {Duplicate: 0.2},
		"reorder":   {Reorder: 0.1, ReorderBy: 30 * time.Millisecond},
		"corrupt":   {Corrupt: 0.05},
		"jitter":    {Jitter: 50 * time.Millisecond},
		"rate":      {Rate: 10_000_000, Queue: 20_000},
		"everything": {
			Latency: 10 * time.Millisecond, Jitter: 5 * time.Millisecond, Rate: 10_000_000, Loss: 0.02, Duplicate: 0.05,
			Reorder: 0.05, ReorderBy: 10 * time.Millisecond, Corrupt: 0.02,
			Bursts: link.GilbertElliott{ToBad: 0.01, ToGood: 0.5, LossBad: 0.8},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := dialtone.NewNetwork()
				n.Hub().SetLatency(5 * time.Millisecond)
				c, s := connected(t, n, "tcp4")
				if err := n.Impair(link.Rule{Effect: e}); err != nil {
					t.Fatal(err)
				}
				data := make([]byte, 300_000)
				for i := range data {
					data[i] = byte(i * i >> 8)
				}
				go func() {
					c.Write(data)
					c.CloseWrite()
				}()
				got, err := io.ReadAll(s)
				if err != nil || !bytes.Equal(got, data) {
					t.Errorf("%d of %d bytes, %v", len(got), len(data), err)
				}
			})
		})
	}
}

// A bulk transfer takes what the rate lets through: 1 MB at 8 Mbit/s is a second, and headers, and a start.
func TestRateOverTCP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := dialtone.NewNetwork()
		c, s := connected(t, n, "tcp4")
		if err := n.Impair(link.Rule{Effect: link.Effect{Rate: 8_000_000, Latency: 5 * time.Millisecond}}); err != nil {
			t.Fatal(err)
		}
		before := time.Now()
		go func() {
			c.Write(make([]byte, 1_000_000))
			c.CloseWrite()
		}()
		if k, err := io.Copy(io.Discard, s); k != 1_000_000 || err != nil {
			t.Fatal(k, err)
		}
		if took := time.Since(before); took < time.Second || took > 1500*time.Millisecond {
			t.Errorf("took %v", took)
		}
	})
}

// A crash is silent; after the restart the old connections are reset and new ones work.
func TestCrashAndRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := dialtone.NewNetwork()
		client, server := n.Host("client.test"), n.Host("server.test")
		c, s := connected(t, n, "tcp4")
		l, err := server.Listen("tcp", ":80")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		p, err := server.ListenPacket("udp", ":53")
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		accepted := make(chan error)
		go func() { _, err := l.Accept(); accepted <- err }()
		synctest.Wait()

		server.Crash()
		if err := <-accepted; !errors.Is(err, syscall.EINVAL) {
			t.Errorf("accept: %v", err)
		}
		if _, err := s.Read(make([]byte, 1)); !errors.Is(err, syscall.ENETDOWN) {
			t.Errorf("read on the crashed host: %v", err)
		}
		if _, _, err := p.ReadFrom(make([]byte, 1)); !errors.Is(err, syscall.ENETDOWN) {
			t.Errorf("datagrams on the crashed host: %v", err)
		}
		c.SetReadDeadline(time.Now().Add(time.Hour))
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the peer heard of the crash: %v", err)
		}
		c.SetReadDeadline(time.Time{})
		var refused net.Error
		if _, err := client.Dial("tcp4", "server.test:80"); !errors.As(err, &refused) || !errors.Is(err, syscall.EHOSTUNREACH) {
			t.Errorf("dial to the crashed host: %v", err)
		}

		server.Restart()
		if _, err := client.Dial("tcp4", "server.test:80"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("dial after the restart: %v", err)
		}
		c.Write([]byte("are you there?"))
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the old connection: %v", err)
		}
		again, err := server.Listen("tcp", ":80") // though the old listener is still open
		if err != nil {
			t.Fatal(err)
		}
		defer again.Close()
		fresh, err := client.Dial("tcp4", "server.test:80")
		if err != nil {
			t.Fatal(err)
		}
		fresh.Close()
	})
}

// Faults of connects and impaired links go together: the first says no before a packet leaves.
func TestFaultSendsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := dialtone.NewNetwork()
		client := n.Host("client.test")
		n.Host("server.test")
		hub := link.NewImpaired(link.NewHub(0), 1)
		if err := hub.SetRules(link.Rule{}); err != nil {
			t.Fatal(err)
		}
		if _, err := client.Attach("eth1", hub, netip.MustParsePrefix("192.0.2.1/24")); err != nil {
			t.Fatal(err)
		}
		other := n.Host("other.test")
		if _, err := other.Attach("eth1", hub, netip.MustParsePrefix("192.0.2.2/24")); err != nil {
			t.Fatal(err)
		}
		if _, err := n.Fault(dialtone.Fault{To: "192.0.2.2", Times: 1, Errno: errno.EPERM}); err != nil {
			t.Fatal(err)
		}
		for i, want := range []uint64{0, 2} { // nothing; SYN and RST
			client.Dial("tcp4", "192.0.2.2:80")
			if _, counts := hub.Rules(); counts[0].Matched != want {
				t.Errorf("dial %d: %d packets, want %d", i, counts[0].Matched, want)
			}
		}
	})
}

// TestImpaired: the rules tell what they have done, in their order, and forget it when they are set again.
func TestImpaired(t *testing.T) {
	n := dialtone.NewNetwork()
	u, err := n.Host("server.test").ListenPacket("udp4", ":7")
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	c, err := n.Host("client.test").Dial("udp4", "server.test:7")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if rules, counts := n.Impaired(); rules != nil || counts != nil {
		t.Errorf("at first: %+v, %+v", rules, counts)
	}
	rules := []link.Rule{{ToPort: 8, Action: link.Drop}, {Effect: link.Effect{Loss: 0.5}}}
	for range 2 {
		if err := n.Impair(rules...); err != nil {
			t.Fatal(err)
		}
		for range 100 {
			if _, err := c.Write([]byte{1}); err != nil {
				t.Fatal(err)
			}
		}
		got, counts := n.Impaired()
		if !slices.Equal(got, rules) || counts[0] != (link.Counts{}) || counts[1].Matched != 100 ||
			counts[1].Lost < 20 || counts[1].Lost > 80 {
			t.Errorf("%+v, %+v", got, counts)
		}
	}
}
