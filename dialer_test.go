// SPDX-License-Identifier: Apache-2.0

package dialtone_test

import (
	"context"
	"errors"
	"fmt"
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
	"dialtone/clock"
	"dialtone/firewall"
	"dialtone/personality"
	"dialtone/socket"
)

// twoFaced is a network in which server.test has addresses of both versions, of which the client prefers IPv6 (RFC 6724:
// they are global), and listens on port 80 with both.
func twoFaced(t *testing.T) (n *dialtone.Network, client, server *dialtone.Host) {
	t.Helper()
	n = dialtone.NewNetwork()
	for i, name := range []string{"client.test", "server.test"} {
		h, err := n.NewHost(name, personality.Linux)
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.Attach("eth0", n.Hub(),
			netip.MustParsePrefix(fmt.Sprintf("192.0.2.%d/24", i+1)), netip.MustParsePrefix(fmt.Sprintf("2001:db8::%d/64", i+1)))
		if err != nil {
			t.Fatal(err)
		}
	}
	client, _ = n.Lookup("client.test")
	server, _ = n.Lookup("server.test")
	l, err := server.Listen("tcp", ":80")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	return n, client, server
}

// rules makes the firewall of a host treat TCP from all sources of a version alike.
func rules(h *dialtone.Host, v firewall.Verdict, sources ...string) {
	h.Firewall(func(f *firewall.Firewall) {
		for _, s := range sources {
			f.Input.Rules = append(f.Input.Rules, firewall.Rule{Proto: 6, Src: netip.MustParsePrefix(s), Verdict: v})
		}
	})
}

// Happy eyeballs (RFC 8305, section 5), with times.
func TestHappyEyeballs(t *testing.T) {
	drop := firewall.Verdict{Action: firewall.Drop}
	reset := firewall.Verdict{Action: firewall.Reject, With: firewall.TCPReset}
	const v4, v6 = "0.0.0.0/0", "::/0"
	for _, c := range []struct {
		name  string
		setup func(server *dialtone.Host)
		delay time.Duration // FallbackDelay
		out   time.Duration // Timeout
		want  string        // the version that wins; else the error
		after time.Duration
	}{
		{"both answer: the preferred one", func(*dialtone.Host) {}, 0, 0, "6", 0},
		{"IPv6 is silent", func(s *dialtone.Host) { rules(s, drop, v6) }, 0, 0, "4", 300 * time.Millisecond},
		{"IPv6 is silent, other delay", func(s *dialtone.Host) { rules(s, drop, v6) }, time.Second, 0, "4", time.Second},
		{"IPv6 is refused: at once", func(s *dialtone.Host) { rules(s, reset, v6) }, 0, 0, "4", 0},
		{"IPv4 is silent", func(s *dialtone.Host) { rules(s, drop, v4) }, 0, 0, "6", 0},
		{"both are silent", func(s *dialtone.Host) { rules(s, drop, v4, v6) }, 0, 0, "dial tcp [2001:db8::2]:80: connect: connection timed out", 131*time.Second + 300*time.Millisecond},
		{"both are silent, with a timeout", func(s *dialtone.Host) { rules(s, drop, v4, v6) }, 0, 5 * time.Second, "dial tcp [2001:db8::2]:80: i/o timeout", 5 * time.Second},
		{"both are refused", func(s *dialtone.Host) { rules(s, reset, v4, v6) }, 0, 0, "dial tcp [2001:db8::2]:80: connect: connection refused", 0},
		{"one after the other", func(s *dialtone.Host) { rules(s, drop, v6) }, -1, 0, "4", 131 * time.Second},
		{"one after the other, sharing a timeout", func(s *dialtone.Host) { rules(s, drop, v6) }, -1, 10 * time.Second, "4", 5 * time.Second},
		{"one after the other, no share less than 2s", func(s *dialtone.Host) { rules(s, drop, v6) }, -1, 3 * time.Second, "4", 2 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, client, server := twoFaced(t)
				c.setup(server)
				before := time.Now()
				d := dialtone.Dialer{Host: client, FallbackDelay: c.delay, Timeout: c.out}
				conn, err := d.Dial("tcp", "server.test:80")
				got := ""
				if err != nil {
					got = err.Error()
				} else {
					got = version(conn.RemoteAddr())
					if _, err := conn.Read(make([]byte, 1)); err != io.EOF {
						t.Errorf("the connection that won: %v", err)
					}
					conn.Close()
				}
				if got != c.want || time.Since(before) != c.after {
					t.Errorf("%q after %v, want %q after %v", got, time.Since(before), c.want, c.after)
				}
			})
		})
	}
}

