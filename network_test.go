// SPDX-License-Identifier: Apache-2.0

package dialtone_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"dialtone"
	"dialtone/firewall"
	"dialtone/inet"
	"dialtone/sockaddr"
	"dialtone/socket"
)

func TestDialListen(t *testing.T) {
	for _, network := range []string{"tcp", "tcp4", "tcp6"} {
		t.Run(network, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := dialtone.NewNetwork()
				web, client := n.Host("web.test"), n.Host("client.test")
				l, err := web.Listen(network, ":80")
				if err != nil {
					t.Fatal(err)
				}
				defer l.Close()
				go func() {
					c, err := l.Accept()
					if err != nil {
						t.Error(err)
						return
					}
					io.Copy(c, c)
					c.Close()
				}()
				c, err := client.Dial(network, "web.test:80")
				if err != nil {
					t.Fatal(err)
				}
				if _, err := c.Write([]byte("hello")); err != nil {
					t.Fatal(err)
				}
				c.(*dialtone.Conn).CloseWrite()
				got, err := io.ReadAll(c)
				if err != nil || string(got) != "hello" {
					t.Errorf("read %q, %v", got, err)
				}
				c.Close()
			})
		})
	}
}

func TestHTTP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := dialtone.NewNetwork()
		l, err := n.Host("web.test").Listen("tcp", ":80")
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "hello "+r.Host)
		})}
		go server.Serve(l)
		transport := &http.Transport{DialContext: n.Host("client.test").DialContext}
		resp, err := (&http.Client{Transport: transport}).Get("http://web.test/")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || string(body) != "hello web.test" {
			t.Errorf("body %q, %v", body, err)
		}
		transport.CloseIdleConnections()
		server.Close()
	})
}

// dialError is what a dial to each kind of trouble says, and when (virtual time): the table in
// conformance/cases has the same for each kind of call.
func TestDialErrors(t *testing.T) {
	drop := firewall.Rule{Proto: 6, Verdict: firewall.Verdict{Action: firewall.Drop}}
	admin := firewall.Rule{Proto: 6, Verdict: firewall.Verdict{Action: firewall.Reject, With: firewall.AdminProhibited}}
	for _, c := range []struct {
		name  string
		setup func(n *dialtone.Network, client *dialtone.Host)
		to    string
		want  syscall.Errno
		after time.Duration
	}{
		{"refused", nil, "web.test:81", syscall.ECONNREFUSED, 0},
		{"no route", nil, "203.0.113.9:80", syscall.ENETUNREACH, 0},
		{"silent neighbour", nil, "10.9.9.9:80", syscall.EHOSTUNREACH, 3 * time.Second},
		{"black hole", func(n *dialtone.Network, _ *dialtone.Host) {
			n.Host("web.test").Firewall(func(f *firewall.Firewall) { f.Input.Rules = []firewall.Rule{drop} })
		}, "web.test:80", syscall.ETIMEDOUT, 131 * time.Second},
		{"own firewall drops", func(_ *dialtone.Network, client *dialtone.Host) {
			client.Firewall(func(f *firewall.Firewall) { f.Output.Rules = []firewall.Rule{drop} })
		}, "web.test:80", syscall.ETIMEDOUT, 131 * time.Second},
		{"rejected at once by its firewall", func(n *dialtone.Network, _ *dialtone.Host) {
			n.Hub().SetLatency(time.Millisecond)
			n.Host("web.test").Firewall(func(f *firewall.Firewall) { f.Input.Rules = []firewall.Rule{admin} })
		}, "web.test:80", syscall.EHOSTUNREACH, 2 * time.Millisecond},
		{"rejected while the call holds the lock", func(n *dialtone.Network, _ *dialtone.Host) {
			n.Host("web.test").Firewall(func(f *firewall.Firewall) { f.Input.Rules = []firewall.Rule{admin} })
		}, "web.test:80", syscall.EHOSTUNREACH, time.Second},
		{"unreachable route", route(inet.Unreachable), "198.51.100.1:80", syscall.EHOSTUNREACH, 0},
		{"prohibit route", route(inet.Prohibit), "198.51.100.1:80", syscall.EACCES, 0},
		{"blackhole route", route(inet.Blackhole), "198.51.100.1:80", syscall.EINVAL, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := dialtone.NewNetwork()
				client := n.Host("client.test")
				n.Host("web.test")
				if c.setup != nil {
					c.setup(n, client)
				}
				before := time.Now()
				_, err := client.Dial("tcp4", c.to)
				if !errors.Is(err, c.want) {
					t.Errorf("error %v, want %v", err, c.want)
				}
				var op *net.OpError
				if !errors.As(err, &op) || op.Op != "dial" {
					t.Errorf("%T is no *net.OpError of dial", err)
				}
				if d := time.Since(before); d != c.after {
					t.Errorf("after %v, want %v", d, c.after)
				}
			})
		})
	}
}

