// SPDX-License-Identifier: Apache-2.0

package mac_test

import (
	"errors"
	"net/netip"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"dialtone"
	"dialtone/firewall"
	"dialtone/link"
	"dialtone/mac"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// The errors that connect_secure(2) lists, F14 to F26, each by a plain connect and by one with a wanted SID: what the page
// says of connect holds for both (F2).
func TestListedErrors(t *testing.T) {
	stream := func(w *world) int { return w.socket(w.a, sockaddr.Inet, 1, "") }
	toServer := func(w *world) sockaddr.Raw { return places[0].addr(w) }
	for _, c := range []struct {
		id   string
		want syscall.Errno
		do   func(w *world, connect func(fd int, to sockaddr.Raw) error) error
	}{
		{"F14", syscall.EBADF, func(w *world, connect func(int, sockaddr.Raw) error) error { return connect(99, toServer(w)) }},
		{"F15", syscall.EFAULT, func(w *world, connect func(int, sockaddr.Raw) error) error {
			return connect(stream(w), sockaddr.Raw{Mem: []byte{2, 0}, Len: 16})
		}},
		{"F16", syscall.ENOTSOCK, func(w *world, connect func(int, sockaddr.Raw) error) error {
			fd, err := w.a.EpollCreate()
			w.check(err, 0)
			return connect(fd, toServer(w))
		}},
		{"F17, F6", syscall.EISCONN, func(w *world, connect func(int, sockaddr.Raw) error) error {
			w.listener(places[0], 1, httpd, "", false)
			fd := stream(w)
			w.check(connect(fd, toServer(w)), 0)
			return connect(fd, toServer(w))
		}},
		{"F18", syscall.ECONNREFUSED, func(w *world, connect func(int, sockaddr.Raw) error) error { return connect(stream(w), toServer(w)) }},
		{"F19", syscall.ETIMEDOUT, func(w *world, connect func(int, sockaddr.Raw) error) error {
			w.b.Host().Firewall(func(f *firewall.Firewall) { f.Input.Policy.Action = firewall.Drop })
			return connect(stream(w), toServer(w))
		}},
		{"F20", syscall.ENETUNREACH, func(w *world, connect func(int, sockaddr.Raw) error) error {
			return connect(stream(w), at(netip.MustParseAddr("203.0.113.1"), port))
		}},
		{"F21, F26 EADDRNOTAVAIL", syscall.EADDRNOTAVAIL, func(w *world, connect func(int, sockaddr.Raw) error) error {
			// Linux answers EADDRNOTAVAIL where the page has EADDRINUSE: both ends of a connection are in use.
			w.listener(places[0], 1, httpd, "", false)
			var err error
			for range 2 {
				fd := stream(w)
				w.check(w.a.SetsockoptInt(fd, socket.SolSocket, socket.SoReuseAddr, 1), 0)
				w.check(w.a.Bind(fd, at(w.a.Host().Addresses()[0], 4000)), 0)
				err = connect(fd, toServer(w))
			}
			return err
		}},
		{"F22", syscall.EINPROGRESS, func(w *world, connect func(int, sockaddr.Raw) error) error {
			w.check(w.network.Impair(latency(time.Second)), 0)
			return connect(w.socket(w.a, sockaddr.Inet, 1|dialtone.SOCK_NONBLOCK, ""), toServer(w))
		}},
		{"F23", syscall.EALREADY, func(w *world, connect func(int, sockaddr.Raw) error) error {
			w.check(w.network.Impair(link.Rule{Action: link.Drop}), 0)
			fd := w.socket(w.a, sockaddr.Inet, 1|dialtone.SOCK_NONBLOCK, "")
			w.check(connect(fd, toServer(w)), syscall.EINPROGRESS)
			return connect(fd, toServer(w))
		}},
		{"F24, F26 EAFNOSUPPORT", syscall.EAFNOSUPPORT, func(w *world, connect func(int, sockaddr.Raw) error) error {
			b := append([]byte(nil), toServer(w).Mem...)
			b[0] = 99
			return connect(stream(w), sockaddr.Bytes(b))
		}},
		{"F25", syscall.EACCES, func(w *world, connect func(int, sockaddr.Raw) error) error {
			return connect(w.socket(w.a, sockaddr.Inet, 2, ""), at(netip.MustParseAddr("10.255.255.255"), port))
		}},
		{"F26 EINVAL", syscall.EINVAL, func(w *world, connect func(int, sockaddr.Raw) error) error {
			return connect(stream(w), sockaddr.Bytes(toServer(w).Mem[:8]))
		}},
		{"F26 EPROTOTYPE", syscall.EPROTOTYPE, func(w *world, connect func(int, sockaddr.Raw) error) error {
			fd, err := w.a.Socket(sockaddr.Unix, 2, 0)
			w.check(err, 0)
			w.check(w.a.Bind(fd, sockaddr.OfUnix("/tmp/d").Raw()), 0)
			return connect(w.socket(w.a, sockaddr.Unix, 1, ""), sockaddr.OfUnix("/tmp/d").Raw())
		}},
	} {
		for _, wanted := range []string{"", httpd} {
			t.Run(c.id+" "+wanted, func(t *testing.T) {
				inWorld(t, func(w *world) {
					connect := w.a.Connect
					if wanted != "" {
						connect = func(fd int, to sockaddr.Raw) error { return w.a.ConnectSecure(fd, to, w.sid(w.a, wanted)) }
					}
					w.check(c.do(w, connect), c.want)
				})
			})
		}
	}
}

// Where nobody has spoken of access control the first call of the family brings the default policy to all hosts. What was
// there before, and who has no label, may do everything.
func TestAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, network: dialtone.NewNetwork()}
		w.a, w.b = w.network.Host("a").NewProcess(), w.network.Host("b").NewProcess()
		l, err := w.b.Socket(sockaddr.Inet, 1, 0)
		w.check(err, 0)
		w.check(w.b.Bind(l, places[0].bound), 0)
		w.check(w.b.Listen(l, 5), 0)
		c, err := w.a.SocketSecure(sockaddr.Inet, 1, 0, 0)
		w.check(err, 0)
		w.check(w.a.ConnectSecure(c, places[0].addr(w), w.sid(w.a, free)), 0)
		_, peer, err := w.a.GetpeernameSecure(c)
		w.check(err, 0)
		if got := w.context(w.a, peer); got != free {
			w.Errorf("the peer is %s", got)
		}
		// A host that is added later is under it, too.
		if got := w.network.Host("late").NewProcess().Context(); got != free {
			w.Errorf("a process on a new host is %q", got)
		}
	})
}

