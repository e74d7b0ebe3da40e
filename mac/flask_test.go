// SPDX-License-Identifier: Apache-2.0

package mac_test

import (
	"syscall"
	"testing"
	"time"

	"dialtone"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// These are the statements of connect_secure(2) (October 1998), F1 to F13. What it says of both calls, F14 to F26, is in
// errors_test.go.

// F1, F2, F3, F5: connect_secure connects as connect does, and returns 0. Each SID is what the other end's host knows by
// the same context.
func TestStreamWithWantedPeer(t *testing.T) {
	everywhere(t, streams, func(w *world, p place, typ int) {
		l := w.listener(p, typ, httpd, "", false)
		a := p.client(w)
		c := w.socket(a, p.family, typ, client)
		w.check(a.ConnectSecure(c, p.addr(w), w.sid(a, httpd)), 0)
		s, _, peer, err := w.b.AcceptSecure(l, 0)
		w.check(err, 0)
		if got := w.context(w.b, peer); got != client {
			w.Errorf("T17: accept_secure: peer %s", got)
		}
		_, peer, err = a.GetpeernameSecure(c)
		w.check(err, 0)
		if got := w.context(a, peer); got != httpd {
			w.Errorf("T9: getpeername_secure at the client: %s", got)
		}
		_, peer, err = w.b.GetpeernameSecure(s)
		w.check(err, 0)
		if got := w.context(w.b, peer); got != client {
			w.Errorf("T9: getpeername_secure at the server: %s", got)
		}
		_, own, err := w.b.GetsocknameSecure(s)
		w.check(err, 0)
		if got := w.context(w.b, own); got != httpd {
			w.Errorf("T16: the accepted socket is %s", got)
		}
	})
}

// F11, T6, T23: the connection fails unless the listening socket has the SID; nobody is there to accept.
func TestStreamWithOtherPeer(t *testing.T) {
	everywhere(t, streams, func(w *world, p place, typ int) {
		l := w.listener(p, typ, httpd, "", false)
		w.check(w.b.SetNonblock(l, true), 0)
		a := p.client(w)
		c := w.socket(a, p.family, typ, client)
		w.check(a.ConnectSecure(c, p.addr(w), w.sid(a, proxy)), p.mismatch())
		_, _, err := w.b.Accept(l, 0)
		w.check(err, syscall.EAGAIN)
		// F13: a plain connect puts no condition on the peer.
		w.check(a.Connect(c, p.addr(w)), 0)
	})
}

// F12, T7, T8, T14, T16: the compared SID is the listener's, not that of the sockets that listen_secure asked for; the
// client learns the latter.
func TestListenSecureGivesAnotherSID(t *testing.T) {
	everywhere(t, streams, func(w *world, p place, typ int) {
		l := w.listener(p, typ, httpd, proxy, false)
		a := p.client(w)
		c := w.socket(a, p.family, typ, client)
		w.check(a.ConnectSecure(c, p.addr(w), w.sid(a, proxy)), p.mismatch())
		w.check(a.ConnectSecure(c, p.addr(w), w.sid(a, httpd)), 0)
		s, _, err := w.b.Accept(l, 0)
		w.check(err, 0)
		_, own, err := w.b.GetsocknameSecure(s)
		w.check(err, 0)
		_, peer, err := a.GetpeernameSecure(c)
		w.check(err, 0)
		if w.context(w.b, own) != proxy || w.context(a, peer) != proxy {
			w.Errorf("the server's socket is %s, the client sees %s", w.context(w.b, own), w.context(a, peer))
		}
	})
}

// T5, T16, T23: with useclient the server's socket has the client's SID.
func TestListenSecureUsesTheClientsSID(t *testing.T) {
	everywhere(t, streams, func(w *world, p place, typ int) {
		l := w.listener(p, typ, httpd, "", true)
		a := p.client(w)
		c := w.socket(a, p.family, typ, client)
		w.check(a.ConnectSecure(c, p.addr(w), w.sid(a, httpd)), 0)
		s, _, err := w.b.Accept(l, 0)
		w.check(err, 0)
		_, own, err := w.b.GetsocknameSecure(s)
		w.check(err, 0)
		if got := w.context(w.b, own); got != client {
			w.Errorf("the server's socket is %s", got)
		}
	})
}

// T4: 8, any_socket, accepts any peer.
func TestAnySocket(t *testing.T) {
	everywhere(t, all, func(w *world, p place, typ int) {
		if socket.Type(typ).ConnectionOriented() {
			w.listener(p, typ, httpd, "", false)
		} else {
			w.server(p, typ, httpd)
		}
		a := p.client(w)
		c := w.socket(a, p.family, typ, client)
		w.check(a.ConnectSecure(c, p.addr(w), 8), 0)
		_, err := a.Send(c, []byte("x"), 0)
		w.check(err, 0)
	})
}

// F9, T18, T20, T24: a datagram socket with a wanted peer sends to no other. Between internet hosts the receiving one
// says so by ICMP, which the next call tells.
func TestDatagramIsSentToWantedPeer(t *testing.T) {
	everywhere(t, datagrams, func(w *world, p place, typ int) {
		s := w.server(p, typ, httpd)
		a := p.client(w)
		c := w.socket(a, p.family, typ, client)
		if p.family == sockaddr.Unix {
			w.check(a.ConnectSecure(c, p.addr(w), w.sid(a, proxy)), syscall.EACCES)
		} else {
			w.check(a.ConnectSecure(c, p.addr(w), w.sid(a, proxy)), 0)
			_, err := a.Send(c, []byte("lost"), 0)
			w.check(err, 0)
			n, err := a.GetsockoptInt(c, socket.SolSocket, socket.SoError)
			w.check(err, 0)
			if syscall.Errno(n) != syscall.ECONNREFUSED {
				w.Errorf("SO_ERROR is %v", syscall.Errno(n))
			}
		}
		w.check(a.ConnectSecure(c, p.addr(w), w.sid(a, httpd)), 0)
		_, err := a.Send(c, []byte("heard"), 0)
		w.check(err, 0)
		room := make([]byte, 16)
		n, _, sender, message, err := w.b.RecvfromSecure(s, room, 0)
		w.check(err, 0)
		if string(room[:n]) != "heard" || w.context(w.b, sender) != client || sender != message {
			w.Errorf("got %q from %s, message %s", room[:n], w.context(w.b, sender), w.context(w.b, message))
		}
	})
}

// F4, F10, T20: a datagram from the right address with another SID is not delivered.
func TestDatagramIsHeardFromWantedPeer(t *testing.T) {
	everywhere(t, datagrams, func(w *world, p place, typ int) {
		s := w.server(p, typ, httpd)
		a := p.client(w)
		c := w.socket(a, p.family, typ, client)
		back := at(a.Host().Addresses()[0], port)
		switch p.family {
		case sockaddr.Inet6:
			back = at(a.Host().Addresses()[1], port)
		case sockaddr.Unix:
			back = sockaddr.OfUnix("\x00c").Raw()
		}
		w.check(a.Bind(c, back), 0)
		w.check(w.b.Connect(s, back), 0)
		// The wanted peer has the same address and another SID, so s is not it.
		wanted := syscall.Errno(0)
		if p.family == sockaddr.Unix {
			wanted = syscall.EACCES // the two meet at connect already
		}
		w.check(a.ConnectSecure(c, p.addr(w), w.sid(a, proxy)), wanted)
		if p.family == sockaddr.Unix {
			return
		}
		w.check(a.SetNonblock(c, true), 0)
		_, err := w.b.Send(s, []byte("from httpd_t"), 0)
		w.check(err, 0)
		_, err = a.Recv(c, make([]byte, 16), 0)
		w.check(err, syscall.EAGAIN)
		_, err = w.b.Send(s, []byte("again"), 0)
		w.check(err, syscall.ECONNREFUSED)
		// S6: a plain connect removes the condition.
		w.check(a.Connect(c, p.addr(w)), 0)
		_, err = w.b.Send(s, []byte("now"), 0)
		w.check(err, 0)
		room := make([]byte, 16)
		n, err := a.Recv(c, room, 0)
		w.check(err, 0)
		if string(room[:n]) != "now" {
			w.Errorf("got %q", room[:n])
		}
	})
}

// F4, F7, F8: a datagram socket connects many times, hears its peer alone, and is free after AF_UNSPEC; the SID condition
// goes with the association.
func TestDatagramAssociation(t *testing.T) {
	inWorld(t, func(w *world) {
		first, second := w.server(places[0], 2, httpd), w.socket(w.b, sockaddr.Inet, 2, proxy)
		other := at(w.b.Host().Addresses()[0], port+1)
		w.check(w.b.Bind(second, other), 0)
		c := w.socket(w.a, sockaddr.Inet, 2, client)
		w.check(w.a.SetNonblock(c, true), 0)
		here := at(w.a.Host().Addresses()[0], 4000)
		w.check(w.a.Bind(c, here), 0)
		w.check(w.a.ConnectSecure(c, places[0].addr(w), w.sid(w.a, httpd)), 0)
		w.check(w.a.ConnectSecure(c, other, w.sid(w.a, proxy)), 0)
		_, err := w.a.Send(c, []byte("x"), 0)
		w.check(err, 0)
		_, err = w.b.Recv(second, make([]byte, 1), 0)
		w.check(err, 0)
		_, err = w.b.Sendto(first, []byte("third party"), 0, here)
		w.check(err, 0)
		_, err = w.a.Recv(c, make([]byte, 1), 0)
		w.check(err, syscall.EAGAIN)
		_, peer, err := w.a.GetpeernameSecure(c)
		w.check(err, 0)
		if got := w.context(w.a, peer); got != proxy {
			w.Errorf("T18: the peer is %s", got)
		}
		w.check(w.a.ConnectSecure(c, sockaddr.Bytes(make([]byte, 16)), 0), 0)
		_, err = w.a.Send(c, []byte("x"), 0)
		w.check(err, syscall.EDESTADDRREQ)
		_, err = w.b.Sendto(first, []byte("anybody"), 0, here)
		w.check(err, 0)
		_, err = w.a.Recv(c, make([]byte, 16), 0)
		w.check(err, 0)
		_, _, err = w.a.GetpeernameSecure(c)
		w.check(err, syscall.ENOTCONN)
	})
}

// F22, S5, S8: without waiting the mismatch is told by SO_ERROR, once the socket is ready for writing; F23 meanwhile.
func TestNonBlocking(t *testing.T) {
	for _, c := range []struct {
		wanted string
		want   syscall.Errno
	}{{httpd, 0}, {proxy, syscall.ECONNREFUSED}} {
		inWorld(t, func(w *world) {
			w.check(w.network.Impair(latency(time.Second)), 0)
			w.listener(places[0], 1, httpd, "", false)
			fd := w.socket(w.a, sockaddr.Inet, 1|dialtone.SOCK_NONBLOCK, client)
			to, sid := places[0].addr(w), w.sid(w.a, c.wanted)
			w.check(w.a.ConnectSecure(fd, to, sid), syscall.EINPROGRESS)
			w.check(w.a.ConnectSecure(fd, to, sid), syscall.EALREADY)
			fds := []dialtone.PollFD{{FD: fd, Events: socket.Out}}
			if n, err := w.a.Poll(fds, -1); n != 1 || err != nil {
				w.Fatal(n, err)
			}
			n, err := w.a.GetsockoptInt(fd, socket.SolSocket, socket.SoError)
			w.check(err, 0)
			if syscall.Errno(n) != c.want {
				w.Errorf("SO_ERROR is %v, want %v", syscall.Errno(n), c.want)
			}
		})
	}
}

// EINTR interrupts connect_secure as it does connect; the attempt goes on.
func TestInterrupted(t *testing.T) {
	inWorld(t, func(w *world) {
		w.check(w.network.Impair(latency(time.Second)), 0)
		w.listener(places[0], 1, httpd, "", false)
		fd := w.socket(w.a, sockaddr.Inet, 1, client)
		time.AfterFunc(time.Second, func() { w.a.Interrupt(false) })
		to, sid := places[0].addr(w), w.sid(w.a, httpd)
		w.check(w.a.ConnectSecure(fd, to, sid), syscall.EINTR)
		w.check(w.a.ConnectSecure(fd, to, sid), 0)
	})
}

// Where both ends connect at once there is no listener, and the wanted SID is that of the other connecting socket.
func TestBothConnect(t *testing.T) {
	for _, c := range []struct {
		wanted string
		want   syscall.Errno
	}{{httpd, 0}, {proxy, syscall.ECONNREFUSED}} {
		inWorld(t, func(w *world) {
			w.check(w.network.Impair(latency(time.Second)), 0)
			here, there := at(w.a.Host().Addresses()[0], 4000), at(w.b.Host().Addresses()[0], 4000)
			fa := w.socket(w.a, sockaddr.Inet, 1|dialtone.SOCK_NONBLOCK, client)
			fb := w.socket(w.b, sockaddr.Inet, 1|dialtone.SOCK_NONBLOCK, httpd)
			w.check(w.a.Bind(fa, here), 0)
			w.check(w.b.Bind(fb, there), 0)
			w.check(w.a.ConnectSecure(fa, there, w.sid(w.a, c.wanted)), syscall.EINPROGRESS)
			w.check(w.b.ConnectSecure(fb, here, w.sid(w.b, client)), syscall.EINPROGRESS)
			time.Sleep(10 * time.Second)
			n, err := w.b.GetsockoptInt(fb, socket.SolSocket, socket.SoError)
			w.check(err, 0)
			if syscall.Errno(n) != c.want {
				w.Errorf("wanted %s: SO_ERROR is %v, want %v", c.wanted, syscall.Errno(n), c.want)
			}
			if c.want == 0 {
				_, peer, err := w.a.GetpeernameSecure(fa)
				w.check(err, 0)
				if got := w.context(w.a, peer); got != httpd {
					w.Errorf("the peer is %s", got)
				}
			}
		})
	}
}
