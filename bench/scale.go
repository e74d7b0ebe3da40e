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
// has several addresses, for one has only as many ports as there are.
func measureScale(most int) []scaled {
	n := dialtone.NewNetwork()
	server, err := n.NewHost("server.test", personality.Linux)
	if err != nil {
		panic(err)
	}
	var to []string
	var addresses []netip.Prefix
	for ip := netip.MustParseAddr("10.200.0.1"); len(addresses) < most/20_000+1; ip = ip.Next() {
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
