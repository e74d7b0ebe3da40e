// SPDX-License-Identifier: Apache-2.0

package dialtone_test

import (
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"dialtone"
)

// TestSameWords asks package net and a host to dial and listen in odd words, and wants the same of both: where it leads,
// or what is wrong with it.
func TestSameWords(t *testing.T) {
	if l, err := net.Listen("tcp6", "[::1]:0"); err != nil {
		t.Skip("this machine has no IPv6: ", err)
	} else {
		l.Close()
	}
	h := dialtone.NewNetwork().Host("host.test")
	type system struct {
		dial   func(network, address string) (net.Conn, error)
		listen func(network, address string) (net.Listener, error)
		packet func(network, address string) (net.PacketConn, error)
	}
	do := func(s *system, op, network, address string) string {
		var c interface {
			Close() error
			LocalAddr() net.Addr
			RemoteAddr() net.Addr
		}
		var err error
		switch op {
		case "dial":
			c, err = s.dial(network, address)
		case "listen":
			var l net.Listener
			if l, err = s.listen(network, address); err == nil {
				defer l.Close()
				return where(l.Addr(), nil)
			}
		case "packet":
			var p net.PacketConn
			if p, err = s.packet(network, address); err == nil {
				defer p.Close()
				return where(p.LocalAddr(), nil)
			}
		}
		if err != nil {
			if errors.Is(err, os.ErrPermission) || errors.Is(err, syscall.EADDRINUSE) {
				return "" // it is root's alone, or somebody else's
			}
			return err.Error()
		}
		defer c.Close()
		return where(c.LocalAddr(), c.RemoteAddr())
	}
	real, ours := &system{net.Dial, net.Listen, net.ListenPacket}, &system{h.Dial, h.Listen, h.ListenPacket}
	for _, network := range []string{"tcp", "tcp4", "tcp6", "udp", "udp4", "udp6", "tcp5", "TCP", ""} {
		for _, address := range []string{
			"", ":", "[::1]", "[::1]:", "127.0.0.1", "127.0.0.1:", "127.0.0.1:1", "127.0.0.1:http", "a:b:c", "127.0.0.1:-1", ":0001",
			"127.0.0.1:+1", "[::ffff:127.0.0.1]:1", "[::1]]:1", "[[::1]:1", "127.0.0.1:1:2", "127.0.0.1:65536", "127.0.0.1:0",
			"[::]:1", "[::]:0", ":1", "[]:1", "127.0.0.1:DOMAIN", "127.0.0.1: 1", "[127.0.0.1]:1", "224.0.0.251:9999", "[ff02::fb]:9999",
			"[fe80::1%none]:1",
		} {
			for _, op := range []string{"dial", "listen", "packet"} {
				if op == "dial" && strings.HasSuffix(address, "9999") {
					continue // that is the machine's routes
				}
				want, got := do(real, op, network, address), do(ours, op, network, address)
				if want != got && want != "" && !wrongType(want) {
					t.Errorf("%s %s %q: %s, package net: %s", op, network, address, got, want)
				}
			}
		}
	}
}

// wrongType says whether an error is about a network that has no such sockets; of a wildcard package net names either version.
func wrongType(text string) bool { return strings.Contains(text, "unexpected address type") }

// where says where a socket is and leads to; ports of nobody's choice are any.
func where(local, remote net.Addr) string {
	if remote != nil {
		return where(local, nil) + " to " + where(remote, nil)
	}
	s := local.String()
	port := strings.LastIndex(s, ":")
	if p := s[port:]; p != ":0" && p != ":1" && p != ":9999" {
		return s[:port] + ":any"
	}
	return s
}
