// SPDX-License-Identifier: Apache-2.0

package dialtone_test

import (
	"net"
	"testing"
	"time"
)

type listenerDeadline interface{ SetDeadline(time.Time) error }

// listenErrors are failures of listening and accepting, over either version of IP.
var listenErrors = []errorCase{
	{"listen twice", func(t *testing.T, s *system) error {
		l, err := s.listen("tcp", s.at("0"))
		if err != nil {
			return err
		}
		defer l.Close()
		_, err = s.listen("tcp", l.Addr().String())
		return err
	}},
	{"listen on an address of nobody", func(t *testing.T, s *system) error {
		_, err := s.listen("tcp", net.JoinHostPort(s.nobody.String(), "0"))
		return err
	}},
	{"listen on udp", func(t *testing.T, s *system) error { _, err := s.listen("udp", s.at("0")); return err }},
	{"listen for packets on tcp", func(t *testing.T, s *system) error {
		_, err := s.listenPacket("tcp", s.at("0"))
		return err
	}},
	{"listen on an unknown network", func(t *testing.T, s *system) error { _, err := s.listen("foo", ":0"); return err }},
	{"listen without port", func(t *testing.T, s *system) error { _, err := s.listen("tcp", s.ip.String()); return err }},
	{"listen for packets twice", func(t *testing.T, s *system) error {
		p, err := s.listenPacket("udp", s.at("0"))
		if err != nil {
			return err
		}
		defer p.Close()
		_, err = s.listenPacket("udp", p.LocalAddr().String())
		return err
	}},
	{"accept on a closed listener", func(t *testing.T, s *system) error {
		_, _, l := s.pair(t, "tcp")
		l.Close()
		_, err := l.Accept()
		return err
	}},
	{"accept after the deadline", func(t *testing.T, s *system) error {
		_, _, l := s.pair(t, "tcp")
		l.(listenerDeadline).SetDeadline(past)
		_, err := l.Accept()
		return err
	}},
	{"close a listener twice", func(t *testing.T, s *system) error {
		_, _, l := s.pair(t, "tcp")
		l.Close()
		return l.Close()
	}},
	{"set a closed listener's deadline", func(t *testing.T, s *system) error {
		_, _, l := s.pair(t, "tcp")
		l.Close()
		return l.(listenerDeadline).SetDeadline(past)
	}},
}
