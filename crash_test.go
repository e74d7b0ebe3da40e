// SPDX-License-Identifier: Apache-2.0

package dialtone_test

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
	"time"

	"dialtone"
	"dialtone/inet"
	"dialtone/link"
	"dialtone/personality"
	"dialtone/trail"
)

// The AF_UNIX sockets of a crashed host answer as its TCP and UDP sockets do;
// their names are free, and the files stay.
func TestCrashTakesUnixSockets(t *testing.T) {
	for _, c := range []struct{ stream, dgram, name, mail string }{
		{"unix", "unixgram", "/tmp/service", "/tmp/mail"},
		{"unixpacket", "unixgram", "@service", "@mail"},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := dialtone.NewNetwork().Host("server.test")
			other := dialtone.NewNetwork().Host("other.test")
			listen := func(h *dialtone.Host) net.Listener {
				l, err := h.Listen(c.stream, c.name)
				if err != nil {
					t.Fatal(err)
				}
				return l
			}
			dial := func(h *dialtone.Host) net.Conn {
				conn, err := h.Dial(c.stream, c.name)
				if err != nil {
					t.Fatal(err)
				}
				return conn
			}
			l, elsewhere := listen(h), listen(other)
			defer l.Close()
			defer elsewhere.Close()
			client := dial(h)
			defer client.Close()
			server, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			if _, err := server.Write([]byte("never read")); err != nil {
				t.Fatal(err)
			}
			queued := dial(h) // nobody accepts it
			defer queued.Close()
			mail, err := h.ListenPacket(c.dgram, c.mail)
			if err != nil {
				t.Fatal(err)
			}
			defer mail.Close()
			sender, err := h.Dial(c.dgram, c.mail)
			if err != nil {
				t.Fatal(err)
			}
			defer sender.Close()
			if _, err := sender.Write([]byte("never read")); err != nil {
				t.Fatal(err)
			}
			read := make(chan error)
			go func() { _, err := server.Read(make([]byte, 1)); read <- err }()
			synctest.Wait()

			h.Crash()
			if err := <-read; !errors.Is(err, syscall.ENETDOWN) {
				t.Errorf("a read that waited: %v", err)
			}
			if _, err := l.Accept(); !errors.Is(err, syscall.EINVAL) {
				t.Errorf("accept: %v", err)
			}
			for name, conn := range map[string]net.Conn{"client": client, "in the queue": queued, "datagrams, connected": sender} {
				if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ENETDOWN) {
					t.Errorf("%s: read: %v", name, err)
				}
			}
			if _, err := client.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
				t.Errorf("write after the error was told: %v", err)
			}
			if _, _, err := mail.ReadFrom(make([]byte, 1)); !errors.Is(err, syscall.ENETDOWN) {
				t.Errorf("datagrams: %v", err)
			}
			if _, err := h.Dial(c.stream, c.name); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("dial to what is gone: %v", err)
			}
			if c.name[0] == '/' {
				if err := h.Tree().Remove(c.name); err != nil {
					t.Errorf("the file did not stay: %v", err)
				}
			}

			h.Restart()
			again := listen(h)
			defer again.Close()
			if c.name[0] == '@' { // else it removes the file, as package net does
				l.Close() // the old one's end leaves the new one its name
			}
			dial(h).Close()
			dial(other).Close() // another host's are left alone
		})
	}
}

