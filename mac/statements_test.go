// SPDX-License-Identifier: Apache-2.0

package mac_test

import (
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"dialtone"
	"dialtone/selinux"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/trail"
)

// These are statements on the calls of 2000 to 2002, T1 to T27 of the notes in docs/decisions/0008, each with the rule that
// it takes away or adds. Those that are not here are in flask_test.go.

// connectTo has a client connect with and without a wanted peer, and returns the error.
func connectTo(w *world, p place, peer uint32) error {
	a := p.client(w)
	c := w.socket(a, p.family, 1, client)
	return a.ConnectSecure(c, p.addr(w), peer)
}

const (
	anyTwo     = "(allow confined domain (tcp_socket (connectto acceptfrom newconn recvfrom sendto recv_msg send_msg)))"
	anyTwoUDP  = "(allow confined domain (udp_socket (recvfrom sendto recv_msg send_msg)))"
	anyTwoUnix = "(allow confined domain (unix_stream_socket (connectto acceptfrom newconn recvfrom sendto)))"
)

func TestStatements(t *testing.T) {
	inet, unix := places[0], places[2]
	for _, c := range []struct {
		id     string
		policy []string // old and new text
		do     func(w *world) error
		want   syscall.Errno
	}{
		{"T1 create is checked", nil, func(w *world) error {
			p := w.as(w.a, client)
			_, err := p.SocketSecure(sockaddr.Inet, 1, 0, w.sid(w.a, httpd))
			return err
		}, syscall.EACCES},
		{"T1 a SID nobody gave out", nil, func(w *world) error {
			_, err := w.a.SocketSecure(sockaddr.Inet, 1, 0, 12345)
			return err
		}, syscall.EINVAL},
		{"T2 no peer yet", nil, func(w *world) error {
			_, _, err := w.a.GetpeernameSecure(w.socket(w.a, sockaddr.Inet, 1, ""))
			return err
		}, syscall.ENOTCONN},
		{"T3 the exact length of an address", nil, func(w *world) error {
			c := w.socket(w.a, sockaddr.Inet, 1, client)
			return w.a.ConnectSecure(c, sockaddr.Bytes(append(inet.addr(w).Mem, 0)), w.sid(w.a, httpd))
		}, syscall.EINVAL},
		{"T3 the node must be trusted", []string{"(allow confined node_type (node (recvfrom sendto enforce_dest)))", ""}, func(w *world) error {
			w.listener(inet, 1, httpd, "", false)
			return connectTo(w, inet, w.sid(w.a, httpd))
		}, syscall.EACCES},
		{"S3 a wanted SID nobody gave out", nil, func(w *world) error { return connectTo(w, inet, 12345) }, syscall.EINVAL},
		{"T5 acceptfrom; T11 its denial is silent", []string{anyTwo, strings.Replace(anyTwo, "acceptfrom", "", 1)}, func(w *world) error {
			w.listener(inet, 1, httpd, "", false)
			return connectTo(w, inet, 0)
		}, syscall.ETIMEDOUT},
		{"T5 recvfrom at the server", []string{anyTwo, "(allow client_t domain (tcp_socket (connectto recvfrom)))(allow httpd_t domain (tcp_socket (acceptfrom)))"}, func(w *world) error {
			w.listener(inet, 1, httpd, "", false)
			return connectTo(w, inet, 0)
		}, syscall.ETIMEDOUT},
		{"T5 newconn with useclient", []string{anyTwo, strings.Replace(anyTwo, "newconn", "", 1)}, func(w *world) error {
			w.listener(inet, 1, httpd, "", true)
			return connectTo(w, inet, 0)
		}, syscall.ETIMEDOUT},
		{"T8 connectto at the client", []string{anyTwo, "(allow httpd_t domain (tcp_socket (acceptfrom recvfrom)))(allow client_t domain (tcp_socket (recvfrom)))"}, func(w *world) error {
			w.listener(inet, 1, httpd, "", false)
			return connectTo(w, inet, 0)
		}, syscall.ETIMEDOUT},
		{"T12 one or the other", nil, func(w *world) error {
			return w.b.ListenSecure(w.server(inet, 1, httpd), 1, w.sid(w.b, proxy), true)
		}, syscall.EINVAL},
		{"T12 listen itself first", nil, func(w *world) error {
			fd := w.server(inet, 1, httpd)
			p := w.as(w.b, client)
			return withSocket(w, w.b, fd, p, func(fd int) error { return p.ListenSecure(fd, 1, w.sid(w.b, proxy), true) })
		}, syscall.EACCES},
		{"T13 datagrams", nil, func(w *world) error {
			return w.b.ListenSecure(w.server(inet, 2, httpd), 1, w.sid(w.b, proxy), false)
		}, syscall.EOPNOTSUPP},
		{"T14 newconn", []string{anyTwo, strings.Replace(anyTwo, "newconn", "", 1)}, func(w *world) error {
			return w.b.ListenSecure(w.server(inet, 1, httpd), 1, w.sid(w.b, proxy), false)
		}, syscall.EACCES},
		{"T14 equal SIDs need none", []string{anyTwo, strings.Replace(anyTwo, "newconn", "", 1)}, func(w *world) error {
			return w.b.ListenSecure(w.server(inet, 1, httpd), 1, w.sid(w.b, httpd), false)
		}, 0},
		{"T16 accept, before there is anybody", nil, func(w *world) error {
			fd := w.listener(inet, 1, httpd, "", false)
			p := w.as(w.b, client)
			return withSocket(w, w.b, fd, p, func(fd int) error { _, _, err := p.Accept(fd, 0); return err })
		}, syscall.EACCES},
		{"T19 the receiver's node", []string{"(allow confined node_type (node (recvfrom sendto enforce_dest)))", ""}, func(w *world) error {
			return sendTo(w, inet.addr(w), w.sid(w.a, httpd), 0)
		}, syscall.EACCES},
		{"T19 the exact length of an address", nil, func(w *world) error {
			return sendTo(w, sockaddr.Bytes(append(inet.addr(w).Mem, 0)), w.sid(w.a, httpd), 0)
		}, syscall.EINVAL},
		{"T19 not connected", nil, func(w *world) error { return sendTo(w, sockaddr.Raw{}, w.sid(w.a, httpd), 0) }, syscall.ENOTCONN},
		{"T19 sendto", []string{anyTwoUDP, ""}, func(w *world) error {
			return sendTo(w, inet.addr(w), w.sid(w.a, httpd), 0)
		}, syscall.EACCES},
		{"T19 send_msg", []string{anyTwoUDP, strings.Replace(anyTwoUDP, "send_msg", "", 1)}, func(w *world) error {
			return sendTo(w, inet.addr(w), 0, w.sid(w.a, proxy))
		}, syscall.EACCES},
		{"T21 sendto anybody", []string{"(allow confined any_socket_t (udp_socket (sendto)))", ""}, func(w *world) error {
			return sendTo(w, inet.addr(w), 0, 0)
		}, syscall.EACCES},
		{"T22 another message SID", nil, func(w *world) error { return sendOn(w, inet, 0, w.sid(w.a, proxy)) }, syscall.EINVAL},
		{"T22 another receiver", nil, func(w *world) error { return sendOn(w, inet, w.sid(w.a, proxy), 0) }, syscall.EACCES},
		{"T22 the peer", nil, func(w *world) error { return sendOn(w, inet, w.sid(w.a, httpd), w.sid(w.a, client)) }, 0},
		{"T22 unix, another message SID", nil, func(w *world) error { return sendOn(w, unix, 0, w.sid(w.b, proxy)) }, syscall.EINVAL},
		{"T23 connectto", []string{anyTwoUnix, ""}, func(w *world) error {
			w.listener(unix, 1, httpd, "", false)
			return connectTo(w, unix, 0)
		}, syscall.EACCES},
		{"T23 newconn with useclient", []string{anyTwoUnix, strings.Replace(anyTwoUnix, "newconn", "", 1)}, func(w *world) error {
			w.listener(unix, 1, httpd, "", true)
			return connectTo(w, unix, 0)
		}, syscall.EACCES},
		{"T24 sendto", []string{"(allow confined domain (unix_dgram_socket (recvfrom sendto)))", ""}, func(w *world) error {
			w.server(unix, 2, httpd)
			c := w.socket(w.b, sockaddr.Unix, 2, client)
			_, err := w.b.Sendto(c, []byte("x"), 0, unix.addr(w))
			return err
		}, syscall.EACCES},
		{"T24 the receiver's peer", nil, func(w *world) error {
			s := w.server(unix, 2, httpd)
			c := w.socket(w.b, sockaddr.Unix, 2, client)
			w.check(w.b.Bind(c, sockaddr.OfUnix("\x00c").Raw()), 0)
			w.check(w.b.ConnectSecure(s, sockaddr.OfUnix("\x00c").Raw(), w.sid(w.b, proxy)), syscall.EACCES)
			_, err := w.b.SendtoSecure(c, []byte("x"), 0, unix.addr(w), w.sid(w.b, proxy), 0)
			return err
		}, syscall.EACCES},
	} {
		t.Run(c.id, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.setPolicy(c.policy...)
				w.check(c.do(w), c.want)
			})
		})
	}
}

