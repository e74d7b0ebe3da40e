// SPDX-License-Identifier: Apache-2.0

package dialtone_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"dialtone"
	"dialtone/clock"
	"dialtone/errno"
	"dialtone/link"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// A client that comes from an address of your choice: both hosts get an interface on a network of that kind.
func ExampleHost_Attach() {
	n := dialtone.NewNetwork()
	web, client := n.Host("web.test"), n.Host("client.test")
	web.Attach("eth1", n.Hub(), netip.MustParsePrefix("203.0.113.1/24"))
	client.Attach("eth1", n.Hub(), netip.MustParsePrefix("203.0.113.9/24"))
	l, _ := web.Listen("tcp", ":80")
	defer l.Close()

	c, err := client.Dial("tcp", "203.0.113.1:80")
	if err != nil {
		panic(err)
	}
	defer c.Close()
	fmt.Println(c.LocalAddr().(*net.TCPAddr).IP)
	// Output: 203.0.113.9
}

// A partition of five hosts into three and two, by both versions of IP: who is on the same side goes on.
func ExampleNetwork_Impair_partition() {
	n := dialtone.NewNetwork()
	var hosts []*dialtone.Host
	for i := range 5 {
		h := n.Host(fmt.Sprintf("h%d.test", i))
		l, _ := h.Listen("tcp", ":80")
		defer l.Close()
		hosts = append(hosts, h)
	}
	one := func(ip netip.Addr) netip.Prefix { return netip.PrefixFrom(ip, ip.BitLen()) }
	var apart []link.Rule
	for _, a := range hosts[:3] {
		for _, b := range hosts[3:] {
			for i, ip := range a.Addresses() { // Host gives each an address of IPv4 and one of IPv6, in this order
				there, back := one(ip), one(b.Addresses()[i])
				apart = append(apart,
					link.Rule{From: there, To: back, Action: link.Drop},
					link.Rule{From: back, To: there, Action: link.Drop})
			}
		}
	}
	if err := n.Impair(apart...); err != nil {
		panic(err)
	}

	for _, to := range hosts[1:] {
		d := dialtone.Dialer{Host: hosts[0], Timeout: 50 * time.Millisecond}
		c, err := d.Dial("tcp", to.Name()+":80")
		fmt.Println(to.Name(), err)
		if err == nil {
			c.Close()
		}
	}
	// Output:
	// h1.test <nil>
	// h2.test <nil>
	// h3.test dial tcp 10.0.0.4:80: i/o timeout
	// h4.test dial tcp 10.0.0.5:80: i/o timeout
}

// Is there anything to read, has the other end closed? Poll says it without waiting.
func ExampleConn_Socket() {
	n := dialtone.NewNetwork()
	l, _ := n.Host("web.test").Listen("tcp", ":80")
	defer l.Close()
	c, err := n.Host("client.test").Dial("tcp", "web.test:80")
	if err != nil {
		panic(err)
	}
	defer c.Close()
	s, _ := l.Accept()
	state := func() (readable, closed bool) {
		is := []socket.PollFile{{Socket: s.(*dialtone.Conn).Socket(), Events: socket.In | socket.RdHup}}
		socket.Poll(&socket.Call{}, is[0].Socket.Core, is, 0)
		return is[0].Revents&socket.In != 0, is[0].Revents&socket.RdHup != 0
	}
	fmt.Println(state())
	c.Write([]byte("hello"))
	fmt.Println(state())
	c.Close()
	fmt.Println(state())
	// Output:
	// false false
	// true false
	// true true
}

// A server asks who its peer is (SO_PEERCRED): struct ucred has the process, the user and the group.
func ExampleRawConn() {
	h := dialtone.NewNetwork().Host("host.test")
	l, _ := h.Listen("unix", "/tmp/s")
	defer l.Close()
	p := h.NewProcessAs(socket.Caller{UID: 1000, GID: 100})
	defer p.Exit()
	fd, _ := p.Socket(sockaddr.Unix, int(socket.Stream), 0)
	if err := p.Connect(fd, sockaddr.OfUnix("/tmp/s").Raw()); err != nil {
		panic(err)
	}

	c, _ := l.Accept()
	defer c.Close()
	cred, err := c.(*dialtone.Conn).RawConn().Option(socket.SolSocket, socket.SoPeerCred)
	fmt.Println("user", binary.LittleEndian.Uint32(cred[4:]), "group", binary.LittleEndian.Uint32(cred[8:]), err)
	// Output: user 1000 group 100 <nil>
}

