// SPDX-License-Identifier: Apache-2.0

package dialtone_test

import (
	"net"
	"testing"
	"time"

	"golang.org/x/net/nettest"

	"dialtone"
)

// The conformance suite that the Go project has for implementations of net.Conn.
func TestConnConformance(t *testing.T) {
	for _, c := range []struct {
		name, network, listen, dial string
		latency                     time.Duration
	}{
		{"tcp4", "tcp4", ":7", "server.test:7", 0},
		{"tcp6", "tcp6", ":7", "server.test:7", 0},
		{"tcp4 with latency", "tcp4", ":7", "server.test:7", time.Millisecond},
		{"tcp6 with latency", "tcp6", ":7", "server.test:7", time.Millisecond},
		{"tcp4 loopback", "tcp4", "127.0.0.1:7", "", 0},
		{"unix", "unix", "/tmp/server", "", 0},
		{"unix abstract", "unix", "@server", "", 0},
		{"unixpacket", "unixpacket", "/tmp/server", "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) {
				n := dialtone.NewNetwork()
				n.Hub().SetLatency(c.latency)
				server := n.Host("server.test")
				client, to := n.Host("client.test"), c.dial
				if to == "" {
					client, to = server, c.listen
				}
				l, err := server.Listen(c.network, c.listen)
				if err != nil {
					return nil, nil, nil, err
				}
				defer l.Close()
				c1, err := client.Dial(c.network, to)
				if err != nil {
					return nil, nil, nil, err
				}
				c2, err := l.Accept()
				if err != nil {
					c1.Close()
					return nil, nil, nil, err
				}
				return c1, c2, func() { c1.Close(); c2.Close() }, nil
			})
		})
	}
}
