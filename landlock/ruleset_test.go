// SPDX-License-Identifier: Apache-2.0

package landlock_test

import (
	"errors"
	"net/netip"
	"testing"

	"dialtone"
	"dialtone/errno"
	"dialtone/landlock"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// world is a host with one process that is not restricted, and one that will be.
type world struct {
	testing.TB
	outside, inside *dialtone.Process
}

func newWorld(t *testing.T) *world {
	h := dialtone.NewNetwork().Host("host.test")
	return &world{t, h.NewProcess(), h.NewProcess()}
}

// want fails unless err is e, or none for errno.OK.
func (w *world) want(what string, err error, e errno.Errno) {
	w.Helper()
	if e == errno.OK && err != nil || e != errno.OK && !errors.Is(err, e.Syscall()) {
		w.Errorf("%s: %v, want %s", what, err, e.Name())
	}
}

func (w *world) socket(p *dialtone.Process, family sockaddr.Family, typ socket.Type) int {
	w.Helper()
	fd, err := p.Socket(family, int(typ), 0)
	if err != nil {
		w.Fatal(err)
	}
	return fd
}

// listens makes a listener, or a datagram socket, with a name.
func (w *world) listens(p *dialtone.Process, typ socket.Type, name string) {
	w.Helper()
	fd := w.socket(p, sockaddr.Unix, typ)
	w.want("bind", p.Bind(fd, sockaddr.OfUnix(name).Raw()), errno.OK)
	if typ != socket.Dgram {
		w.want("listen", p.Listen(fd, 10), errno.OK)
	}
}

// pair makes two datagram sockets by socketpair, and gives one a name.
func (w *world) pair(p *dialtone.Process, name string) {
	w.Helper()
	fds, err := p.Socketpair(sockaddr.Unix, int(socket.Dgram), 0)
	w.want("socketpair", err, errno.OK)
	unspec := sockaddr.Raw{Mem: make([]byte, 16), Len: 16}
	w.want("dissolve", p.Connect(fds[0], unspec), errno.OK)
	w.want("dissolve", p.Connect(fds[1], unspec), errno.OK)
	w.want("bind", p.Bind(fds[1], sockaddr.OfUnix(name).Raw()), errno.OK)
}

func TestRestrict_errors(t *testing.T) { // landlock_create_ruleset(2), landlock_add_rule(2), landlock_restrict_self(2)
	w := newWorld(t)
	for _, c := range []struct {
		name string
		r    landlock.Ruleset
		want errno.Errno
	}{
		{"nothing", landlock.Ruleset{}, errno.ENOMSG},
		{"an unknown right", landlock.Ruleset{Handled: 4}, errno.EINVAL},
		{"an empty rule", landlock.Ruleset{Handled: landlock.BindTCP, Ports: map[uint16]landlock.Access{80: 0}}, errno.ENOMSG},
		{
			"a rule about another right",
			landlock.Ruleset{Handled: landlock.BindTCP, Ports: map[uint16]landlock.Access{80: landlock.ConnectTCP}},
			errno.EINVAL,
		},
	} {
		w.want(c.name, w.inside.Restrict(c.r), c.want)
	}
	for range 16 {
		w.want("a layer", w.inside.Restrict(landlock.Ruleset{ScopeAbstract: true}), errno.OK)
	}
	w.want("the 17th layer", w.inside.Restrict(landlock.Ruleset{ScopeAbstract: true}), errno.E2BIG)
}

// TestBindTCP: the cases of the kernel's current_check_access_socket, of which x-landlock has those of connect; seen on
// Linux 6.18, as the errors of TestRestrict_errors are.
func TestBindTCP(t *testing.T) {
	w := newWorld(t)
	w.want("restrict", w.inside.Restrict(landlock.Ruleset{
		Handled: landlock.BindTCP, Ports: map[uint16]landlock.Access{7000: landlock.BindTCP, 0: landlock.BindTCP},
	}), errno.OK)
	unspec := func(length int, address byte) sockaddr.Raw {
		b := make([]byte, length)
		if length > 4 {
			b[2], b[3], b[4] = 7001>>8, 7001&0xff, address
		}
		return sockaddr.Raw{Mem: b, Len: length}
	}
	inet := func(s string) sockaddr.Raw { return sockaddr.Of(netip.MustParseAddrPort(s)).Raw() }
	for _, c := range []struct {
		name   string
		family sockaddr.Family
		typ    socket.Type
		addr   sockaddr.Raw
		want   errno.Errno
	}{
		{"a kept port", sockaddr.Inet, socket.Stream, inet("127.0.0.1:7000"), errno.OK},
		{"any port", sockaddr.Inet6, socket.Stream, inet("[::1]:0"), errno.OK},
		{"another", sockaddr.Inet, socket.Stream, inet("127.0.0.1:7001"), errno.EACCES},
		{"another, of IPv6", sockaddr.Inet6, socket.Stream, inet("[::1]:7001"), errno.EACCES},
		{"another, of nobody's address", sockaddr.Inet, socket.Stream, inet("203.0.113.9:7001"), errno.EACCES},
		{"the other family", sockaddr.Inet6, socket.Stream, inet("127.0.0.1:7001"), errno.EINVAL},
		{"UDP", sockaddr.Inet, socket.Dgram, inet("127.0.0.1:7001"), errno.OK},
		{"AF_UNSPEC and the wildcard", sockaddr.Inet, socket.Stream, unspec(16, 0), errno.EACCES},
		{"AF_UNSPEC and an address", sockaddr.Inet, socket.Stream, unspec(16, 127), errno.EAFNOSUPPORT},
		{"AF_UNSPEC, short", sockaddr.Inet, socket.Stream, unspec(15, 0), errno.EINVAL},
		{"AF_UNSPEC of IPv6", sockaddr.Inet6, socket.Stream, unspec(28, 0), errno.EAFNOSUPPORT},
		{"AF_UNSPEC of IPv6, short", sockaddr.Inet6, socket.Stream, unspec(16, 0), errno.EINVAL},
		{"no family", sockaddr.Inet, socket.Stream, unspec(1, 0), errno.EINVAL},
	} {
		fd := w.socket(w.inside, c.family, c.typ)
		w.want(c.name, w.inside.Bind(fd, c.addr), c.want)
	}
	fd := w.socket(w.inside, sockaddr.Inet, socket.Stream)
	w.want("connect, which is not handled", w.inside.Connect(fd, inet("127.0.0.1:7002")), errno.ECONNREFUSED)
}

// TestLayers: what one layer forbids no other permits, and threads made later are in the same sandbox.
func TestLayers(t *testing.T) {
	w := newWorld(t)
	before := w.inside.Thread()
	for _, ports := range []map[uint16]landlock.Access{
		{1: landlock.ConnectTCP, 2: landlock.ConnectTCP}, {2: landlock.ConnectTCP, 3: landlock.ConnectTCP},
	} {
		w.want("restrict", w.inside.Restrict(landlock.Ruleset{Handled: landlock.ConnectTCP, Ports: ports}), errno.OK)
	}
	for port, e := range map[string]errno.Errno{"1": errno.EACCES, "2": errno.ECONNREFUSED, "3": errno.EACCES} {
		fd := w.socket(w.inside, sockaddr.Inet, socket.Stream)
		to := sockaddr.Of(netip.MustParseAddrPort("127.0.0.1:" + port)).Raw()
		w.want("port "+port, w.inside.Thread().Connect(fd, to), e)
		w.want("port "+port+" by an older thread", before.Connect(fd, to), errno.ECONNREFUSED)
	}
}

// TestScopeAbstract: abstract names lead to who is in the sandbox, or in one within it (landlock(7), "IPC scoping").
func TestScopeAbstract(t *testing.T) {
	for _, typ := range []socket.Type{socket.Stream, socket.SeqPacket, socket.Dgram} {
		w := newWorld(t)
		w.listens(w.outside, typ, "\x00outside")
		w.listens(w.inside, typ, "\x00before")
		old := w.socket(w.inside, sockaddr.Unix, socket.Dgram)
		if typ == socket.Dgram {
			w.want("associate", w.inside.Connect(old, sockaddr.OfUnix("\x00outside").Raw()), errno.OK)
		}
		scoped := landlock.Ruleset{ScopeAbstract: true}
		w.want("restrict", w.inside.Restrict(scoped), errno.OK)
		w.listens(w.inside, typ, "\x00inside")
		if typ == socket.Dgram {
			w.pair(w.inside, "\x00pair")
		}
		inner := w.inside.Thread()
		w.want("restrict", inner.Restrict(scoped), errno.OK)
		w.listens(inner, typ, "\x00inner")
		for _, c := range []struct {
			who  *dialtone.Process
			name string
			want errno.Errno
		}{
			{w.inside, "\x00outside", errno.EPERM},
			{w.inside, "\x00before", errno.EPERM},
			{w.inside, "\x00inside", errno.OK},
			{w.inside, "\x00inner", errno.OK},
			{inner, "\x00inside", errno.EPERM},
			{inner, "\x00inner", errno.OK},
			{w.outside, "\x00inner", errno.OK},
			{w.inside, "\x00pair", errno.OK},
			{inner, "\x00pair", errno.EPERM},
		} {
			if c.name == "\x00pair" && typ != socket.Dgram {
				continue // one of a connection gets no name
			}
			fd := w.socket(c.who, sockaddr.Unix, typ)
			w.want(typ.String()+" to "+c.name[1:], c.who.Connect(fd, sockaddr.OfUnix(c.name).Raw()), c.want)
			if typ == socket.Dgram && c.want != errno.OK {
				_, err := c.who.Sendto(fd, []byte("x"), 0, sockaddr.OfUnix(c.name).Raw())
				w.want("sendto "+c.name[1:], err, c.want)
			}
		}
		if typ == socket.Dgram {
			_, err := w.inside.Send(old, []byte("x"), 0)
			w.want("send by an association of before", err, errno.OK)
		}
	}
}