// withSocket has another process of the host use a socket.
func withSocket(w *world, from *dialtone.Process, fd int, to *dialtone.Process, f func(fd int) error) error {
	w.Helper()
	got, err := to.Getfd(from, fd)
	w.check(err, 0)
	return f(got)
}

// sendTo sends a datagram with sendto_secure from a client's socket.
func sendTo(w *world, to sockaddr.Raw, receiver, message uint32) error {
	c := w.socket(w.a, sockaddr.Inet, 2, client)
	_, err := w.a.SendtoSecure(c, []byte("x"), 0, to, receiver, message)
	return err
}

// sendOn sends on a connection with sendto_secure.
func sendOn(w *world, p place, receiver, message uint32) error {
	l := w.listener(p, 1, httpd, "", false)
	a := p.client(w)
	c := w.socket(a, p.family, 1, client)
	w.check(a.Connect(c, p.addr(w)), 0)
	_, err := a.SendtoSecure(c, []byte("x"), 0, sockaddr.Raw{}, receiver, message)
	if err != nil {
		return err
	}
	s, _, err := w.b.Accept(l, 0)
	w.check(err, 0)
	_, _, sender, msg, err := w.b.RecvfromSecure(s, make([]byte, 1), 0)
	w.check(err, 0)
	if w.context(w.b, sender) != client || sender != msg {
		w.Errorf("T22: received from %s, message %s", w.context(w.b, sender), w.context(w.b, msg))
	}
	return nil
}

