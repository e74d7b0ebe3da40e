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
	"syscall"
	"time"

	"dialtone"
	"dialtone/clock"
	"dialtone/errno"
	"dialtone/firewall"
	"dialtone/link"
	"dialtone/personality"
	"dialtone/socket"
	"dialtone/trail"
)

// Two networks with a router's worth of distance: hosts with addresses of your own choice, on links of your own.
func ExampleNetwork_NewHost() {
	n := dialtone.NewNetwork()
	a, _ := n.NewHost("a.test", personality.Linux)
	b, _ := n.NewHost("b.test", personality.Linux)
	far := link.NewCable(80 * time.Millisecond) // one way
	a.Attach("eth0", far, netip.MustParsePrefix("192.0.2.1/24"))
	b.Attach("eth0", far, netip.MustParsePrefix("192.0.2.2/24"))

	l, _ := b.Listen("tcp", ":80")
	defer l.Close()
	before := time.Now()
	c, err := a.Dial("tcp", "b.test:80")
	if err != nil {
		panic(err)
	}
	defer c.Close()
	fmt.Println(c.RemoteAddr(), time.Since(before) >= 160*time.Millisecond)
	// Output: 192.0.2.2:80 true
}

// The third connect to the database fails, and no other.
func ExampleNetwork_Fault() {
	n := dialtone.NewNetwork()
	l, _ := n.Host("db.test").Listen("tcp", ":5432")
	defer l.Close()
	n.Fault(dialtone.Fault{To: "db.test", Port: 5432, Nth: 3, Times: 1, Errno: errno.EHOSTUNREACH})

	app := n.Host("app.test")
	for range 4 {
		c, err := app.Dial("tcp4", "db.test:5432")
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println("connected")
		c.Close()
	}
	// Output:
	// connected
	// connected
	// dial tcp4 10.0.0.1:5432: connect: no route to host
	// connected
}

// A partition in one direction, that rejects: a.test hears at once that it may not speak to b.test.
func ExampleNetwork_Impair() {
	n := dialtone.NewNetwork()
	a, b := n.Host("a.test"), n.Host("b.test")
	for _, h := range []*dialtone.Host{a, b} {
		l, _ := h.Listen("tcp", ":80")
		defer l.Close()
	}
	n.Impair(link.Rule{To: netip.PrefixFrom(b.Addresses()[0], 32), ToPort: 80, Action: link.Reset})

	_, err := a.Dial("tcp4", "b.test:80")
	fmt.Println("a to b:", err)
	c, err := b.Dial("tcp4", "a.test:80")
	fmt.Println("b to a:", err)
	c.Close()
	// Output:
	// a to b: dial tcp4 10.0.0.2:80: connect: connection refused
	// b to a: <nil>
}

// Names for whoever wants a *net.Resolver.
func ExampleNetwork_Resolver() {
	n := dialtone.NewNetwork()
	n.Host("web.test")
	n.AddName("cdn.test", netip.MustParseAddr("203.0.113.7"))
	r := n.Resolver()
	for _, name := range []string{"web.test.", "cdn.test.", "www.test."} {
		ips, err := r.LookupIP(context.Background(), "ip4", name)
		var dns *net.DNSError
		fmt.Println(name, ips, errors.As(err, &dns) && dns.IsNotFound)
	}
	// Output:
	// web.test. [10.0.0.1] false
	// cdn.test. [203.0.113.7] false
	// www.test. [] true
}

// The name server has a bad day, and the program is to try again.
func ExampleNetwork_FaultName() {
	n := dialtone.NewNetwork()
	h := n.Host("web.test")
	remove := n.FaultName("web.test", dialtone.NameServFail)
	_, err := h.Dial("tcp", "web.test:80")
	var dns *net.DNSError
	fmt.Println(err, errors.As(err, &dns) && dns.IsTemporary)
	remove()
	_, err = h.Dial("tcp", "web.test:80")
	fmt.Println(err)
	// Output:
	// dial tcp: lookup web.test: server misbehaving true
	// dial tcp 10.0.0.1:80: connect: connection refused
}

