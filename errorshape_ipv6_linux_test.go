// SPDX-License-Identifier: Apache-2.0

package dialtone_test

import (
	"net"
	"testing"
)

// ipv6Errors are failures that only IPv6 knows: where it meets IPv4, and of
// addresses that mean nothing without an interface.
var ipv6Errors = []errorCase{
	{"dial a mapped address refused", func(t *testing.T, s *system) error {
		l, err := s.listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		l.Close()
		_, port, _ := net.SplitHostPort(l.Addr().String())
		_, err = s.dial(net.Dialer{}, "tcp", "[::ffff:127.0.0.1]:"+port)
		return err
	}},
	{"dial a mapped address as IPv6", func(t *testing.T, s *system) error {
		_, err := s.dial(net.Dialer{}, "tcp6", "[::ffff:127.0.0.1]:1")
		return err
	}},
	{"dial a link-local address without zone", func(t *testing.T, s *system) error {
		_, err := s.dial(net.Dialer{}, "tcp6", "[fe80::1]:1")
		return err
	}},
	{"dial a link-local address without zone, udp", func(t *testing.T, s *system) error {
		_, err := s.dial(net.Dialer{}, "udp6", "[fe80::1]:1")
		return err
	}},
	{"dial a mapped address from IPv6", func(t *testing.T, s *system) error {
		_, err := s.dial(net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv6loopback}}, "tcp", "[::ffff:127.0.0.1]:1")
		return err
	}},
	{"listen on a link-local address without zone", func(t *testing.T, s *system) error {
		_, err := s.listen("tcp6", "[fe80::1]:0")
		return err
	}},
	{"listen on IPv4 as IPv6", func(t *testing.T, s *system) error {
		_, err := s.listen("tcp6", "127.0.0.1:0")
		return err
	}},
	{"listen without brackets", func(t *testing.T, s *system) error {
		_, err := s.listen("tcp", "::1:0")
		return err
	}},
	{"listen on all of both, then on all of one", func(t *testing.T, s *system) error {
		l, err := s.listen("tcp", "[::]:0")
		if err != nil {
			return err
		}
		defer l.Close()
		_, port, _ := net.SplitHostPort(l.Addr().String())
		_, err = s.listen("tcp4", "0.0.0.0:"+port)
		return err
	}},
	{"write to IPv4 from udp6", func(t *testing.T, s *system) error {
		p, err := s.listenPacket("udp6", "[::1]:0")
		if err != nil {
			return err
		}
		defer p.Close()
		_, err = p.WriteTo([]byte("x"), &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9})
		return err
	}},
	{"write to IPv6 from udp4", func(t *testing.T, s *system) error {
		p, err := s.listenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer p.Close()
		_, err = p.WriteTo([]byte("x"), &net.UDPAddr{IP: net.IPv6loopback, Port: 9})
		return err
	}},
}