// T15: plain listen after listen_secure resets what that said.
func TestListenResets(t *testing.T) {
	inWorld(t, func(w *world) {
		l := w.listener(places[0], 1, httpd, proxy, false)
		w.check(w.b.Listen(l, 5), 0)
		w.check(connectTo(w, places[0], 0), 0)
		s, _, err := w.b.Accept(l, 0)
		w.check(err, 0)
		_, own, err := w.b.GetsocknameSecure(s)
		w.check(err, 0)
		if got := w.context(w.b, own); got != httpd {
			w.Errorf("the accepted socket is %s", got)
		}
	})
}

// T20: a message with a SID of its own needs recv_msg at the receiver, and is received with it.
func TestMessageSID(t *testing.T) {
	for _, permitted := range []bool{true, false} {
		inWorld(t, func(w *world) {
			if !permitted {
				w.setPolicy(anyTwoUDP, strings.Replace(anyTwoUDP, "recv_msg", "", 1))
			}
			s := w.server(places[0], 2, httpd)
			w.check(w.b.SetNonblock(s, true), 0)
			w.check(sendTo(w, places[0].addr(w), w.sid(w.a, httpd), w.sid(w.a, proxy)), 0)
			_, _, sender, message, err := w.b.RecvfromSecure(s, make([]byte, 1), 0)
			if !permitted {
				w.check(err, syscall.EAGAIN)
				return
			}
			w.check(err, 0)
			if w.context(w.b, sender) != client || w.context(w.b, message) != proxy {
				w.Errorf("from %s, message %s", w.context(w.b, sender), w.context(w.b, message))
			}
		})
	}
}

