// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"io"
	"net"
	"testing"
)

// BenchmarkBulk writes 64 KiB at a time to somebody who reads what comes, over a cable, over lo, and by AF_UNIX.
func BenchmarkBulk(b *testing.B) {
	for _, way := range []struct{ name, network, client, at, to string }{
		{"cable", "tcp4", "client.test", ":80", "server.test:80"},
		{"lo", "tcp4", "server.test", ":80", "server.test:80"},
		{"unix", "unix", "server.test", "@socket", "@socket"},
	} {
		b.Run(way.name, func(b *testing.B) {
			n := NewNetwork()
			l, err := n.Host("server.test").Listen(way.network, way.at)
			if err != nil {
				b.Fatal(err)
			}
			c, err := n.Host(way.client).Dial(way.network, way.to)
			if err != nil {
				b.Fatal(err)
			}
			s, err := l.Accept()
			if err != nil {
				b.Fatal(err)
			}
			read := make(chan error)
			go func() {
				_, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{s}, make([]byte, 256<<10))
				read <- err
			}()
			data := make([]byte, 64<<10)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Write(data); err != nil {
					b.Fatal(err)
				}
			}
			c.Close()
			if err := <-read; err != nil {
				b.Fatal(err)
			}
		})
	}
}

// BenchmarkDatagram sends 1400 bytes at a time over UDP to somebody who answers each 32nd, so that none finds a full
// queue; and one byte there and back.
func BenchmarkDatagram(b *testing.B) {
	for _, way := range []struct {
		name        string
		size, burst int
	}{{"oneway", 1400, 32}, {"pingpong", 1, 1}} {
		b.Run(way.name, func(b *testing.B) {
			n := NewNetwork()
			pc, err := n.Host("server.test").ListenPacket("udp4", ":7")
			if err != nil {
				b.Fatal(err)
			}
			c, err := n.Host("client.test").Dial("udp4", "server.test:7")
			if err != nil {
				b.Fatal(err)
			}
			go echoEach(pc, way.burst)
			data := make([]byte, way.size)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for i := 1; b.Loop(); i++ {
				if _, err := c.Write(data); err != nil {
					b.Fatal(err)
				}
				if i%way.burst == 0 {
					if _, err := c.Read(data); err != nil {
						b.Fatal(err)
					}
				}
			}
			pc.Close()
		})
	}
}

// echoEach sends back each nth datagram of those that pc gets.
func echoEach(pc net.PacketConn, nth int) {
	b := make([]byte, 2048)
	for i := 1; ; i++ {
		n, from, err := pc.ReadFrom(b)
		if err != nil {
			return
		}
		if i%nth == 0 {
			pc.WriteTo(b[:n], from)
		}
	}
}