// A machine crashes with all its namespaces: what leads from one of them to another is lost on both sides, and the
// machine beside it goes on.
func TestCrashTakesNamespaces(t *testing.T) {
	for name, crashed := range map[string]func(a, b *dialtone.Host) *dialtone.Host{
		"the first": func(a, _ *dialtone.Host) *dialtone.Host { return a },
		"another":   func(_, b *dialtone.Host) *dialtone.Host { return b },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := namespaces(t)
				other := a.Network().Host("other.test")
				stop := echo(t, other, "tcp4", ":80")
				defer stop()
				dead := make(map[string]net.Conn)
				for name, listener := range map[string]struct {
					of, from         *dialtone.Host
					network, address string
				}{
					"tcp in a":   {a, b, "tcp4", "192.0.2.1:80"},
					"tcp in b":   {b, a, "tcp4", "192.0.2.2:80"},
					"lo of b":    {b, b, "tcp4", "127.0.0.1:81"},
					"unix in a":  {a, b, "unix", "/tmp/a"},
					"unix in b":  {b, a, "unixpacket", "/tmp/b"},
					"abstract":   {b, b, "unix", "@b"},
					"datagrams":  {b, a, "unixgram", "/tmp/d"},
					"datagrams4": {b, a, "udp4", "192.0.2.2:53"},
				} {
					if strings.HasPrefix(name, "datagrams") {
						l, err := listener.of.ListenPacket(listener.network, listener.address)
						if err != nil {
							t.Fatal(err)
						}
						defer l.Close()
						dead[name+", receiver"] = l.(net.Conn)
					} else {
						l, err := listener.of.Listen(listener.network, listener.address)
						if err != nil {
							t.Fatal(err)
						}
						defer l.Close()
						defer func() {
							if _, err := l.Accept(); !errors.Is(err, syscall.EINVAL) {
								t.Errorf("%s: accept: %v", name, err)
							}
						}()
					}
					c, err := listener.from.Dial(listener.network, listener.address)
					if err != nil {
						t.Fatal(err)
					}
					defer c.Close()
					if name != "datagrams4" { // it is not bound to an address of its own
						dead[name] = c
					}
				}

				crashed(a, b).Crash()
				for name, c := range dead {
					if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ENETDOWN) {
						t.Errorf("%s: read: %v", name, err)
					}
				}
				for _, h := range []*dialtone.Host{a, b} {
					if _, err := h.Dial("tcp4", "192.0.2.9:80"); !errors.Is(err, syscall.ENETUNREACH) {
						t.Errorf("%s: dial to a neighbour: %v", h.Name(), err)
					}
				}
				asks(t, other, "tcp4", "127.0.0.1:80", "still here")

				crashed(b, a).Restart() // whichever is told
				defer echo(t, a, "tcp4", ":80")()
				asks(t, b, "tcp4", "192.0.2.1:80", "here again")
			})
		})
	}
}

// What settled a connect says what became of the host: it is down, be it the destination, the router or the caller's own,
// or it is back and has forgotten what listened.
func TestCrashIsExplained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := dialtone.NewNetwork()
		client, server, router := n.Host("client.test"), n.Host("server.test"), n.Host("router.test")
		router.Stack().Sysctl.IPForward = true
		far, err := n.NewHost("far.test", personality.Linux)
		if err != nil {
			t.Fatal(err)
		}
		cable := link.NewCable(0)
		for h, address := range map[*dialtone.Host]string{router: "192.0.2.1/24", far: "192.0.2.2/24"} {
			if _, err := h.Attach("eth1", cable, netip.MustParsePrefix(address)); err != nil {
				t.Fatal(err)
			}
		}
		for h, way := range map[*dialtone.Host][2]string{client: {"192.0.2.0/24", "10.0.0.3"}, far: {"10.0.0.0/8", "192.0.2.1"}} {
			r := inet.Route{
				Prefix: netip.MustParsePrefix(way[0]), Gateway: netip.MustParseAddr(way[1]), Interface: h.Stack().Interfaces()[1],
			}
			if err := h.Stack().AddRoute(r); err != nil {
				t.Fatal(err)
			}
		}
		tells := func(address string, want error, text string) {
			t.Helper()
			var why trail.Trail
			_, err := client.DialContext(dialtone.WithTrail(context.Background(), &why), "tcp4", address)
			last, _ := why.Decided()
			if !errors.Is(err, want) || last.Text != text {
				t.Errorf("%s: %v; %q, want %q", address, err, last.Text, text)
			}
		}
		refused := "RST from %s: nobody listens there, or the connection was reset"
		tells("10.0.0.2:80", syscall.ECONNREFUSED, fmt.Sprintf(refused, "10.0.0.2:80"))
		server.Restart() // of a host that is up: nothing is lost, and there is nothing to tell
		tells("10.0.0.2:80", syscall.ECONNREFUSED, fmt.Sprintf(refused, "10.0.0.2:80"))
		server.Crash()
		var why trail.Trail
		d := dialtone.Dialer{Host: client, Timeout: 2500 * time.Millisecond} // it gives up after the third SYN
		if _, err := d.DialContext(dialtone.WithTrail(context.Background(), &why), "tcp4", "10.0.0.2:80"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("given up: %v", err)
		}
		believed := "10.0.0.2 on eth0 has answered before, and is believed to be there; server.test has been down for 2s"
		if last := why.Lines[len(why.Lines)-1]; last.Layer != trail.Neighbour || last.Text != believed {
			t.Errorf("given up: %s: %q, want %q", last.Layer, last.Text, believed)
		}
		time.Sleep(time.Minute)
		tells("10.0.0.2:80", syscall.EHOSTUNREACH, "no neighbour answers for 10.0.0.2; server.test has been down for 1m16.5s: EHOSTUNREACH")
		server.Restart()
		time.Sleep(1500 * time.Millisecond)
		tells("10.0.0.2:80", syscall.ECONNREFUSED, fmt.Sprintf(refused, "10.0.0.2:80")+"; server.test came back 1.5s ago from a crash, which ended all that listened")
		far.Crash()
		tells("192.0.2.2:80", syscall.EHOSTUNREACH, "ICMP type 3 code 1 (EHOSTUNREACH) from 10.0.0.3; far.test has been down for 3s")
		router.Crash()
		tells("192.0.2.2:80", syscall.EHOSTUNREACH, "no neighbour answers for 10.0.0.3; router.test has been down for 1m10s: EHOSTUNREACH")
		client.Crash()
		tells("10.0.0.2:80", syscall.ENETUNREACH, "no route to 10.0.0.2; client.test has been down for 0s: ENETUNREACH")
	})
}

