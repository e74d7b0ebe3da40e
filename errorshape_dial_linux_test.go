// SPDX-License-Identifier: Apache-2.0

package dialtone_test

import (
	"context"
	"fmt"
	"net"
	"syscall"
	"testing"
)

// dialErrors are dials that fail, over either version of IP.
var dialErrors = []errorCase{
	{"dial refused", func(t *testing.T, s *system) error {
		_, err := s.dial(net.Dialer{}, "tcp", s.unused(t, "tcp"))
		return err
	}},
	{"dial refused from an address", func(t *testing.T, s *system) error {
		_, err := s.dial(net.Dialer{LocalAddr: &net.TCPAddr{IP: s.ip}}, "tcp"+s.version, s.unused(t, "tcp"))
		return err
	}},
	{"dial from an address of nobody", func(t *testing.T, s *system) error {
		_, err := s.dial(net.Dialer{LocalAddr: &net.TCPAddr{IP: s.nobody}}, "tcp", s.unused(t, "tcp"))
		return err
	}},
	{"dial from another kind of address", func(t *testing.T, s *system) error {
		_, err := s.dial(net.Dialer{LocalAddr: &net.UDPAddr{IP: s.ip}}, "tcp", s.at("1"))
		return err
	}},
	{"dial from another version", func(t *testing.T, s *system) error {
		_, err := s.dial(net.Dialer{LocalAddr: &net.TCPAddr{IP: s.other}}, "tcp", s.at("1"))
		return err
	}},
	{"dial an unknown network", func(t *testing.T, s *system) error {
		_, err := s.dial(net.Dialer{}, "tcp5", s.at("1"))
		return err
	}},
	{"dial nothing", func(t *testing.T, s *system) error { _, err := s.dial(net.Dialer{}, "tcp", ""); return err }},
	{"dial without port", func(t *testing.T, s *system) error {
		_, err := s.dial(net.Dialer{}, "tcp", s.ip.String())
		return err
	}},
	{"dial a port too high", func(t *testing.T, s *system) error {
		_, err := s.dial(net.Dialer{}, "tcp", s.at("65536"))
		return err
	}},
	{"dial an unknown service", func(t *testing.T, s *system) error {
		_, err := s.dial(net.Dialer{}, "tcp", s.at("nonesuch"))
		return err
	}},
	{"dial the other version", func(t *testing.T, s *system) error {
		_, err := s.dial(net.Dialer{}, "tcp"+s.otherVersion, s.at("1"))
		return err
	}},
	{"dial port 0", func(t *testing.T, s *system) error {
		_, err := s.dial(net.Dialer{}, "tcp", s.at("0"))
		return err
	}},
	{"dial udp port 0", func(t *testing.T, s *system) error {
		_, err := s.dial(net.Dialer{}, "udp", s.at("0"))
		return err
	}},
	{"dial with a context that has ended", func(t *testing.T, s *system) error {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := s.dialContext(ctx, net.Dialer{}, "tcp", s.at("1"))
		return err
	}},
	{"dial with a deadline that has passed", func(t *testing.T, s *system) error {
		_, err := s.dial(net.Dialer{Deadline: past}, "tcp", s.at("1"))
		return err
	}},
	{"dial whose control fails", func(t *testing.T, s *system) error {
		_, err := s.dial(net.Dialer{Control: func(network, address string, _ syscall.RawConn) error {
			return fmt.Errorf("control of %s %s", network, address)
		}}, "tcp", s.at("1"))
		return err
	}},
}

// dial4Errors are dials that only IPv4 knows.
var dial4Errors = []errorCase{
	{"dial the broadcast address", func(t *testing.T, s *system) error {
		_, err := s.dial(net.Dialer{}, "tcp", "255.255.255.255:1")
		return err
	}},
}
