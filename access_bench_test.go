// SPDX-License-Identifier: Apache-2.0

package dialtone_test

import (
	"testing"

	"dialtone"
	"dialtone/selinux/defaultpolicy"
	"dialtone/sockaddr"
)

// accessBench are calls as a program makes them, between two processes of one host. Each runs without access control,
// which must cost nothing, and with the default policy.
var accessBench = []struct {
	name string
	run  func(b *testing.B, p *dialtone.Process)
}{
	{"ConnectTCP", func(b *testing.B, p *dialtone.Process) {
		l, to := listenOn(b, p, sockaddr.Inet)
		for b.Loop() {
			c, _ := p.Socket(sockaddr.Inet, 1, 0)
			if err := p.Connect(c, to); err != nil {
				b.Fatal(err)
			}
			s, _, err := p.Accept(l, 0)
			if err != nil {
				b.Fatal(err)
			}
			_ = p.Setsockopt(s, 1, 13, []byte{1, 0, 0, 0, 0, 0, 0, 0}) // SO_LINGER of 0: no TIME-WAIT
			p.Close(s)
			p.Close(c)
		}
	}},
	{"SendTCP", func(b *testing.B, p *dialtone.Process) {
		l, to := listenOn(b, p, sockaddr.Inet)
		c, _ := p.Socket(sockaddr.Inet, 1, 0)
		if err := p.Connect(c, to); err != nil {
			b.Fatal(err)
		}
		s, _, err := p.Accept(l, 0)
		if err != nil {
			b.Fatal(err)
		}
		if err := p.SetsockoptInt(c, 6, 1, 1); err != nil { // TCP_NODELAY: else each waits for the delayed acknowledgement
			b.Fatal(err)
		}
		pingOnce(b, p, c, s)
	}},
	{"SendUDP", func(b *testing.B, p *dialtone.Process) {
		s, _ := p.Socket(sockaddr.Inet, 2, 0)
		if err := p.Bind(s, loopbackPort(5300)); err != nil {
			b.Fatal(err)
		}
		c, _ := p.Socket(sockaddr.Inet, 2, 0)
		if err := p.Connect(c, loopbackPort(5300)); err != nil {
			b.Fatal(err)
		}
		pingOnce(b, p, c, s)
	}},
	{"SendUnix", func(b *testing.B, p *dialtone.Process) {
		fds, err := p.Socketpair(sockaddr.Unix, 1, 0)
		if err != nil {
			b.Fatal(err)
		}
		pingOnce(b, p, fds[0], fds[1])
	}},
}

// pingOnce sends and receives, again and again.
func pingOnce(b *testing.B, p *dialtone.Process, from, to int) {
	message, room := []byte("12345678"), make([]byte, 16)
	for b.Loop() {
		if _, err := p.Send(from, message, 0); err != nil {
			b.Fatal(err)
		}
		if _, err := p.Recv(to, room, 0); err != nil {
			b.Fatal(err)
		}
	}
}

func loopbackPort(port uint16) sockaddr.Raw {
	return sockaddr.Bytes([]byte{2, 0, byte(port >> 8), byte(port), 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0})
}

func listenOn(b *testing.B, p *dialtone.Process, family sockaddr.Family) (int, sockaddr.Raw) {
	l, err := p.Socket(family, 1, 0)
	if err != nil {
		b.Fatal(err)
	}
	if err := p.Bind(l, loopbackPort(8080)); err != nil {
		b.Fatal(err)
	}
	if err := p.Listen(l, 8); err != nil {
		b.Fatal(err)
	}
	return l, loopbackPort(8080)
}

func BenchmarkAccess(b *testing.B) {
	for _, c := range accessBench {
		b.Run(c.name+"/none", func(b *testing.B) {
			c.run(b, dialtone.NewNetwork().Host("a").NewProcess())
		})
		b.Run(c.name+"/default", func(b *testing.B) {
			h := dialtone.NewNetwork().Host("a")
			if err := h.SetPolicy(defaultpolicy.Policy()); err != nil {
				b.Fatal(err)
			}
			c.run(b, h.NewProcess())
		})
	}
}