// How long a connect to a neighbour that has crashed takes depends on how long ago it was there: Linux believes a
// REACHABLE neighbour, which one is for 15 to 45 s (here 30), and asks it when it is used after that, 8 s long. Measured on
// Linux 6 between two network namespaces on a bridge: 70 s or ETIMEDOUT, 14 s, 3 s; by a veth pair 3 s, for lack of a
// carrier. SYNs leave at 0, 1, 2, 3, 4, 5, 7, 11, 19, 35 and 67 s.
func TestCrash_neighbour(t *testing.T) {
	seconds := func(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }
	for name, c := range map[string]struct {
		personality *personality.Personality
		cable       bool
		met         bool    // the client has sent something before the crash
		idle        float64 // seconds from then on, before it connects
		first, next float64 // seconds that this connect takes, and another one after it
		want        error
	}{
		"never met":             {personality.Linux, false, false, 0, 3, 3, syscall.EHOSTUNREACH},
		"a moment ago":          {personality.Linux, false, true, 0, 70, 3, syscall.EHOSTUNREACH},
		"nearly forgotten":      {personality.Linux, false, true, 29.9, 14, 3, syscall.EHOSTUNREACH},
		"forgotten, so asked":   {personality.Linux, false, true, 60, 14, 3, syscall.EHOSTUNREACH},
		"on a cable":            {personality.Linux, true, true, 0, 3, 3, syscall.EHOSTUNREACH},
		"on a cable, never met": {personality.Linux, true, false, 0, 3, 3, syscall.EHOSTUNREACH},
		"believed for longer":   {personality.FreeBSD, false, true, 60, 75, 75, syscall.ETIMEDOUT},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := dialtone.NewNetwork()
				wire := link.NewHub(0)
				if c.cable {
					wire = link.NewCable(0)
				}
				var hosts []*dialtone.Host
				for i, name := range []string{"client.test", "server.test"} {
					h, err := n.NewHost(name, c.personality)
					if err != nil {
						t.Fatal(err)
					}
					address := netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i + 1)}), 24)
					if _, err := h.Attach("eth0", wire, address); err != nil {
						t.Fatal(err)
					}
					hosts = append(hosts, h)
				}
				client, server := hosts[0], hosts[1]
				dial := func(want error, took float64) {
					t.Helper()
					before := time.Now()
					_, err := client.Dial("tcp4", "192.0.2.2:80")
					if !errors.Is(err, want) || time.Since(before) != seconds(took) {
						t.Errorf("%v after %v, want %v after %v", err, time.Since(before), want, seconds(took))
					}
				}
				if c.met {
					dial(syscall.ECONNREFUSED, 0)
				}
				server.Crash()
				time.Sleep(seconds(c.idle))
				dial(c.want, c.first)
				dial(c.want, c.next)
				server.Restart()
				dial(syscall.ECONNREFUSED, 0)
			})
		})
	}
}

// What is sent to a neighbour that is believed to be there crosses the link, whose rules see it.
func TestCrash_linkRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := dialtone.NewNetwork()
		client, server := n.Host("client.test"), n.Host("server.test")
		if _, err := client.Dial("tcp4", "server.test:80"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatal(err)
		}
		server.Crash()
		if err := n.Impair(link.Rule{Action: link.Prohibited}); err != nil {
			t.Fatal(err)
		}
		before := time.Now()
		if _, err := client.Dial("tcp4", "server.test:80"); !errors.Is(err, syscall.EHOSTUNREACH) || time.Since(before) > time.Second {
			t.Errorf("%v after %v", err, time.Since(before))
		}
	})
}