// A UDP socket that has something to read, beside one that has not.
func ExamplePollFD() {
	p := dialtone.NewNetwork().Host("host.test").NewProcess()
	defer p.Exit()
	var fds []dialtone.PollFD
	for port := uint16(5000); port < 5002; port++ {
		fd, _ := p.Socket(sockaddr.Inet, int(socket.Dgram), 0)
		p.Bind(fd, sockaddr.Of(netip.AddrPortFrom(netip.IPv4Unspecified(), port)).Raw())
		fds = append(fds, dialtone.PollFD{FD: fd, Events: socket.In})
	}
	p.Sendto(fds[0].FD, []byte("hello"), 0, sockaddr.Of(netip.MustParseAddrPort("127.0.0.1:5001")).Raw())
	n, err := p.Poll(fds, -1)
	fmt.Println(n, err)
	for _, f := range fds {
		fmt.Println(f.Revents&socket.In != 0)
	}
	// Output:
	// 1 <nil>
	// false
	// true
}

// The same seed loses the same packets.
func ExampleWithSeed() {
	run := func(seed uint64) (lost string) {
		now := clock.NewManual()
		n := dialtone.NewNetwork(dialtone.WithSeed(seed), dialtone.WithClock(now))
		n.Impair(link.Rule{Effect: link.Effect{Loss: 0.3}})
		u, _ := n.Host("server.test").ListenPacket("udp4", ":7")
		defer u.Close()
		c, _ := n.Host("client.test").Dial("udp4", "server.test:7")
		defer c.Close()
		for range 20 {
			c.Write([]byte("?"))
			is := []socket.PollFile{{Socket: u.(*dialtone.PacketConn).Socket(), Events: socket.In}}
			if came, _ := socket.Poll(&socket.Call{}, is[0].Socket.Core, is, 0); came == 0 {
				lost += "x"
				continue
			}
			u.ReadFrom(make([]byte, 1))
			lost += "."
		}
		return lost
	}
	first, again, other := run(7), run(7), run(8)
	fmt.Println(first == again, first == other)
	// Output: true false
}

// A daemon's UNIX socket is busy at first: its backlog is full.
func ExampleFault() {
	n := dialtone.NewNetwork()
	h := n.Host("app.test")
	l, _ := h.Listen("unix", "/tmp/db.sock")
	defer l.Close()
	n.Fault(dialtone.Fault{From: "app.test", To: "/tmp/db.sock", Times: 1, Errno: errno.EAGAIN})
	for range 2 {
		c, err := h.Dial("unix", "/tmp/db.sock")
		fmt.Println(err)
		if err == nil {
			c.Close()
		}
	}
	// Output:
	// dial unix /tmp/db.sock: connect: resource temporarily unavailable
	// <nil>
}

// What a dial says of each way in which looking up a name can fail.
func ExampleNameFault() {
	n := dialtone.NewNetwork()
	d := dialtone.Dialer{Host: n.Host("web.test"), Timeout: 50 * time.Millisecond}
	for _, f := range []dialtone.NameFault{dialtone.NameServFail, dialtone.NameSilent, dialtone.NameNotFound} {
		remove := n.FaultName("web.test", f)
		_, err := d.Dial("tcp", "web.test:80")
		var e *net.DNSError
		errors.As(err, &e)
		fmt.Println(err, e.IsTemporary, e.IsTimeout, e.IsNotFound)
		remove()
	}
	// Output:
	// dial tcp: lookup web.test: server misbehaving true false false
	// dial tcp: lookup web.test: i/o timeout true true false
	// dial tcp: lookup web.test: no such host false false true
}
