// SPDX-License-Identifier: Apache-2.0

package capture_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dialtone"
	"dialtone/capture"
	"dialtone/firewall"
	"dialtone/inet"
	"dialtone/link"
	"dialtone/personality"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/wire"
)

// captured returns the packets seen while f ran in a bubble, on the hosts web.test (10.0.0.1) and client.test (10.0.0.2).
func captured(t *testing.T, f func(t *testing.T, n *dialtone.Network), places ...string) (all []seen) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := dialtone.NewNetwork()
		n.Host("web.test")
		n.Host("client.test")
		var file bytes.Buffer
		c, err := capture.Start(&file, n, places...)
		if err != nil {
			t.Fatal(err)
		}
		f(t, n)
		synctest.Wait()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		all, _ = read(t, file.Bytes())
	})
	return all
}

// listen has a host take datagrams at port 9, which nobody reads.
func listen(t *testing.T, h *dialtone.Host) {
	t.Helper()
	p, err := h.ListenPacket("udp", ":9")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
}

// send sends a datagram of so many bytes, and waits for what comes of it.
func send(t *testing.T, from *dialtone.Host, to string, length int) {
	t.Helper()
	c, err := from.Dial("udp", to)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write(make([]byte, length)); err != nil {
		t.Error(err)
	}
	time.Sleep(time.Second)
}

