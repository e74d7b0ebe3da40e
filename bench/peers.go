// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"syscall"

	"github.com/akutz/memconn"
	"google.golang.org/grpc/test/bufconn"

	"dialtone"
)

// peer is a way to connect: a listener, how to dial it, and what is left to clean up.
type peer struct {
	name string
	open func() (*ends, error)
}

type ends struct {
	listener net.Listener
	dial     func() (net.Conn, error)
	close    func()
	// run runs a program where the listener can be reached, and returns what it printed: for hostedOperations alone.
	run func(argv ...string) (string, error)
	// rendezvous: dial returns once somebody has accepted.
	rendezvous bool
}

const (
	kernelTCP  = "kernel TCP"
	kernelUnix = "kernel UNIX"
)

// streamPeers are all that carry streams; the first is what ratios are to.
var streamPeers = []peer{
	{kernelTCP, kernel("tcp", func() string { return "127.0.0.1:0" })},
	{kernelUnix, kernel("unix", unixPath)},
	{"dialtone cable", ours("tcp4", "web.test", "client.test")},
	{"dialtone loopback", ours("tcp4", "web.test", "web.test")},
	{"dialtone UNIX", ours("unix", "web.test", "web.test")},
	{"gvisor loopback", gvisorLoopback},
	{"gvisor two stacks", gvisorPipe},
	{"memconn", openMemconn},
	{"bufconn", openBufconn},
}

var serial atomic.Int64

func unixPath() string {
	return filepath.Join(os.TempDir(), fmt.Sprintf("dialtone-bench-%d-%d", os.Getpid(), serial.Add(1)))
}

func kernel(network string, address func() string) func() (*ends, error) {
	return func() (*ends, error) {
		l, err := net.Listen(network, address())
		if err != nil {
			return nil, err
		}
		a := l.Addr()
		dial := func() (net.Conn, error) {
			for {
				// Package net gives an AF_UNIX connect to a full backlog up with EAGAIN, instead of waiting.
				c, err := net.Dial(a.Network(), a.String())
				if !errors.Is(err, syscall.EAGAIN) {
					return c, err
				}
				runtime.Gosched()
			}
		}
		return &ends{listener: l, dial: dial, close: func() {}}, nil
	}
}

func ours(network, server, client string) func() (*ends, error) {
	return func() (*ends, error) {
		n := dialtone.NewNetwork()
		listenAt, dialTo := ":80", server+":80"
		if network == "unix" {
			listenAt, dialTo = "@bench", "@bench"
		}
		l, err := n.Host(server).Listen(network, listenAt)
		if err != nil {
			return nil, err
		}
		c := n.Host(client)
		return &ends{listener: l, dial: func() (net.Conn, error) { return c.Dial(network, dialTo) }, close: func() {}}, nil
	}
}

func openMemconn() (*ends, error) {
	name := fmt.Sprint("bench", serial.Add(1))
	l, err := memconn.Listen("memb", name)
	if err != nil {
		return nil, err
	}
	dial := func() (net.Conn, error) { return memconn.Dial("memb", name) }
	return &ends{listener: l, dial: dial, close: func() {}, rendezvous: true}, nil
}

func openBufconn() (*ends, error) {
	l := bufconn.Listen(256 << 10)
	dial := func() (net.Conn, error) { return l.DialContext(context.Background()) }
	return &ends{listener: l, dial: dial, close: func() {}, rendezvous: true}, nil
}