// T10: a new policy cuts a live connection: EACCES from send, silence on receive.
func TestPolicyCutsConnections(t *testing.T) {
	inWorld(t, func(w *world) {
		l := w.listener(places[0], 1, httpd, "", false)
		c := w.socket(w.a, sockaddr.Inet, 1, client)
		w.check(w.a.Connect(c, places[0].addr(w)), 0)
		s, _, err := w.b.Accept(l, 0)
		w.check(err, 0)
		w.check(w.b.SetNonblock(s, true), 0)
		server := w.b.Host().Access()
		before := w.b.Host()
		w.setPolicy(anyTwo, "(allow client_t domain (tcp_socket (connectto recvfrom)))")
		if before.Access() != server {
			w.Fatal("another module")
		}
		_, err = w.a.Send(c, []byte("x"), 0)
		w.check(err, 0)
		time.Sleep(time.Second)
		_, err = w.b.Recv(s, make([]byte, 1), 0)
		w.check(err, syscall.EAGAIN)
		_, err = w.b.Send(s, []byte("x"), 0)
		w.check(err, syscall.EACCES)
	})
}

// T26, T27: with labelled networking packets need ingress and egress at the interface, recvfrom and sendto at the node,
// and peer recv. A denial on the way out refuses, one on the way in is silent.
func TestLabelledNetworking(t *testing.T) {
	const nodes, netifs = "(allow confined node_type (node (recvfrom sendto enforce_dest)))", "(allow confined netif_type (netif (ingress egress)))"
	for _, c := range []struct {
		name   string
		policy []string
		want   syscall.Errno
	}{
		{"all", nil, 0},
		{"egress", []string{netifs, "(allow httpd_t netif_type (netif (ingress egress)))(allow client_t netif_type (netif (ingress)))"}, syscall.ECONNREFUSED},
		{"sendto", []string{nodes, "(allow httpd_t node_type (node (recvfrom sendto)))(allow client_t node_type (node (recvfrom)))"}, syscall.ECONNREFUSED},
		{"ingress", []string{netifs, "(allow confined netif_type (netif (egress)))"}, syscall.ETIMEDOUT},
		{"recvfrom", []string{nodes, "(allow confined node_type (node (sendto)))"}, syscall.ETIMEDOUT},
		{"recv", []string{"(allow confined domain (peer (recv)))", ""}, syscall.ETIMEDOUT},
	} {
		t.Run(c.name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.setPolicy(c.policy...)
				for _, h := range w.network.Hosts() {
					h.Access().SetLabelled(true)
				}
				w.listener(places[0], 1, httpd, "", false)
				w.check(connectTo(w, places[0], 0), c.want)
			})
		})
	}
}

