// SPDX-License-Identifier: Apache-2.0

package dialtone_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"syscall"
	"time"

	"dialtone"
	"dialtone/clock"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/trail"
)

// An HTTP server and its client, on two hosts that exist in this process alone.
func Example() {
	n := dialtone.NewNetwork()
	l, err := n.Host("web.test").Listen("tcp", ":80")
	if err != nil {
		panic(err)
	}
	defer l.Close()
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		fmt.Fprintf(w, "hello %s, this is %s\n", n.Names(netip.MustParseAddr(host).Unmap())[0], r.Host)
	}))

	client := n.Host("client.test")
	transport := &http.Transport{DialContext: client.DialContext}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Get("http://web.test/")
	if err != nil {
		panic(err)
	}
	defer resp.Body.Close()
	io.Copy(os.Stdout, resp.Body)

	_, err = client.Dial("tcp", "web.test:81")
	fmt.Println(err)
	fmt.Println(errors.Is(err, syscall.ECONNREFUSED))
	// Output:
	// hello client.test, this is web.test
	// dial tcp 10.0.0.1:81: connect: connection refused
	// true
}

// An httptest.Server on a host. NewUnstartedServer would open a socket of the real machine first, for the listener to be
// closed again, so the server is made by hand. s.Client() dials by package net, which is the real network, until its
// transport is told of a host that dials; s.Close closes its idle connections.
//
// The client knows the certificate of StartTLS, which is for example.com: call the host so, and get "https://example.com".
//
// s.URL is made of the listener's address: listen on "web.test:80", and it has the host's IPv4 address, and leads there from
// every host; listen on ":80", and it is http://[::]:80, which leads each client to itself. The name serves as well.
func Example_httptest() {
	n := dialtone.NewNetwork()
	l, err := n.Host("web.test").Listen("tcp", "web.test:80")
	if err != nil {
		panic(err)
	}
	s := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "you asked for", r.Host)
	})}}
	s.Start()
	defer s.Close()
	fmt.Println(s.URL)

	client := s.Client()
	client.Transport.(*http.Transport).DialContext = n.Host("client.test").DialContext
	for _, url := range []string{s.URL, "http://web.test"} {
		resp, err := client.Get(url)
		if err != nil {
			panic(err)
		}
		io.Copy(os.Stdout, resp.Body)
		resp.Body.Close()
	}
	// Output:
	// http://10.0.0.1:80
	// you asked for 10.0.0.1:80
	// you asked for web.test
}

// A partition: the link between two hosts is cut while they talk, and healed again.
func Example_partition() {
	n := dialtone.NewNetwork()
	db, app := n.Host("db.test"), n.Host("app.test")
	l, _ := db.Listen("tcp", ":5432")
	defer l.Close()
	go func() {
		c, _ := l.Accept()
		defer c.Close()
		io.Copy(c, c)
	}()
	c, err := app.Dial("tcp", "db.test:5432")
	if err != nil {
		panic(err)
	}
	defer c.Close()

	n.Hub().Cut()
	c.Write([]byte("are you there?"))
	c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	answer := make([]byte, 100)
	_, err = c.Read(answer)
	fmt.Println("cut:", errors.Is(err, os.ErrDeadlineExceeded))

	n.Hub().Heal() // TCP sends again what was lost
	c.SetReadDeadline(time.Time{})
	k, err := c.Read(answer)
	fmt.Printf("healed: %s %v\n", answer[:k], err)
	// Output:
	// cut: true
	// healed: are you there? <nil>
}

// The calls themselves: a non-blocking connect to a host that never answers, on a clock that stands still until it is
// told to go on, and the reason of its end.
func ExampleProcess() {
	now := clock.NewManual()
	n := dialtone.NewNetwork(dialtone.WithClock(now))
	n.Host("silent.test")
	p := n.Host("client.test").NewProcess()
	n.Hub().Cut()

	fd, _ := p.Socket(sockaddr.Inet, int(socket.Stream)|dialtone.SOCK_NONBLOCK, 0)
	to := sockaddr.Of(netip.MustParseAddrPort("10.0.0.1:80"))
	var why trail.Trail
	fmt.Println("connect:", p.ConnectExplained(fd, to.Raw(), &why))
	fmt.Println("again:", p.Connect(fd, to.Raw()))
	for now.Step() {
	}
	v, _ := p.GetsockoptInt(fd, socket.SolSocket, socket.SoError)
	fmt.Println("SO_ERROR:", syscall.Errno(v), "after", now.Now().Round(time.Second))
	last, _ := why.Decided()
	fmt.Println(last.Text)
	// Output:
	// connect: operation now in progress
	// again: operation already in progress
	// SO_ERROR: connection timed out after 2m11s
	// no answer to 11 SYNs within 2m11s: ETIMEDOUT
}
