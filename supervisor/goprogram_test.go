// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// roleGo is an ordinary Go program: net/http, both sides, and UDP. Its
// argument is the address of a web server elsewhere.
func roleGo() int {
	web := os.Args[1]
	l, err := net.Listen("tcp", ":8080")
	must(err)
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/big" {
			_, _ = io.CopyN(w, zeroes{}, 4_000_000)
			return
		}
		fmt.Fprint(w, r.URL.Path)
	}))
	var wg sync.WaitGroup
	var right atomic.Int32
	for i := range 200 {
		wg.Go(func() {
			path := fmt.Sprint("/", i)
			if body(fmt.Sprint("http://127.0.0.1:8080", path)) == path {
				right.Add(1)
			}
		})
	}
	wg.Wait()
	fmt.Println(right.Load(), "parallel requests")
	fmt.Println(len(body("http://127.0.0.1:8080/big")), "bytes of our own")
	fmt.Println(len(body("http://"+web+"/bytes/3000000")), "bytes")
	_, err = net.Dial("tcp", web+":81")
	fmt.Println("refused", errors.Is(err, syscall.ECONNREFUSED))

	p, err := net.ListenPacket("udp", "127.0.0.1:5353")
	must(err)
	go echoPackets(p)
	c, err := net.Dial("udp", "127.0.0.1:5353")
	must(err)
	must(c.SetDeadline(time.Now().Add(patience)))
	answers := 0
	for i := range 100 {
		_, err := fmt.Fprint(c, i)
		must(err)
		b := make([]byte, 10)
		n, err := c.Read(b)
		must(err)
		if string(b[:n]) == fmt.Sprint(i) {
			answers++
		}
	}
	fmt.Println(answers, "datagrams")
	_, err = net.Dial("tcp", "192.0.2.1:80") // TEST-NET-1: no route
	fmt.Println("unreachable", errors.Is(err, syscall.ENETUNREACH))

	interfaces, err := net.Interfaces()
	must(err)
	var names []string
	for _, i := range interfaces {
		names = append(names, i.Name)
	}
	fmt.Println(names)
	return 0
}

func body(url string) string {
	r, err := http.Get(url)
	must(err)
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	must(err)
	return string(b)
}

// roleSources sends from many ports before it reads.
func roleSources() int {
	const n = 300
	u, err := net.ListenUDP("udp", &net.UDPAddr{IP: loopback[:], Port: 4000})
	must(err)
	must(u.SetReadDeadline(time.Now().Add(patience)))
	sent := map[string]string{}
	for i := range n {
		c, err := net.Dial("udp", "127.0.0.1:4000")
		must(err)
		text := fmt.Sprint(i)
		_, err = c.Write([]byte(text))
		must(err)
		defer c.Close() // not before: the port must not be drawn again
		sent[c.LocalAddr().String()] = text
	}
	got, right := 0, 0
	for ; got < n; got++ {
		b := make([]byte, 10)
		k, from, err := u.ReadFrom(b)
		must(err)
		if sent[from.String()] == string(b[:k]) {
			right++
		}
	}
	fmt.Printf("%d datagrams, %d sources\n", got, right)
	return 0
}
