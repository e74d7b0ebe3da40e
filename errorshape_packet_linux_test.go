// SPDX-License-Identifier: Apache-2.0

package dialtone_test

import (
	"net"
	"testing"
	"time"
)

// dialNobody returns a connection to a UDP port that nobody has, which has been told so.
func (s *system) dialNobody(t *testing.T) (net.Conn, error) {
	c, err := s.dial(net.Dialer{}, "udp", s.unused(t, "udp"))
	if err != nil {
		return nil, err
	}
	if _, err := c.Write([]byte("x")); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// packetErrors are failures of datagrams, over either version of IP.
var packetErrors = []errorCase{
	{"read a refused datagram", func(t *testing.T, s *system) error {
		c, err := s.dialNobody(t)
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = c.Read(make([]byte, 1))
		return err
	}},
	{"read nothing after a refused datagram", func(t *testing.T, s *system) error {
		c, err := s.dialNobody(t)
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = c.Read(nil)
		return err
	}},
	{"write after a refused datagram", func(t *testing.T, s *system) error {
		c, err := s.dialNobody(t)
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = c.Write([]byte("x"))
		return err
	}},
	{"unconnected: nobody tells of a refused datagram", func(t *testing.T, s *system) error {
		p, err := s.listenPacket("udp", s.at("0"))
		if err != nil {
			return err
		}
		defer p.Close()
		to, _ := net.ResolveUDPAddr("udp", s.unused(t, "udp"))
		if _, err := p.WriteTo([]byte("x"), to); err != nil {
			return err
		}
		p.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		_, _, err = p.ReadFrom(make([]byte, 1))
		return err
	}},
	{"write to of a connected socket", func(t *testing.T, s *system) error {
		c, err := s.dial(net.Dialer{}, "udp", s.unused(t, "udp"))
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = c.(net.PacketConn).WriteTo([]byte("x"), c.RemoteAddr())
		return err
	}},
	{"write to another kind of address", func(t *testing.T, s *system) error {
		p, err := s.listenPacket("udp", s.at("0"))
		if err != nil {
			return err
		}
		defer p.Close()
		_, err = p.WriteTo([]byte("x"), &net.UnixAddr{Name: "x", Net: "unixgram"})
		return err
	}},
	{"write to an address of TCP", func(t *testing.T, s *system) error {
		p, err := s.listenPacket("udp", s.at("0"))
		if err != nil {
			return err
		}
		defer p.Close()
		_, err = p.WriteTo([]byte("x"), &net.TCPAddr{IP: s.ip, Port: 9})
		return err
	}},
	{"write a datagram too long", func(t *testing.T, s *system) error {
		p, err := s.listenPacket("udp", s.at("0"))
		if err != nil {
			return err
		}
		defer p.Close()
		_, err = p.WriteTo(make([]byte, 70000), p.LocalAddr())
		return err
	}},
	{"close packets twice", func(t *testing.T, s *system) error {
		p, err := s.listenPacket("udp", s.at("0"))
		if err != nil {
			return err
		}
		p.Close()
		return p.Close()
	}},
	{"read closed packets", func(t *testing.T, s *system) error {
		p, err := s.listenPacket("udp", s.at("0"))
		if err != nil {
			return err
		}
		p.Close()
		_, _, err = p.ReadFrom(make([]byte, 1))
		return err
	}},
}
