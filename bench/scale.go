// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math"
	"net"
	"net/netip"
	"runtime"
	"time"

	"dialtone"
	"dialtone/personality"
)

// scaled is what a connect costs beside a number of established connections.
type scaled struct {
	Peer    string  `json:"peer"`
	Pairs   int     `json:"pairs"`
	Connect float64 `json:"connect_ns"`
	// Memory is that of the first peer alone: what one leaves behind goes while the next is measured.
	Memory float64 `json:"bytes_per_pair,omitempty"`
}

// scalePeers are those whose cost is measured beside more and more connections, each with the most that it is asked for:
// the kernel's take descriptors, memconn's pairs goroutines, and a client of gVisor's has 16,384 ports. gVisor comes last, for its
// stacks go on when they are closed.
var scalePeers = []struct {
	name string
	most int
	open func(most int) (*ends, error)
}{
	{"dialtone", math.MaxInt, openWide},
	{kernelTCP, 3000, func(int) (*ends, error) { return kernel("tcp", func() string { return "127.0.0.1:0" })() }},
	{"memconn", 100_000, func(int) (*ends, error) { return openMemconn() }},
	{"gvisor", 10_000, func(int) (*ends, error) { return gvisorLoopback() }},
}

// openWide returns a server with an address for every 5,000 connections: to each a client has only as many ports as there
// are (28,232, and first every second one, as on Linux), and what is measured is not the search for a free one.
func openWide(most int) (*ends, error) {
	n := dialtone.NewNetwork()
	server, err := n.NewHost("server.test", personality.Linux)
	if err != nil {
		return nil, err
	}
	var to []string
	var addresses []netip.Prefix
	for ip := netip.MustParseAddr("10.200.0.1"); len(addresses) < most/5000+1; ip = ip.Next() {
		addresses = append(addresses, netip.PrefixFrom(ip, 8))
		to = append(to, netip.AddrPortFrom(ip, 80).String())
	}
	if _, err := server.Attach("eth0", n.Hub(), addresses...); err != nil {
		return nil, err
	}
	l, err := server.Listen("tcp4", ":80")
	if err != nil {
		return nil, err
	}
	client, k := n.Host("client.test"), 0
	dial := func() (net.Conn, error) {
		k++
		return client.Dial("tcp4", to[k%len(to)])
	}
	return &ends{listener: l, dial: dial, close: func() {}}, nil
}

// manyPairs is from how many on memory is told: with fewer, what others leave behind, and is collected meanwhile, weighs more.
const manyPairs = 100_000

// measureScale opens connections up to the given number and measures a connect+accept+close on the way, three times a
// decade or so; it takes the better of two measurements, for a collection may fall into one.
func measureScale(name string, most int, e *ends) (all []scaled, err error) {
	accept := e.accepts()
	var open []net.Conn
	before := settled()
	defer func() {
		for _, c := range open {
			c.Close()
		}
	}()
	for mark, next := 1, 3; mark <= most; mark, next = next, 10*mark {
		for len(open) < 2*mark {
			c, err := e.dial()
			if err != nil {
				return all, err
			}
			s, err := accept()
			if err != nil {
				return all, err
			}
			open = append(open, c, s)
		}
		point := scaled{Peer: name, Pairs: mark, Connect: math.Inf(1)}
		held := used() - before // asked of all, for it collects what others left
		if name == scalePeers[0].name && mark >= manyPairs {
			point.Memory = float64(held) / float64(mark)
		}
		for range 2 {
			const span = 100 * time.Millisecond
			times, begin := 0, time.Now()
			for ; time.Since(begin) < span; times++ {
				if err := connectOnce(e.dial, accept); err != nil {
					return all, err
				}
			}
			point.Connect = min(point.Connect, float64(time.Since(begin).Nanoseconds())/float64(times))
		}
		all = append(all, point)
	}
	return all, nil
}

// crowd is what a hub full of hosts costs.
type crowd struct {
	Hosts    int     `json:"hosts"`
	Memory   float64 `json:"bytes_per_idle_host"`
	Connects int     `json:"connects"`
	Seconds  float64 `json:"seconds"` // for all of it
}

// measureCrowd makes hosts on one hub, then lets each connect to others, one to ten places further on.
func measureCrowd(hosts int) crowd {
	const each = 10
	c := crowd{Hosts: hosts, Connects: hosts * each}
	n := dialtone.NewNetwork()
	before := used()
	begin := time.Now()
	all := make([]*dialtone.Host, hosts)
	for k := range all {
		all[k] = n.Host(fmt.Sprintf("host%d.test", k))
	}
	built := time.Since(begin)
	c.Memory = float64(used()-before) / float64(hosts)
	begin = time.Now()
	listeners := make([]net.Listener, hosts)
	for k, h := range all {
		l, err := h.Listen("tcp4", ":80")
		if err != nil {
			panic(err)
		}
		listeners[k] = l
	}
	open := make([]net.Conn, 0, 2*c.Connects)
	for k, h := range all {
		for step := range each {
			to := (k + 1 + step) % hosts
			client, err := h.Dial("tcp4", fmt.Sprintf("host%d.test:80", to))
			if err != nil {
				panic(err)
			}
			server, err := listeners[to].Accept()
			if err != nil {
				panic(err)
			}
			open = append(open, client, server)
		}
	}
	c.Seconds = (built + time.Since(begin)).Seconds()
	runtime.KeepAlive(open)
	return c
}