func route(typ inet.RouteType) func(*dialtone.Network, *dialtone.Host) {
	return func(_ *dialtone.Network, client *dialtone.Host) {
		client.Stack().AddRoute(inet.Route{Type: typ, Prefix: netip.MustParsePrefix("198.51.100.0/24")})
	}
}

func TestDialContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := dialtone.NewNetwork()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := n.Host("client.test").DialContext(ctx, "tcp4", "10.9.9.9:80")
		var ne net.Error
		if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &ne) || !ne.Timeout() {
			t.Errorf("error %v", err)
		}
	})
}

func TestPacketConn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := dialtone.NewNetwork()
		pc, err := n.Host("echo.test").ListenPacket("udp", ":7")
		if err != nil {
			t.Fatal(err)
		}
		defer pc.Close()
		go func() {
			b := make([]byte, 2000)
			for {
				k, from, err := pc.ReadFrom(b)
				if err != nil {
					return
				}
				pc.WriteTo(b[:k], from)
			}
		}()
		c, err := n.Host("client.test").Dial("udp", "echo.test:7")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.Write([]byte("ping"))
		b := make([]byte, 100)
		k, err := c.Read(b)
		if err != nil || string(b[:k]) != "ping" {
			t.Errorf("read %q, %v", b[:k], err)
		}
		refused, err := n.Host("client.test").Dial("udp", "echo.test:8")
		if err != nil {
			t.Fatal(err)
		}
		defer refused.Close()
		refused.Write([]byte("x"))
		if _, err := refused.Read(b); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("read from a closed port: %v", err)
		}
	})
}

// A non-blocking connect, step by step (linux-cases t4-refused-nb-soerr and t4-ok-nb).
func TestProcessNonBlocking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := dialtone.NewNetwork().Host("host.test")
		p := h.NewProcess()
		lfd, _ := p.Socket(sockaddr.Inet, int(socket.Stream), 0)
		good := sockaddr.Of(netip.MustParseAddrPort("127.0.0.1:7000")).Raw()
		bad := sockaddr.Of(netip.MustParseAddrPort("127.0.0.1:7001")).Raw()
		check := func(what string, err error, want syscall.Errno) {
			t.Helper()
			if err == nil && want == 0 {
				return
			}
			if err != want {
				t.Errorf("%s: %v, want %v", what, err, want)
			}
		}
		poll := func(fd int, want string) {
			t.Helper()
			f := []dialtone.PollFD{{FD: fd, Events: socket.In | socket.Pri | socket.Out | socket.RdHup}}
			p.Poll(f, 0)
			if got := f[0].Revents.String(); got != want {
				t.Errorf("poll %s, want %s", got, want)
			}
		}
		check("bind", p.Bind(lfd, good), 0)
		check("listen", p.Listen(lfd, 16), 0)
		fd, _ := p.Socket(sockaddr.Inet, int(socket.Stream)|dialtone.SOCK_NONBLOCK, 0)
		poll(fd, "OUT|HUP")
		check("connect", p.Connect(fd, bad), syscall.EINPROGRESS)
		poll(fd, "IN|OUT|ERR|HUP|RDHUP")
		if v, _ := p.GetsockoptInt(fd, socket.SolSocket, socket.SoError); syscall.Errno(v) != syscall.ECONNREFUSED {
			t.Errorf("SO_ERROR %v", v)
		}
		poll(fd, "IN|OUT|HUP|RDHUP")
		check("connect after SO_ERROR", p.Connect(fd, good), syscall.ECONNABORTED)
		check("second", p.Connect(fd, good), syscall.EINPROGRESS)
		poll(fd, "OUT")
		check("third", p.Connect(fd, good), 0)
		check("fourth", p.Connect(fd, good), syscall.EISCONN)
		check("dissolve", p.Connect(fd, sockaddr.Addr{}.Raw()), 0)
		poll(fd, "OUT|ERR|HUP")
		check("bad descriptor", p.Connect(99, good), syscall.EBADF)
	})
}
