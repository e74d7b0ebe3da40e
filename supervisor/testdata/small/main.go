// SPDX-License-Identifier: Apache-2.0

// A small network program, built for 32 bits by a test. Its argument is the
// address of a host that echoes on port 7 and refuses port 81.
package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
)

func main() {
	for _, network := range []string{"tcp", "udp"} {
		c, err := net.Dial(network, os.Args[1]+":7")
		must(err)
		fmt.Println(network, ask(c))
	}
	if _, err := net.Dial("tcp", os.Args[1]+":81"); errors.Is(err, syscall.ECONNREFUSED) {
		fmt.Println("refused")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	go func() {
		c, err := l.Accept()
		must(err)
		b := make([]byte, 100)
		n, err := c.Read(b)
		must(err)
		_, err = c.Write(b[:n])
		must(err)
	}()
	c, err := net.Dial("tcp", l.Addr().String())
	must(err)
	fmt.Println("own server", ask(c))
}

func ask(c net.Conn) string {
	_, err := c.Write([]byte("hello"))
	must(err)
	b := make([]byte, 100)
	n, err := c.Read(b)
	must(err)
	return string(b[:n])
}

func must(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
