// SPDX-License-Identifier: Apache-2.0

package dialtone_test

import (
	"testing"
	"time"
)

type linger interface{ SetLinger(int) error }

type closeWriter interface {
	CloseWrite() error
	CloseRead() error
}

// streamErrors are failures of TCP connections, over either version of IP.
var streamErrors = []errorCase{
	{"read after the deadline", func(t *testing.T, s *system) error {
		c, _, _ := s.pair(t, "tcp")
		c.SetReadDeadline(past)
		_, err := c.Read(make([]byte, 1))
		return err
	}},
	{"write after the deadline", func(t *testing.T, s *system) error {
		c, _, _ := s.pair(t, "tcp")
		c.SetWriteDeadline(past)
		_, err := c.Write(make([]byte, 1))
		return err
	}},
	{"write that meets its deadline", func(t *testing.T, s *system) error {
		c, _, _ := s.pair(t, "tcp")
		c.SetWriteDeadline(time.Now().Add(time.Millisecond))
		_, err := c.Write(make([]byte, 64<<20))
		return err
	}},
	{"read closed", func(t *testing.T, s *system) error {
		c, _, _ := s.pair(t, "tcp")
		c.Close()
		_, err := c.Read(make([]byte, 1))
		return err
	}},
	{"write closed", func(t *testing.T, s *system) error {
		c, _, _ := s.pair(t, "tcp")
		c.Close()
		_, err := c.Write(make([]byte, 1))
		return err
	}},
	{"close twice", func(t *testing.T, s *system) error {
		c, _, _ := s.pair(t, "tcp")
		c.Close()
		return c.Close()
	}},
	{"set a closed connection's deadline", func(t *testing.T, s *system) error {
		c, _, _ := s.pair(t, "tcp")
		c.Close()
		return c.SetDeadline(past)
	}},
	{"set a closed connection's no delay", func(t *testing.T, s *system) error {
		c, _, _ := s.pair(t, "tcp")
		c.Close()
		return c.(interface{ SetNoDelay(bool) error }).SetNoDelay(true)
	}},
	{"set a closed connection's linger", func(t *testing.T, s *system) error {
		c, _, _ := s.pair(t, "tcp")
		c.Close()
		return c.(linger).SetLinger(0)
	}},
	{"set a closed connection's buffer", func(t *testing.T, s *system) error {
		c, _, _ := s.pair(t, "tcp")
		c.Close()
		return c.(interface{ SetReadBuffer(int) error }).SetReadBuffer(1)
	}},
	{"shut a closed connection", func(t *testing.T, s *system) error {
		c, _, _ := s.pair(t, "tcp")
		c.Close()
		return c.(closeWriter).CloseWrite()
	}},
	{"read the end", func(t *testing.T, s *system) error {
		c, accepted, _ := s.pair(t, "tcp")
		accepted.Close()
		_, err := c.Read(make([]byte, 1))
		return err
	}},
	{"read the end of nothing", func(t *testing.T, s *system) error {
		c, accepted, _ := s.pair(t, "tcp")
		accepted.Close()
		_, err := c.Read(nil)
		return err
	}},
	{"read nothing after the deadline", func(t *testing.T, s *system) error {
		c, _, _ := s.pair(t, "tcp")
		if err := c.SetReadDeadline(time.Unix(1, 0)); err != nil {
			return err
		}
		_, err := c.Read(nil)
		return err
	}},
	{"read nothing when closed", func(t *testing.T, s *system) error {
		c, _, _ := s.pair(t, "tcp")
		c.Close()
		_, err := c.Read(nil)
		return err
	}},
	{"read after CloseRead", func(t *testing.T, s *system) error {
		c, _, _ := s.pair(t, "tcp")
		if err := c.(closeWriter).CloseRead(); err != nil {
			return err
		}
		_, err := c.Read(make([]byte, 1))
		return err
	}},
	{"write after CloseWrite", func(t *testing.T, s *system) error {
		c, _, _ := s.pair(t, "tcp")
		if err := c.(closeWriter).CloseWrite(); err != nil {
			return err
		}
		_, err := c.Write([]byte("x"))
		return err
	}},
	{"read a reset", func(t *testing.T, s *system) error {
		c, accepted, _ := s.pair(t, "tcp")
		accepted.(linger).SetLinger(0)
		accepted.Close()
		_, err := c.Read(make([]byte, 1))
		return err
	}},
	{"write after a reset", func(t *testing.T, s *system) error {
		c, accepted, _ := s.pair(t, "tcp")
		accepted.(linger).SetLinger(0)
		accepted.Close()
		c.Read(make([]byte, 1))
		_, err := c.Write([]byte("x"))
		return err
	}},
}