// A host without access control says nothing of its sockets: who wants a SID there is refused, and so is nobody else.
func TestPeerWithoutLabels(t *testing.T) {
	inWorld(t, func(w *world) {
		bare, err := w.network.NewHost("bare", w.a.Host().Core().Personality)
		w.check(err, 0)
		_, err = bare.Attach("eth0", w.network.Hub(), netip.MustParsePrefix("10.9.0.1/8"))
		w.check(err, 0)
		bare.Access().SetMode(mac.Off)
		p := bare.NewProcess()
		l, err := p.Socket(sockaddr.Inet, 1, 0)
		w.check(err, 0)
		w.check(p.Bind(l, places[0].bound), 0)
		w.check(p.Listen(l, 5), 0)
		to := at(netip.MustParseAddr("10.9.0.1"), port)
		w.check(w.a.ConnectSecure(w.socket(w.a, sockaddr.Inet, 1, client), to, w.sid(w.a, httpd)), syscall.ECONNREFUSED)
		c := w.socket(w.a, sockaddr.Inet, 1, client)
		w.check(w.a.ConnectSecure(c, to, 0), 0)
		_, peer, err := w.a.GetpeernameSecure(c)
		w.check(err, 0)
		if got := w.context(w.a, peer); got != "system_u:object_r:netmsg_t:s0" {
			w.Errorf("the peer is %s", got)
		}
	})
}

// A context that the receiving host's policy does not know is that of unlabeled there.
func TestUnknownContext(t *testing.T) {
	inWorld(t, func(w *world) {
		more := "(type guest_t)(typeattributeset domain (guest_t))(typeattributeset confined (guest_t))(typeattributeset anything (guest_t))(roletype system_r guest_t)\n(type kernel_t)"
		text := w.policyText("(type kernel_t)", more)
		w.check(w.a.Host().SetPolicy(text), 0)
		guest := "system_u:system_r:guest_t:s0"
		s := w.server(places[0], 2, free)
		c := w.socket(w.a, sockaddr.Inet, 2, guest)
		_, err := w.a.Sendto(c, []byte("x"), 0, places[0].addr(w))
		w.check(err, 0)
		_, _, sender, _, err := w.b.RecvfromSecure(s, make([]byte, 1), 0)
		w.check(err, 0)
		if got := w.context(w.b, sender); sender != 3 || got != "system_u:object_r:unlabeled_t:s0" {
			w.Errorf("the sender is %d, %s", sender, got)
		}
		if _, err := w.b.SecurityContextToSID(guest); !errors.Is(err, syscall.EINVAL) {
			w.Error(err)
		}
	})
}
