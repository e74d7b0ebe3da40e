// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"time"

	"dialtone"
	"dialtone/personality"
)

// scaled is what a connect costs beside a number of established connections.
type scaled struct {
	Pairs   int     `json:"pairs"`
	Connect float64 `json:"connect_ns"`
	Memory  float64 `json:"bytes_per_pair"`
}

// measureScale opens connections up to the given number and measures a connect+accept+close at each decade. The server
// has an address for every 10,000, for to each a client has only as many ports as there are (28,232, as on Linux).
func measureScale(most int) []scaled {
	n := dialtone.NewNetwork()
	server, err := n.NewHost("server.test", personality.Linux)
	if err != nil {
		panic(err)
	}
	var to []string
	var addresses []netip.Prefix
	for ip := netip.MustParseAddr("10.200.0.1"); len(addresses) < most/10_000+1; ip = ip.Next() {
		addresses = append(addresses, netip.PrefixFrom(ip, 8))
		to = append(to, netip.AddrPortFrom(ip, 80).String())
	}
	if _, err := server.Attach("eth0", n.Hub(), addresses...); err != nil {
		panic(err)
	}
	l, err := server.Listen("tcp4", ":80")
	if err != nil {
		panic(err)
	}
	client := n.Host("client.test")
	before := used()
	var open []net.Conn
	connect := func(k int) (net.Conn, net.Conn) {
		c, err := client.Dial("tcp4", to[k%len(to)])
		if err != nil {
			panic(fmt.Sprintf("connection %d: %v", k, err))
		}
		s, err := l.Accept()
		if err != nil {
			panic(err)
		}
		return c, s
	}
	var all []scaled
	for mark := 1000; mark <= most; mark *= 10 {
		for len(open) < 2*mark {
			c, s := connect(len(open) / 2)
			open = append(open, c, s)
		}
		point := scaled{Pairs: mark, Memory: float64(used()-before) / float64(mark)}
		const times = 20_000
		begin := time.Now()
		for k := range times {
			c, s := connect(k)
			c.(*dialtone.Conn).SetLinger(0)
			c.Close()
			s.Close()
		}
		point.Connect = float64(time.Since(begin).Nanoseconds()) / times
		all = append(all, point)
	}
	runtime.KeepAlive(open)
	return all
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