// connect returns both ends of a connection from client.test to web.test.
func connect(t testing.TB, n *dialtone.Network, port string) (client, server net.Conn) {
	t.Helper()
	l, err := n.Host("web.test").Listen("tcp4", port)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if client, err = n.Host("client.test").Dial("tcp4", "web.test"+port); err != nil {
		t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return client, server
}

// transfer writes so many bytes at one end, and reads them at the other.
func transfer(t *testing.T, from, to net.Conn, length int) {
	t.Helper()
	go from.Write(make([]byte, length)) // it is read below
	if _, err := io.ReadFull(to, make([]byte, length)); err != nil {
		t.Error(err)
	}
}

func compare(t *testing.T, got, want string) {
	t.Helper()
	if want = strings.TrimPrefix(want, "\n"); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// A whole connection, over a link that takes 10 ms: each packet at both ends, at its time.
func TestConnection(t *testing.T) {
	all := captured(t, func(t *testing.T, n *dialtone.Network) {
		n.Hub().SetLatency(10 * time.Millisecond)
		c, s := connect(t, n, ":80")
		transfer(t, c, s, 5)
		c.Close()
		if _, err := io.ReadAll(s); err != nil {
			t.Error(err)
		}
		s.Close()
		time.Sleep(time.Second)
	})
	compare(t, timeline(t, byHost(all)), `
0s client.test/eth0 > 10.0.0.2 10.0.0.1 SYN 0
10ms web.test/eth0 < 10.0.0.2 10.0.0.1 SYN 0
10ms web.test/eth0 > 10.0.0.1 10.0.0.2 SYN|ACK 0
20ms client.test/eth0 < 10.0.0.1 10.0.0.2 SYN|ACK 0
20ms client.test/eth0 > 10.0.0.2 10.0.0.1 ACK 0
30ms client.test/eth0 > 10.0.0.2 10.0.0.1 PSH|ACK 5
30ms web.test/eth0 < 10.0.0.2 10.0.0.1 ACK 0
40ms client.test/eth0 > 10.0.0.2 10.0.0.1 FIN|ACK 0
40ms web.test/eth0 < 10.0.0.2 10.0.0.1 PSH|ACK 5
40ms web.test/eth0 > 10.0.0.1 10.0.0.2 ACK 0
50ms client.test/eth0 < 10.0.0.1 10.0.0.2 ACK 0
50ms web.test/eth0 < 10.0.0.2 10.0.0.1 FIN|ACK 0
50ms web.test/eth0 > 10.0.0.1 10.0.0.2 FIN|ACK 0
60ms client.test/eth0 < 10.0.0.1 10.0.0.2 FIN|ACK 0
60ms client.test/eth0 > 10.0.0.2 10.0.0.1 ACK 0
70ms web.test/eth0 < 10.0.0.2 10.0.0.1 ACK 0
`)
	if begin := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC); !all[0].at.Equal(begin) {
		t.Errorf("the bubble's time is %v, and the first packet's %v", begin, all[0].at)
	}
}

// What the link loses is seen at its sender alone, what it doubles at its receiver twice, and what it rejects comes back.
func TestImpaired(t *testing.T) {
	all := captured(t, func(t *testing.T, n *dialtone.Network) {
		listen(t, n.Host("web.test"))
		for _, rule := range []link.Rule{
			{Effect: link.Effect{Loss: 1}},
			{Effect: link.Effect{Duplicate: 1, Latency: 3 * time.Millisecond}},
			{Action: link.Unreachable},
		} {
			if err := n.Impair(rule); err != nil {
				t.Fatal(err)
			}
			send(t, n.Host("client.test"), "10.0.0.1:9", 1)
		}
	})
	compare(t, timeline(t, all), `
0s client.test/eth0 > 10.0.0.2 10.0.0.1 udp 1
1s client.test/eth0 > 10.0.0.2 10.0.0.1 udp 1
1.003s web.test/eth0 < 10.0.0.2 10.0.0.1 udp 1
1.003s web.test/eth0 < 10.0.0.2 10.0.0.1 udp 1
2s client.test/eth0 > 10.0.0.2 10.0.0.1 udp 1
2s client.test/eth0 < 10.0.0.1 10.0.0.2 DestinationUnreachable(Host)
`)
}

// As tcpdump on Linux: what the firewall drops is seen where it comes in, and not where it would go out.
func TestFirewall(t *testing.T) {
	drop := firewall.Chain{Policy: firewall.Verdict{Action: firewall.Drop}}
	all := captured(t, func(t *testing.T, n *dialtone.Network) {
		web, client := n.Host("web.test"), n.Host("client.test")
		web.Firewall(func(f *firewall.Firewall) { f.Input = drop })
		send(t, client, "10.0.0.1:9", 1)
		client.Firewall(func(f *firewall.Firewall) { f.Output = drop })
		c, err := client.Dial("udp", "10.0.0.1:9")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write([]byte("x")); err == nil {
			t.Error("the firewall let it pass")
		}
	})
	compare(t, timeline(t, all), `
0s client.test/eth0 > 10.0.0.2 10.0.0.1 udp 1
0s web.test/eth0 < 10.0.0.2 10.0.0.1 udp 1
`)
}

// A host that crashed sees nothing.
func TestDown(t *testing.T) {
	all := captured(t, func(t *testing.T, n *dialtone.Network) {
		listen(t, n.Host("web.test"))
		send(t, n.Host("client.test"), "10.0.0.1:9", 1)
		n.Host("web.test").Crash()
		send(t, n.Host("client.test"), "10.0.0.1:9", 2) // believed to be there still
	})
	compare(t, timeline(t, all), `
0s client.test/eth0 > 10.0.0.2 10.0.0.1 udp 1
0s web.test/eth0 < 10.0.0.2 10.0.0.1 udp 1
1s client.test/eth0 > 10.0.0.2 10.0.0.1 udp 2
`)
}

// At lo every packet is seen once, by whatever address it went.
func TestLoopback(t *testing.T) {
	all := captured(t, func(t *testing.T, n *dialtone.Network) {
		web := n.Host("web.test")
		listen(t, web)
		for i, to := range []string{"127.0.0.1", "10.0.0.1", "[::1]", "127.255.255.255"} {
			send(t, web, to+":9", i)
		}
		p := web.NewProcess()
		p.Caller().Caps |= socket.NetRaw
		fd, err := p.Socket(sockaddr.Inet, int(socket.Dgram), 0)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Exit()
		if err := p.Setsockopt(fd, socket.SolSocket, socket.SoBindToDevice, []byte("eth0")); err != nil {
			t.Fatal(err)
		}
		// What a host sends to no address goes over lo, and then counts as come by the device.
		if _, err := p.Sendto(fd, make([]byte, 4), 0, sockaddr.Of(netip.MustParseAddrPort("0.0.0.0:9")).Raw()); err != nil {
			t.Error(err)
		}
	})
	compare(t, timeline(t, all), `
0s web.test/lo < 127.0.0.1 127.0.0.1 udp 0
1s web.test/lo < 10.0.0.1 10.0.0.1 udp 1
2s web.test/lo < ::1 ::1 udp 2
3s web.test/lo < 127.0.0.1 127.255.255.255 udp 3
4s web.test/lo < 10.0.0.1 10.0.0.1 udp 4
`)
}

// What goes through a router is seen there twice, with one hop less the second time. The interface and the host behind it are
// made while the capture runs.
func TestRouter(t *testing.T) {
	all := captured(t, func(t *testing.T, n *dialtone.Network) {
		router, client := n.Host("web.test"), n.Host("client.test")
		far, err := n.NewHost("remote.test", personality.FreeBSD)
		if err != nil {
			t.Fatal(err)
		}
		cable := link.NewCable(0)
		for _, h := range []*dialtone.Host{router, far} {
			address := netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(len(h.Name()))}), 24)
			i, err := h.Attach("eth1", cable, address)
			if err == nil && h == far {
				err = h.Stack().AddRoute(inet.Route{Prefix: netip.MustParsePrefix("0.0.0.0/0"), Gateway: router.Addresses()[2], Interface: i})
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := client.Stack().AddRoute(inet.Route{
			Prefix: netip.MustParsePrefix("198.51.100.0/24"), Gateway: router.Addresses()[0], Interface: client.Stack().Interfaces()[1],
		}); err != nil {
			t.Fatal(err)
		}
		router.Core().Lock()
		router.Stack().Sysctl.IPForward = true
		router.Core().Unlock()
		send(t, client, "198.51.100.11:9", 1)
	})
	var hops []string
	for _, s := range all {
		hops = append(hops, fmt.Sprint(s.data[8])) // of IPv4: RFC 791, 3.1
	}
	compare(t, timeline(t, all)+strings.Join(hops, " ")+"\n", `
0s client.test/eth0 > 10.0.0.2 198.51.100.11 udp 1
0s web.test/eth0 < 10.0.0.2 198.51.100.11 udp 1
0s web.test/eth1 > 10.0.0.2 198.51.100.11 udp 1
0s remote.test/eth1 < 10.0.0.2 198.51.100.11 udp 1
0s remote.test/eth1 > 198.51.100.11 10.0.0.2 DestinationUnreachable(Port)
0s web.test/eth1 < 198.51.100.11 10.0.0.2 DestinationUnreachable(Port)
0s web.test/eth0 > 198.51.100.11 10.0.0.2 DestinationUnreachable(Port)
0s client.test/eth0 < 198.51.100.11 10.0.0.2 DestinationUnreachable(Port)
64 64 63 63 64 64 63 63
`)
}