// Why a dial failed, layer by layer.
func ExampleWithTrail() {
	n := dialtone.NewNetwork(dialtone.WithClock(clock.NewManual()))
	n.Host("web.test").Firewall(func(f *firewall.Firewall) {
		f.Input.Rules = []firewall.Rule{{DstPorts: firewall.Ports{First: 80, Last: 80}, Verdict: firewall.Verdict{
			Action: firewall.Reject, With: firewall.TCPReset,
		}}}
	})
	var why trail.Trail
	_, err := n.Host("client.test").DialContext(dialtone.WithTrail(context.Background(), &why), "tcp4", "web.test:80")
	fmt.Println(err)
	last, _ := why.Decided()
	fmt.Printf("%s: %s\n", last.Layer, last.Text)
	// Output:
	// dial tcp4 10.0.0.1:80: connect: connection refused
	// received: RST from 10.0.0.1:80: nobody listens there, or the connection was reset
}

// Half a second for each dial, from a port of one's own.
func ExampleDialer() {
	n := dialtone.NewNetwork()
	n.Host("web.test")
	n.Hub().Cut()
	d := dialtone.Dialer{
		Host:      n.Host("client.test"),
		Timeout:   50 * time.Millisecond,
		LocalAddr: &net.TCPAddr{Port: 4000},
	}
	_, err := d.Dial("tcp4", "web.test:80")
	var ne net.Error
	fmt.Println(err, errors.As(err, &ne) && ne.Timeout())
	// Output: dial tcp4 :4000->10.0.0.1:80: i/o timeout true
}

// Two listeners share a port: options are set by Control.
func ExampleListenConfig() {
	h := dialtone.NewNetwork().Host("web.test")
	lc := dialtone.ListenConfig{Host: h, Control: func(network, address string, c syscall.RawConn) error {
		return c.(*dialtone.RawConn).SetOption(socket.SolSocket, socket.SoReusePort, socket.Int(1))
	}}
	for range 2 {
		l, err := lc.Listen(context.Background(), "tcp", ":80")
		fmt.Println(l.Addr(), err)
		defer l.Close()
	}
	// Output:
	// [::]:80 <nil>
	// [::]:80 <nil>
}

// A client that has said all it has to say, and listens on.
func ExampleConn() {
	n := dialtone.NewNetwork()
	server := n.Host("server.test")
	l, _ := server.Listen("unix", "/tmp/s")
	defer l.Close()
	go func() {
		c, _ := l.Accept()
		defer c.Close()
		question, _ := io.ReadAll(c) // until CloseWrite
		fmt.Fprintf(c, "you asked %q", question)
	}()
	c, err := server.Dial("unix", "/tmp/s")
	if err != nil {
		panic(err)
	}
	defer c.Close()
	c.Write([]byte("why?"))
	c.(*dialtone.Conn).CloseWrite()
	answer, err := io.ReadAll(c)
	fmt.Println(string(answer), err)

	_, err = c.(*dialtone.Conn).File()
	fmt.Println(errors.Is(err, dialtone.ErrNoFile))
	// Output:
	// you asked "why?" <nil>
	// true
}

// Nobody listens, and the second call hears of it.
func ExamplePacketConn() {
	n := dialtone.NewNetwork()
	n.Host("dns.test")
	c, _ := n.Host("client.test").Dial("udp4", "dns.test:53")
	defer c.Close()
	_, err := c.Write([]byte("who is there?"))
	fmt.Println(err)
	_, err = c.Read(make([]byte, 100))
	fmt.Println(errors.Is(err, syscall.ECONNREFUSED))
	// Output:
	// <nil>
	// true
}

// A listener heeds a deadline.
func ExampleListener() {
	l, _ := dialtone.NewNetwork().Host("web.test").Listen("tcp4", "127.0.0.1:80")
	defer l.Close()
	l.(*dialtone.Listener).SetDeadline(time.Now().Add(time.Millisecond))
	_, err := l.Accept()
	fmt.Println(err, errors.Is(err, os.ErrDeadlineExceeded))
	// Output: accept tcp4 127.0.0.1:80: i/o timeout true
}

// A server's power goes out, and comes back.
func ExampleHost_Crash() {
	n := dialtone.NewNetwork()
	server, client := n.Host("server.test"), n.Host("client.test")
	l, _ := server.Listen("tcp", ":80")
	defer l.Close()
	c, _ := client.Dial("tcp4", "server.test:80")
	defer c.Close()

	server.Crash()
	server.Restart()
	c.Write([]byte("still there?"))
	_, err := c.Read(make([]byte, 1))
	fmt.Println(errors.Is(err, syscall.ECONNRESET))
	_, err = client.Dial("tcp4", "server.test:80")
	fmt.Println(errors.Is(err, syscall.ECONNREFUSED))
	// Output:
	// true
	// true
}