func version(a net.Addr) string {
	if a.(*net.TCPAddr).IP.To4() != nil {
		return "4"
	}
	return "6"
}

// The race asks each system's connect how it stands in its own way: some say EISCONN to a connect that has succeeded.
func TestHappyEyeballsOnEverySystem(t *testing.T) {
	for _, name := range personality.Names() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, _ := personality.Named(name)
				n := dialtone.NewNetwork()
				client, err := n.NewHost("client.test", p)
				if err != nil {
					t.Fatal(err)
				}
				n.Hub().SetLatency(time.Millisecond)
				if _, err := client.Attach("eth0", n.Hub(), netip.MustParsePrefix("10.9.9.9/8"), netip.MustParsePrefix("fd00::99/64")); err != nil {
					t.Fatal(err)
				}
				l, err := n.Host("server.test").Listen("tcp6", ":80") // the one that is not preferred
				if err != nil {
					t.Fatal(err)
				}
				defer l.Close()
				before := time.Now()
				c, err := client.Dial("tcp", "server.test:80")
				if err != nil || version(c.RemoteAddr()) != "6" || time.Since(before) > 100*time.Millisecond {
					t.Fatalf("%v, %v after %v", c, err, time.Since(before))
				}
				c.Close()
				if _, err := client.Dial("tcp", "server.test:81"); !errors.Is(err, syscall.ECONNREFUSED) {
					t.Errorf("closed port: %v", err)
				}
			})
		})
	}
}

// The losers of a race leave nothing behind.
func TestHappyEyeballsLosersAreReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, client, server := twoFaced(t)
		rules(server, firewall.Verdict{Action: firewall.Drop}, "::/0")
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		if _, err := client.DialContext(ctx, "tcp", "server.test:80"); !errors.Is(err, context.Canceled) {
			t.Errorf("canceled: %v", err)
		}
		n.Hub().Cut()
		c, err := (&dialtone.Dialer{Host: client, Timeout: time.Second}).Dial("tcp", "server.test:80")
		if err == nil {
			c.Close()
			t.Error("connected through a cut link")
		}
	})
}

// Timeout is of the network's clock, also of one that only steps.
func TestDialerTimeoutOnManualClock(t *testing.T) {
	now := clock.NewManual()
	n := dialtone.NewNetwork(dialtone.WithClock(now))
	d := dialtone.Dialer{Host: n.Host("client.test"), Timeout: 2 * time.Second}
	n.Host("server.test")
	n.Hub().Cut()
	var err error
	now.Go(func() { _, err = d.Dial("tcp4", "server.test:80") })
	for now.Step() {
	}
	var ne net.Error
	if !errors.As(err, &ne) || !ne.Timeout() || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

// LocalAddr decides where a connection comes from, and which of a name's addresses count.
func TestDialerLocalAddr(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, client, _ := twoFaced(t)
		for _, c := range []struct{ local, want string }{
			{"192.0.2.1:4000", "192.0.2.1:4000"},
			{"[2001:db8::1]:4000", "[2001:db8::1]:4000"},
			{"0.0.0.0:4001", "[2001:db8::1]:4001"}, // the wildcard of any version, as in package net
		} {
			ap := netip.MustParseAddrPort(c.local)
			d := dialtone.Dialer{Host: client, LocalAddr: net.TCPAddrFromAddrPort(ap)}
			conn, err := d.Dial("tcp", "server.test:80")
			if err != nil {
				t.Errorf("from %s: %v", c.local, err)
				continue
			}
			if got := conn.LocalAddr().String(); got != c.want {
				t.Errorf("from %s: %s, want %s", c.local, got, c.want)
			}
			conn.Close()
		}
	})
}