// A segment that is larger than the MTU stands in the file whole.
func TestSegmentationOffload(t *testing.T) {
	largest := 0
	for _, s := range captured(t, func(t *testing.T, n *dialtone.Network) {
		c, s := connect(t, n, ":80")
		defer s.Close()
		defer c.Close()
		transfer(t, c, s, 1<<20)
	}) {
		largest = max(largest, len(s.data))
	}
	if largest <= link.DefaultMTU {
		t.Errorf("the largest packet has %d bytes", largest)
	}
}

// Labels are comments, and so is why a packet has no bytes.
func TestComments(t *testing.T) {
	all := captured(t, func(t *testing.T, n *dialtone.Network) {
		web := n.Host("web.test")
		arrive := func(change func(p *wire.Packet)) {
			p := wire.NewPacket()
			ip := n.Host("client.test").Addresses()[0]
			p.Src, p.Dst, p.Proto, p.TTL = ip, web.Addresses()[0], wire.UDP, 1
			p.UDP = wire.Datagram{SrcPort: 9, DstPort: 9}
			change(p)
			web.Stack().Interfaces()[1].Deliver(0, p)
		}
		arrive(func(p *wire.Packet) {})
		arrive(func(p *wire.Packet) { p.Context = "system_u:system_r:web_t" })
		arrive(func(p *wire.Packet) { p.Context, p.Secure = "a", &wire.Secure{Wanted: "b", Message: "c"} })
		arrive(func(p *wire.Packet) { p.UDP.Payload = make([]byte, 1<<16) })
		arrive(func(p *wire.Packet) { p.Context = strings.Repeat("x", 1<<16) })
	}, "web.test")
	var got []string
	for _, s := range all {
		if !s.out {
			got = append(got, fmt.Sprintf("%d %.70q\n", len(s.data), s.comments))
		}
	}
	compare(t, strings.Join(got, ""), `
28 []
28 ["context system_u:system_r:web_t"]
28 ["context a" "wanted b" "message c"]
0 ["wire: longer than an IP packet can be: UDP datagram of 65544 bytes"]
28 ["context xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"]
`)
}