// EACCES comes before what the protocol would say, and after what is wrong with the descriptor or the address's memory.
func TestOrder(t *testing.T) {
	inWorld(t, func(w *world) {
		w.listener(places[0], 1, httpd, "", false)
		c := w.socket(w.a, sockaddr.Inet, 1, free)
		w.check(w.a.Connect(c, places[0].addr(w)), 0)
		p := w.as(w.a, client)
		fd, err := p.Getfd(w.a, c)
		w.check(err, 0)
		w.check(p.Connect(fd, places[0].addr(w)), syscall.EACCES) // else EISCONN
		w.check(p.Connect(99, places[0].addr(w)), syscall.EBADF)
		w.check(p.Connect(fd, sockaddr.Raw{Mem: []byte{2}, Len: 16}), syscall.EFAULT)
		for what, err := range map[string]error{
			"send":        second(p.Send(fd, []byte("x"), 0)),
			"recv":        second(p.Recv(fd, make([]byte, 1), 0)),
			"getsockname": second(p.Getsockname(fd)),
			"getpeername": second(p.Getpeername(fd)),
			"getsockopt":  second(p.Getsockopt(fd, 1, socket.SoError)),
			"setsockopt":  p.SetsockoptInt(fd, 1, socket.SoKeepAlive, 1),
			"shutdown":    p.Shutdown(fd, socket.ShutWR),
			"listen":      p.Listen(fd, 1),
			"bind":        p.Bind(fd, at(w.a.Host().Addresses()[0], 1)),
		} {
			if !errors.Is(err, syscall.EACCES) {
				w.Errorf("%s: %v", what, err)
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }

// SO_PEERSEC: a socket that was never connected has the peer unlabeled; TCP tells its peer where packets are labelled; an
// AF_UNIX client sees the server's socket.
func TestPeerSec(t *testing.T) {
	everywhere(t, streams, func(w *world, p place, typ int) {
		w.listener(p, typ, httpd, "", false)
		a := p.client(w)
		c := w.socket(a, p.family, typ, client)
		peer, err := a.Getsockopt(c, socket.SolSocket, socket.SoPeerSec)
		w.check(err, 0)
		if got := string(peer); got != "system_u:object_r:unlabeled_t:s0\x00" {
			w.Errorf("before: %q", got)
		}
		w.check(a.Connect(c, p.addr(w)), 0)
		peer, err = a.Getsockopt(c, socket.SolSocket, socket.SoPeerSec)
		w.check(err, 0)
		if got := string(peer); got != httpd+"\x00" {
			w.Errorf("connected: %q", got)
		}
		a.Host().Access().SetFlask(false)
		_, err = a.Getsockopt(c, socket.SolSocket, socket.SoPeerSec)
		if p.family == sockaddr.Unix {
			w.check(err, 0)
		} else {
			w.check(err, syscall.ENOPROTOOPT)
		}
	})
}

// T25: name_bind is asked for ports below 1024 and outside of the local port range, and node_bind always.
func TestBind(t *testing.T) {
	inWorld(t, func(w *world) {
		if err := w.network.SetPolicy(defaultPolicy(w)); err != nil {
			w.Fatal(err)
		}
		for port, want := range map[uint16]syscall.Errno{
			22: syscall.EACCES, 80: 0, 1023: syscall.EACCES, 20000: syscall.EACCES, 32768: 0, 40000: 0, 60999: 0, 61000: syscall.EACCES, 0: 0,
		} {
			fd := w.socket(w.b, sockaddr.Inet, 1, httpd)
			if err := w.b.Bind(fd, at(w.b.Host().Addresses()[0], port)); want == 0 && err != nil || want != 0 && !errors.Is(err, want) {
				w.Errorf("port %d: %v, want %v", port, err, want)
			}
		}
		w.check(w.b.Host().Access().LabelPorts(6, 20000, 20000, "system_u:object_r:http_port_t:s0"), 0)
		w.check(w.b.Bind(w.socket(w.b, sockaddr.Inet, 1, httpd), at(w.b.Host().Addresses()[0], 20000)), 0)
		w.setPolicy("(allow confined node_type (tcp_socket (node_bind)))", "")
		w.check(w.b.Bind(w.socket(w.b, sockaddr.Inet, 1, httpd), at(w.b.Host().Addresses()[0], 0)), syscall.EACCES)
	})
}

// setsockcreatecon: the context of new sockets; the check of create comes after, and setsockcreate before.
func TestSocketCreateContext(t *testing.T) {
	inWorld(t, func(w *world) {
		w.check(w.a.SetSocketCreateContext(httpd), 0)
		_, own, err := w.a.GetsocknameSecure(w.socket(w.a, sockaddr.Inet, 1, ""))
		w.check(err, 0)
		if got := w.context(w.a, own); got != httpd {
			w.Errorf("the socket is %s", got)
		}
		w.check(w.a.SetSocketCreateContext("no:such:context"), syscall.EINVAL)
		w.check(w.a.SetSocketCreateContext(""), 0)
		_, own, err = w.a.GetsocknameSecure(w.socket(w.a, sockaddr.Inet, 1, ""))
		w.check(err, 0)
		if got := w.context(w.a, own); got != free {
			w.Errorf("the socket is %s", got)
		}
		p := w.as(w.a, client)
		w.check(p.SetSocketCreateContext(httpd), 0)
		_, err = p.Socket(sockaddr.Inet, 1, 0)
		w.check(err, syscall.EACCES)
	})
}

// security_context_to_sid and security_sid_to_context.
func TestContexts(t *testing.T) {
	inWorld(t, func(w *world) {
		for context, want := range map[string]syscall.Errno{
			"": syscall.ENAMETOOLONG, strings.Repeat("x", 8193): syscall.ENAMETOOLONG, "u:r:t": syscall.EINVAL, httpd: 0,
		} {
			_, err := w.a.SecurityContextToSID(context)
			w.check(err, want)
		}
		_, err := w.a.SecuritySIDToContext(0)
		w.check(err, syscall.EINVAL)
		context, err := w.a.SecuritySIDToContext(8)
		w.check(err, 0)
		if context != "system_u:object_r:any_socket_t:s0" {
			w.Errorf("any_socket is %s", context)
		}
		w.setPolicy("(allow confined security_t (security (compute_av transition_sid member_sid sid_to_context context_to_sid change_sid)))", "")
		p := w.as(w.a, client)
		_, err = p.SecurityContextToSID(httpd)
		w.check(err, syscall.EACCES)
		_, err = p.SecuritySIDToContext(8)
		w.check(err, syscall.EACCES)
	})
}

// The trail names the rule that permits, or what is missing; the record is the kernel's.
func TestWhy(t *testing.T) {
	inWorld(t, func(w *world) {
		text := ""
		w.a.Host().Access().SetAudit(func(r selinux.Record) { text = r.String() })
		ssh := at(w.b.Host().Addresses()[0], 22)
		if err := w.network.SetPolicy(defaultPolicy(w)); err != nil {
			w.Fatal(err)
		}
		p := w.a.Host().NewProcessAs(socket.Caller{Name: "squid", PID: 7, Caps: socket.AllCaps})
		w.check(p.SetContext(proxy), 0)
		fd, err := p.Socket(sockaddr.Inet, 1, 0)
		w.check(err, 0)
		var denied, allowed trail.Trail
		w.check(p.ConnectExplained(fd, ssh, &denied), syscall.EACCES)
		line, ok := denied.Decided()
		want := "tcp_socket name_connect, " + proxy + " -> system_u:object_r:ssh_port_t:s0: denied: the rule is off: " +
			"allow http_proxy_t port_type:tcp_socket name_connect; # if http_proxy_connect_any"
		if !ok || line.Layer != trail.Access || !strings.HasPrefix(line.Text, want) || !strings.HasSuffix(line.Text, "EACCES") {
			w.Errorf("the trail says %s: %s\nwant %s", line.Layer, line.Text, want)
		}
		if want := `avc:  denied  { name_connect } for  pid=7 comm="squid" dest=22 scontext=` + proxy +
			" tcontext=system_u:object_r:ssh_port_t:s0 tclass=tcp_socket permissive=0"; text != want {
			w.Errorf("recorded\n%s\nwant\n%s", text, want)
		}
		w.check(p.ConnectExplained(fd, at(w.b.Host().Addresses()[0], 80), &allowed), syscall.ECONNREFUSED)
		if !contains(&allowed, "allowed by allow http_proxy_t http_port_t:tcp_socket name_connect;") {
			w.Errorf("the trail does not name the rule: %v", allowed.Lines)
		}
		w.check(w.a.Host().Access().SetBooleans(map[string]bool{"http_proxy_connect_any": true}), 0)
		w.check(p.Connect(fd, ssh), syscall.ECONNREFUSED)
	})
}

func contains(t *trail.Trail, text string) bool {
	for _, l := range t.Lines {
		if l.Layer == trail.Access && strings.Contains(l.Text, text) {
			return true
		}
	}
	return false
}
