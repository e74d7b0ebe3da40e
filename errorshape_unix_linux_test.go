// SPDX-License-Identifier: Apache-2.0

package dialtone_test

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// unixErrors are failures of AF_UNIX.
var unixErrors = []errorCase{
	{"dial nothing unix", func(t *testing.T, s *system) error { _, err := s.dial(net.Dialer{}, "unix", ""); return err }},
	{"dial no such unix socket", func(t *testing.T, s *system) error {
		_, err := s.dial(net.Dialer{}, "unix", filepath.Join(s.dir, "none"))
		return err
	}},
	{"dial a unix socket without listener", func(t *testing.T, s *system) error {
		name := filepath.Join(s.dir, "left")
		l, err := s.listen("unix", name)
		if err != nil {
			return err
		}
		l.(interface{ SetUnlinkOnClose(bool) }).SetUnlinkOnClose(false)
		l.Close()
		_, err = s.dial(net.Dialer{}, "unix", name)
		return err
	}},
	{"dial a closed unix listener", func(t *testing.T, s *system) error {
		name := filepath.Join(s.dir, "gone")
		l, err := s.listen("unix", name)
		if err != nil {
			return err
		}
		l.Close()
		_, err = s.dial(net.Dialer{}, "unix", name)
		return err
	}},
	{"dial a unix socket of another type", func(t *testing.T, s *system) error {
		_, _, l := s.pair(t, "unix")
		_, err := s.dial(net.Dialer{}, "unixpacket", l.Addr().String())
		return err
	}},
	{"dial a unix name too long", func(t *testing.T, s *system) error {
		_, err := s.dial(net.Dialer{}, "unix", "/"+strings.Repeat("x", 120))
		return err
	}},
	{"listen twice unix", func(t *testing.T, s *system) error {
		_, _, l := s.pair(t, "unix")
		_, err := s.listen("unix", l.Addr().String())
		return err
	}},
	{"listen in no directory", func(t *testing.T, s *system) error {
		_, err := s.listen("unix", filepath.Join(s.dir, "none", "s"))
		return err
	}},
	{"close a unix listener twice", func(t *testing.T, s *system) error {
		_, _, l := s.pair(t, "unix")
		l.Close()
		return l.Close()
	}},
	{"read that meets its deadline", func(t *testing.T, s *system) error {
		c, _, _ := s.pair(t, "unix")
		c.SetReadDeadline(time.Now().Add(time.Millisecond))
		_, err := c.Read(make([]byte, 1))
		return err
	}},
	{"write closed unix", func(t *testing.T, s *system) error {
		c, _, _ := s.pair(t, "unix")
		c.Close()
		_, err := c.Write(make([]byte, 1))
		return err
	}},
	{"read the end of unixpacket", func(t *testing.T, s *system) error {
		c, accepted, _ := s.pair(t, "unixpacket")
		accepted.Close()
		_, err := c.Read(make([]byte, 1))
		return err
	}},
	{"write to a closed unix peer", func(t *testing.T, s *system) error {
		c, accepted, _ := s.pair(t, "unix")
		accepted.Close()
		_, err := c.Write([]byte("x"))
		return err
	}},
	{"write to nobody's unix socket", func(t *testing.T, s *system) error {
		p, err := s.listenPacket("unixgram", filepath.Join(s.dir, "dgram"))
		if err != nil {
			return err
		}
		defer p.Close()
		_, err = p.WriteTo([]byte("x"), &net.UnixAddr{Name: filepath.Join(s.dir, "none"), Net: "unixgram"})
		return err
	}},
	{"write to a unix address of another type", func(t *testing.T, s *system) error {
		p, err := s.listenPacket("unixgram", filepath.Join(s.dir, "dgram2"))
		if err != nil {
			return err
		}
		defer p.Close()
		_, err = p.WriteTo([]byte("x"), &net.UnixAddr{Name: filepath.Join(s.dir, "none"), Net: "unix"})
		return err
	}},
}
