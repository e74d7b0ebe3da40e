// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"testing"

	"dialtone/clock"
	"dialtone/errno"
	"dialtone/personality"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// TestDeferAccept: TCP_DEFER_ACCEPT reads back as what so many retransmissions take. By experiment on Linux 6.18.
func TestDeferAccept(t *testing.T) {
	c := &stream{stack: New(socket.NewCore(clock.NewManual(), personality.Linux), 1), opts: &plainOptions}
	for _, test := range []struct{ set, get int }{
		{-1, 0},
		{0, 0},
		{1, 1},
		{2, 3},
		{4, 7},
		{8, 15},
		{100, 127},
		{3248, 3367},
		{29887, 29887},
		{29888, 29887},
		{1e9, 29887},
	} {
		if e := c.SetOption(nil, solTCP, tcpDeferAccept, socket.Int(test.set)); e != errno.OK {
			t.Errorf("%d: %s", test.set, e.Name())
		}
		if b, e := c.Option(nil, solTCP, tcpDeferAccept); e != errno.OK || socket.IntValue(b) != test.get {
			t.Errorf("%d: %d, %s; want %d", test.set, socket.IntValue(b), e.Name(), test.get)
		}
	}
}

// TestTTL: 0 is no number of hops, but for IPv6 (do_ip_setsockopt, do_ipv6_setsockopt).
func TestTTL(t *testing.T) {
	s := New(socket.NewCore(clock.NewManual(), personality.Linux), 1)
	for _, test := range []struct {
		level, name, n int
		want           errno.Errno
	}{
		{solIP, ipTTL, 0, errno.EINVAL},
		{solIP, ipTTL, -1, errno.OK},
		{solIP, ipTTL, 255, errno.OK},
		{solIP, ipTTL, 256, errno.EINVAL},
		{solIPv6, ipv6UnicastHops, 0, errno.OK},
		{solIPv6, ipv6UnicastHops, -2, errno.EINVAL},
	} {
		c := &stream{stack: s, opts: &plainOptions, hold: hold{sock: &socket.Socket{Family: sockaddr.Inet6}}}
		if e := c.SetOption(nil, test.level, test.name, socket.Int(test.n)); e != test.want {
			t.Errorf("level %d, %d: %s, want %s", test.level, test.n, e.Name(), test.want.Name())
		}
	}
}
