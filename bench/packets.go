// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net"
	"time"

	"dialtone"
)

// packetPeers carry datagrams: a server that echoes those of one byte, and counts the others.
var packetPeers = []peer{
	{"kernel UDP", func() (*ends, error) {
		pc, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		return echoing(pc, func() (net.Conn, error) { return net.Dial("udp", pc.LocalAddr().String()) }), nil
	}},
	{"dialtone UDP cable", func() (*ends, error) {
		n := dialtone.NewNetwork()
		pc, err := n.Host("echo.test").ListenPacket("udp4", ":7")
		if err != nil {
			return nil, err
		}
		client := n.Host("client.test")
		return echoing(pc, func() (net.Conn, error) { return client.Dial("udp4", "echo.test:7") }), nil
	}},
}

func echoing(pc net.PacketConn, dial func() (net.Conn, error)) *ends {
	go func() {
		for b := make([]byte, 2048); ; {
			n, from, err := pc.ReadFrom(b)
			if err != nil {
				return
			}
			if n == 1 || n == 2 { // a byte to send back, or the mark at the end
				pc.WriteTo(b[:n], from)
			}
		}
	}()
	return &ends{dial: dial, close: func() { pc.Close() }}
}

// datagrams measures how many datagrams of 1400 bytes a second arrive: the sender stops for an answer after each 32, so
// that none finds a full queue.
func datagrams(e *ends, span time.Duration) (float64, error) {
	c, err := e.dial()
	if err != nil {
		return 0, err
	}
	defer c.Close()
	data, mark := make([]byte, 1400), make([]byte, 2)
	begin, n := time.Now(), 0
	for time.Since(begin) < span {
		for range 32 {
			if _, err := c.Write(data); err != nil {
				return 0, err
			}
			n++
		}
		c.Write(mark)
		if _, err := c.Read(mark); err != nil {
			return 0, err
		}
	}
	return float64(n) / time.Since(begin).Seconds(), nil
}