// Control sees each socket before it connects, with the network's name of the version, and can set options on it.
func TestControl(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, client, server := twoFaced(t)
		var seen []string
		see := func(network, address string, c syscall.RawConn) error {
			seen = append(seen, network+" "+address)
			return c.(*dialtone.RawConn).SetOption(socket.SolSocket, socket.SoRcvBuf, socket.Int(5000))
		}
		check := func(what string, c *dialtone.RawConn) {
			t.Helper()
			if v, err := c.Option(socket.SolSocket, socket.SoRcvBuf); err != nil || socket.IntValue(v) != 10000 {
				t.Errorf("%s: SO_RCVBUF %v, %v", what, v, err)
			}
		}
		d := dialtone.Dialer{Host: client, Control: see}
		c, err := d.Dial("tcp", "192.0.2.2:80")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		check("dialed", c.(*dialtone.Conn).RawConn())
		type key struct{}
		ctx := context.WithValue(t.Context(), key{}, "carried")
		d.ControlContext = func(ctx context.Context, network, address string, c syscall.RawConn) error {
			seen = append(seen, fmt.Sprint(ctx.Value(key{})))
			return see(network, address, c)
		}
		u, err := d.DialContext(ctx, "udp", "[2001:db8::2]:53")
		if err != nil {
			t.Fatal(err)
		}
		defer u.Close()
		lc := dialtone.ListenConfig{Host: server, Control: see}
		l, err := lc.Listen(t.Context(), "tcp", ":81")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		p, err := lc.ListenPacket(t.Context(), "unixgram", "/tmp/s")
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		check("listening", l.(*dialtone.Listener).RawConn())
		want := []string{"tcp4 192.0.2.2:80", "carried", "udp6 [2001:db8::2]:53", "tcp6 :81", "unixgram /tmp/s"}
		if !slices.Equal(seen, want) {
			t.Errorf("seen %q, want %q", seen, want)
		}
	})
}

// KeepAlive is off at first, and on where asked for, on both sides; with package net's times.
func TestKeepAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := dialtone.NewNetwork().Host("host.test")
		const tcp, idle, interval = 6, 4, 5
		get := func(c net.Conn) (on, seconds int) {
			raw := c.(*dialtone.Conn).RawConn()
			a, _ := raw.Option(socket.SolSocket, socket.SoKeepAlive)
			b, _ := raw.Option(tcp, idle)
			if i, _ := raw.Option(tcp, interval); socket.IntValue(a) != 0 && socket.IntValue(i) != 15 {
				t.Errorf("TCP_KEEPINTVL %d, want 15", socket.IntValue(i))
			}
			return socket.IntValue(a), socket.IntValue(b)
		}
		for _, k := range []struct {
			keepAlive time.Duration
			config    net.KeepAliveConfig
			on, idle  int
		}{
			{0, net.KeepAliveConfig{}, 0, 7200},
			{-1, net.KeepAliveConfig{}, 0, 7200},
			{time.Minute, net.KeepAliveConfig{}, 1, 60},
			{time.Minute, net.KeepAliveConfig{Enable: true, Idle: time.Second}, 1, 1},
		} {
			lc := dialtone.ListenConfig{Host: h, KeepAlive: k.keepAlive, KeepAliveConfig: k.config}
			l, err := lc.Listen(t.Context(), "tcp", ":80")
			if err != nil {
				t.Fatal(err)
			}
			d := dialtone.Dialer{Host: h, KeepAlive: k.keepAlive, KeepAliveConfig: k.config}
			c, err := d.Dial("tcp", "127.0.0.1:80")
			if err != nil {
				t.Fatal(err)
			}
			s, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			for _, end := range []net.Conn{c, s} {
				if on, idle := get(end); on != k.on || idle != k.idle {
					t.Errorf("%v %+v: SO_KEEPALIVE %d, TCP_KEEPIDLE %d; want %d, %d", k.keepAlive, k.config, on, idle, k.on, k.idle)
				}
				end.Close()
			}
			l.Close()
		}
	})
}

