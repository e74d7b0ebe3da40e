// SPDX-License-Identifier: Apache-2.0

package dialtone_test

import (
	"errors"
	"net/netip"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"dialtone"
	"dialtone/link"
	"dialtone/personality"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// TestNeighbours_bounded: a host waits for 1,024 silent neighbours of IPv4, and as many of IPv6, and what is for one more
// is lost; who is told of it was seen on Linux 6.18, and how long a connect takes then.
func TestNeighbours_bounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := dialtone.NewNetwork()
		h, err := n.NewHost("scanner.test", personality.Linux)
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.Attach("eth0", link.NewHub(0), netip.MustParsePrefix("10.8.0.1/16"), netip.MustParsePrefix("fd08::1/64"))
		if err != nil {
			t.Fatal(err)
		}
		p := h.NewProcess()
		next := uint16(0x100)
		// send sends eight bytes to an address that nobody has asked for yet.
		send := func(family sockaddr.Family, typ socket.Type, protocol int, options ...int) error {
			next++
			ip := netip.AddrFrom4([4]byte{10, 8, byte(next >> 8), byte(next)})
			if family == sockaddr.Inet6 {
				ip = netip.AddrFrom16([16]byte{0: 0xfd, 1: 0x08, 14: byte(next >> 8), 15: byte(next)})
			}
			to := sockaddr.Addr{Family: family, IP: ip}
			if typ == socket.Dgram && protocol == 0 {
				to.Port = 9
			}
			fd, err := p.Socket(family, int(typ), protocol)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close(fd)
			for _, o := range options {
				if err := p.SetsockoptInt(fd, syscall.IPPROTO_IP, o, 1); err != nil {
					t.Fatal(err)
				}
			}
			echo := byte(8)
			if family == sockaddr.Inet6 {
				echo = 128
			}
			_, err = p.Sendto(fd, []byte{echo, 0, 0, 0, 0, 0, 0, 0}, 0, to.Raw())
			return err
		}
		h.Stack().Sysctl.PingGroupFirst, h.Stack().Sysctl.PingGroupLast = 0, 0
		fill := func() {
			for range 1024 {
				for _, family := range []sockaddr.Family{sockaddr.Inet, sockaddr.Inet6} {
					if err := send(family, socket.Dgram, 0); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		fill()
		const ipRecvErr = 11
		for _, c := range []struct {
			name     string
			family   sockaddr.Family
			typ      socket.Type
			protocol int
			options  []int
			want     error
		}{
			{"UDP", sockaddr.Inet, socket.Dgram, 0, nil, nil},
			{"UDP, IP_RECVERR", sockaddr.Inet, socket.Dgram, 0, []int{ipRecvErr}, syscall.ENOBUFS},
			{"raw", sockaddr.Inet, socket.Raw, 1, nil, nil},
			{"raw, IP_RECVERR", sockaddr.Inet, socket.Raw, 1, []int{ipRecvErr}, syscall.ENOBUFS},
			{"ping", sockaddr.Inet, socket.Dgram, 1, nil, syscall.ENOBUFS},
			{"UDP, IPv6", sockaddr.Inet6, socket.Dgram, 0, nil, syscall.EINVAL},
			{"raw, IPv6", sockaddr.Inet6, socket.Raw, 58, nil, syscall.EINVAL},
			{"ping, IPv6", sockaddr.Inet6, socket.Dgram, 58, nil, nil},
		} {
			if err := send(c.family, c.typ, c.protocol, c.options...); !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", c.name, err, c.want)
			}
		}
		// The SYNs of the first three seconds are lost; the next one's neighbour is asked for three more.
		start := time.Now()
		_, err = h.Dial("tcp", "10.8.200.1:80")
		if got := time.Since(start); !errors.Is(err, syscall.EHOSTUNREACH) || got != 6*time.Second {
			t.Errorf("connect: %v after %v, want EHOSTUNREACH after 6 s", err, got)
		}
		fill() // once they are given up there is room for as many
	})
}
