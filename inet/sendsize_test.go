// SPDX-License-Identifier: Apache-2.0

package inet_test

import (
	"errors"
	"math"
	"net/netip"
	"testing"

	"dialtone"
	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// TestSend_size: how much a datagram carries, and what is asked before it is too long. By experiment on Linux 6.18, on lo
// and on a link with an MTU of 1500.
func TestSend_size(t *testing.T) {
	n := dialtone.NewNetwork()
	host, b := n.Host("a.test"), n.Host("b.test")
	host.Stack().Sysctl.PingGroupFirst, host.Stack().Sysctl.PingGroupLast = 0, math.MaxInt32
	a := host.NewProcess()
	far := sockaddr.Of(netip.AddrPortFrom(b.Addresses()[0], 0))
	near, near6 := sockaddr.Of(netip.MustParseAddrPort("127.0.0.1:9")), sockaddr.Of(netip.MustParseAddrPort("[::1]:9"))
	raw6 := near6
	raw6.Port = 0
	const udp, icmp, icmp6, other = 17, 1, 58, 253
	for _, c := range []struct {
		name     string
		family   sockaddr.Family
		typ      socket.Type
		protocol int
		to       sockaddr.Addr
		first    string // what the data begin with
		fits     int    // 0: nothing
		fails    int
		want     errno.Errno
	}{
		{"UDP", sockaddr.Inet, socket.Dgram, udp, near, "", 65507, 65508, errno.EMSGSIZE},
		{"UDP over IPv6", sockaddr.Inet6, socket.Dgram, udp, near6, "", 65527, 65528, errno.EMSGSIZE},
		{"ping", sockaddr.Inet, socket.Dgram, icmp, near, "\x08", 65515, 65516, errno.EMSGSIZE},
		{"ping over IPv6", sockaddr.Inet6, socket.Dgram, icmp6, near6, "\x80", 65535, 65536, errno.EMSGSIZE},
		{"raw", sockaddr.Inet, socket.Raw, other, near, "", 65515, 65516, errno.EMSGSIZE},
		{"raw over IPv6", sockaddr.Inet6, socket.Raw, other, raw6, "", 65535, 65536, errno.EMSGSIZE},
		{"with its header", sockaddr.Inet, socket.Raw, 255, far, header4, 1500, 1501, errno.EMSGSIZE},
		{"less than a header", sockaddr.Inet, socket.Raw, 255, far, header4, 20, 19, errno.EINVAL},
		{"no way is worse", sockaddr.Inet, socket.Dgram, udp, sockaddr.Of(netip.MustParseAddrPort("203.0.113.1:9")), "", 0, 65508, errno.ENETUNREACH},
		{"but not than 64 KiB", sockaddr.Inet, socket.Dgram, udp, sockaddr.Of(netip.MustParseAddrPort("203.0.113.1:9")), "", 0, 65536, errno.EMSGSIZE},
	} {
		t.Run(c.name, func(t *testing.T) {
			fd, err := a.Socket(c.family, int(c.typ), c.protocol)
			if err != nil {
				t.Fatal(err)
			}
			defer a.Close(fd)
			data := make([]byte, 1<<17)
			copy(data, c.first)
			if c.fits != 0 {
				if n, err := a.Sendto(fd, data[:c.fits], 0, c.to.Raw()); n != c.fits || err != nil {
					t.Errorf("%d bytes: %d, %v", c.fits, n, err)
				}
			}
			if _, err := a.Sendto(fd, data[:c.fails], 0, c.to.Raw()); !errors.Is(err, c.want.Syscall()) {
				t.Errorf("%d bytes: %v, want %s", c.fails, err, c.want.Name())
			}
		})
	}
}

// header4 is an IPv4 header without options of a packet of protocol 253 to 127.0.0.1.
const header4 = "\x45\x00\x00\x00\x00\x00\x00\x00\x40\xfd\x00\x00\x00\x00\x00\x00\x7f\x00\x00\x01"

// TestRawSend_headerBeforeShutdown: less than a header is EINVAL even where nothing may be sent any more (raw_send_hdrinc).
func TestRawSend_headerBeforeShutdown(t *testing.T) {
	p := dialtone.NewNetwork().Host("a.test").NewProcess()
	fd, err := p.Socket(sockaddr.Inet, int(socket.Raw), 255)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Connect(fd, sockaddr.Of(netip.MustParseAddrPort("127.0.0.1:0")).Raw()); err != nil {
		t.Fatal(err)
	}
	if err := p.Shutdown(fd, socket.ShutWR); err != nil {
		t.Fatal(err)
	}
	for length, want := range map[int]errno.Errno{10: errno.EINVAL, 20: errno.EPIPE} {
		if _, err := p.Send(fd, []byte(header4)[:length], 0); !errors.Is(err, want.Syscall()) {
			t.Errorf("%d bytes: %v, want %s", length, err, want.Name())
		}
	}
}
