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

// TestTTL: 0 is no number of hops, but for IPv6 (do_ip_setsockopt, do_ipv6_setsockopt); and there are six ways to discover
// a path's MTU.
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
		{solIP, ipMTUDiscover, -1, errno.EINVAL},
		{solIP, ipMTUDiscover, 5, errno.OK},
		{solIPv6, ipv6MTUDiscover, 0, errno.OK},
		{solIPv6, ipv6MTUDiscover, 6, errno.EINVAL},
	} {
		c := &stream{stack: s, opts: &plainOptions, hold: hold{sock: &socket.Socket{Family: sockaddr.Inet6}}}
		if e := c.SetOption(nil, test.level, test.name, socket.Int(test.n)); e != test.want {
			t.Errorf("level %d, %d: %s, want %s", test.level, test.n, e.Name(), test.want.Name())
		}
	}
}

// TestByteOption: options of IP take one byte, those of others don't (do_ip_setsockopt, do_tcp_setsockopt).
func TestByteOption(t *testing.T) {
	s := New(socket.NewCore(clock.NewManual(), personality.Linux), 1)
	for _, test := range []struct {
		level, name int
		value       []byte
		want        errno.Errno
	}{
		{solIP, ipTTL, []byte{7}, errno.OK},
		{solIP, ipTTL, []byte{7, 1, 1}, errno.OK},
		{solIP, ipTTL, []byte{0}, errno.EINVAL},
		{solIP, ipTTL, nil, errno.EINVAL},
		{solIPv6, ipv6UnicastHops, []byte{7}, errno.EINVAL},
		{solTCP, tcpNoDelay, []byte{1}, errno.EINVAL},
	} {
		c := &stream{stack: s, opts: &plainOptions, hold: hold{sock: &socket.Socket{Family: sockaddr.Inet6}}}
		if e := c.SetOption(nil, test.level, test.name, test.value); e != test.want {
			t.Errorf("level %d, %d, % x: %s, want %s", test.level, test.name, test.value, e.Name(), test.want.Name())
		}
		if b, _ := c.Option(nil, solIP, ipTTL); test.want == errno.OK && socket.IntValue(b) != 7 {
			t.Errorf("% x: the TTL is % x", test.value, b)
		}
	}
}

// TestInfo_fresh: TCP_INFO of a socket that has done nothing (tcp_get_info).
func TestInfo_fresh(t *testing.T) {
	c := &stream{stack: New(socket.NewCore(clock.NewManual(), personality.Linux), 1), opts: &plainOptions}
	b := c.info()
	if b[0] != 7 || b[1] != 0 || socket.IntValue(b[24:]) != 0 || socket.IntValue(b[84:]) != 0 {
		t.Errorf("% x", b)
	}
}