// A silent peer is probed where KeepAlive says so. One that can't be reached any more counts as gone after 15 s and nine
// times 15 s; one that has restarted says so; one that is there is left in peace.
func TestKeepAlive_deadPeer(t *testing.T) {
	for _, k := range []struct {
		name   string
		happen func(*dialtone.Network, *dialtone.Host)
		err    syscall.Errno
		after  time.Duration
	}{
		{"cut", func(n *dialtone.Network, _ *dialtone.Host) { n.Hub().Cut() }, syscall.ETIMEDOUT, 150 * time.Second},
		{"restarted", func(_ *dialtone.Network, h *dialtone.Host) { h.Crash(); h.Restart() }, syscall.ECONNRESET, 15 * time.Second},
		{"there", func(*dialtone.Network, *dialtone.Host) {}, 0, time.Hour},
	} {
		t.Run(k.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := dialtone.NewNetwork()
				server := n.Host("server.test")
				l, err := server.Listen("tcp4", ":80")
				if err != nil {
					t.Fatal(err)
				}
				defer l.Close()
				d := dialtone.Dialer{Host: n.Host("client.test"), KeepAlive: 15 * time.Second}
				c, err := d.Dial("tcp4", "server.test:80")
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				s, err := l.Accept()
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				k.happen(n, server)
				since := time.Now()
				if k.err == 0 {
					c.SetReadDeadline(since.Add(k.after))
				}
				_, err = c.Read(make([]byte, 1))
				if time.Since(since) != k.after {
					t.Errorf("after %v, want %v", time.Since(since), k.after)
				}
				if k.err == 0 && !errors.Is(err, os.ErrDeadlineExceeded) || k.err != 0 && !errors.Is(err, k.err) {
					t.Errorf("%v, want %v", err, k.err)
				}
			})
		})
	}
}

// Connections inherit the listener's SO_KEEPALIVE and the host's times before anybody accepts them (tcp(7)).
func TestKeepAlive_inherited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := dialtone.NewNetwork()
		server := n.Host("server.test")
		for name, value := range map[string]string{"time": "60", "intvl": "5", "probes": "2"} {
			if err := server.SetSysctl("net.ipv4.tcp_keepalive_"+name, value); err != nil {
				t.Fatal(err)
			}
		}
		l, err := server.Listen("tcp4", ":80")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if err := l.(*dialtone.Listener).RawConn().SetOption(socket.SolSocket, socket.SoKeepAlive, socket.Bool(true)); err != nil {
			t.Fatal(err)
		}
		c, err := n.Host("client.test").Dial("tcp4", "server.test:80")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		n.Hub().Cut()
		time.Sleep(69 * time.Second)
		s, err := l.Accept() // 60 s, then 2 probes of 5 s each
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		began := time.Now()
		if _, err := s.Read(make([]byte, 1)); !errors.Is(err, syscall.ETIMEDOUT) || time.Since(began) != time.Second {
			t.Errorf("%v after %v, want ETIMEDOUT after 1 s", err, time.Since(began))
		}
	})
}

// Addresses of a name are tried in the order of RFC 6724.
func TestAddressOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, client, _ := twoFaced(t)
		n.Host("ula.test") // 10.0.0.1 and fd00::1, which client.test has no way to
		client.Attach("eth1", n.Hub(), netip.MustParsePrefix("10.9.9.9/8"), netip.MustParsePrefix("fd00::99/64"))
		n.AddName("nobody.test", netip.MustParseAddr("2001:db8:1::1"), netip.MustParseAddr("192.0.2.9"))
		for _, c := range []struct{ name, first string }{
			{"server.test", "[2001:db8::2]:81"}, // precedence 40 before 35
			{"ula.test", "10.0.0.1:81"},         // precedence 35 before 3
			{"nobody.test", "192.0.2.9:81"},     // there is no way to the other (rule 1)
			{"localhost", "[::1]:81"},           // precedence 50
		} {
			_, err := (&dialtone.Dialer{Host: client, Timeout: time.Second}).Dial("tcp", c.name+":81")
			var op *net.OpError
			if !errors.As(err, &op) || op.Addr.String() != c.first {
				t.Errorf("%s: %v, want %s first", c.name, err, c.first)
			}
		}
	})
}
