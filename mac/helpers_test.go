// SPDX-License-Identifier: Apache-2.0

package mac_test

import (
	"errors"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"dialtone"
	"dialtone/link"
	"dialtone/selinux"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// The labels of tests, under the default policy or one built on it.
const (
	free   = "unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c15"
	proxy  = "system_u:system_r:http_proxy_t:s0"
	httpd  = "system_u:system_r:httpd_t:s0"
	client = "user_u:user_r:client_t:s0"
)

// world is two hosts under a policy, with a process on each that may do everything.
type world struct {
	*testing.T
	network *dialtone.Network
	a, b    *dialtone.Process // a is the client's, b the server's
}

// inWorld runs f with two hosts under the default policy, all ports permitted, in time of its own.
func inWorld(t *testing.T, f func(w *world)) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, network: dialtone.NewNetwork()}
		w.a, w.b = w.network.Host("a").NewProcess(), w.network.Host("b").NewProcess()
		w.setPolicy()
		f(w)
	})
}

// ports lets the confined processes of tests use all ports.
const ports = "(allow confined port_type (tcp_socket (name_bind name_connect)))\n(allow confined port_type (udp_socket (name_bind)))\n"

// sid returns the SID of a context on the host of p.
func (w *world) sid(p *dialtone.Process, context string) uint32 {
	w.Helper()
	sid, err := p.SecurityContextToSID(context)
	w.check(err, 0)
	return sid
}

// context returns what a SID of the host of p stands for.
func (w *world) context(p *dialtone.Process, sid uint32) string {
	w.Helper()
	m := p.Host().Access()
	context, err := m.Context(sid)
	w.check(err, 0)
	return context
}

// check demands an error; 0 is none.
func (w *world) check(err error, want syscall.Errno) {
	w.Helper()
	if want == 0 && err != nil || want != 0 && !errors.Is(err, want) {
		w.Fatalf("%v, want %v", err, want)
	}
}

// as labels a new process on the host of p.
func (w *world) as(p *dialtone.Process, context string) *dialtone.Process {
	w.Helper()
	fresh := p.Host().NewProcess()
	w.check(fresh.SetContext(context), 0)
	return fresh
}

func (w *world) socket(p *dialtone.Process, family sockaddr.Family, typ int, context string) int {
	w.Helper()
	sid := uint32(0)
	if context != "" {
		sid = w.sid(p, context)
	}
	fd, err := p.SocketSecure(family, typ, 0, sid)
	w.check(err, 0)
	return fd
}

// place is a family with an address that server sockets of it can have, seen from the client.
type place struct {
	name   string
	family sockaddr.Family
	client func(w *world) *dialtone.Process
	bound  sockaddr.Raw // what the server binds to
	addr   func(w *world) sockaddr.Raw
}

const port = 8080

var places = []place{
	{
		"inet", sockaddr.Inet, func(w *world) *dialtone.Process { return w.a },
		at(netip.IPv4Unspecified(), port), func(w *world) sockaddr.Raw { return at(w.b.Host().Addresses()[0], port) },
	},
	{
		"inet6", sockaddr.Inet6, func(w *world) *dialtone.Process { return w.a },
		at(netip.IPv6Unspecified(), port), func(w *world) sockaddr.Raw { return at(w.b.Host().Addresses()[1], port) },
	},
	{
		"unix", sockaddr.Unix, func(w *world) *dialtone.Process { return w.b },
		sockaddr.OfUnix("/tmp/s").Raw(), func(*world) sockaddr.Raw { return sockaddr.OfUnix("/tmp/s").Raw() },
	},
}

func at(ip netip.Addr, port uint16) sockaddr.Raw {
	return sockaddr.Of(netip.AddrPortFrom(ip, port)).Raw()
}

// mismatch is the error of a wanted peer that is another.
func (p place) mismatch() syscall.Errno {
	if p.family == sockaddr.Unix {
		return syscall.EACCES
	}
	return syscall.ECONNREFUSED
}

// everywhere runs f in each family with each type, in a world of its own.
func everywhere(t *testing.T, types []socket.Type, f func(w *world, p place, typ int)) {
	for _, p := range places {
		for _, typ := range types {
			if typ == socket.SeqPacket && p.family != sockaddr.Unix {
				continue // there is none
			}
			t.Run(p.name+"/"+typ.String(), func(t *testing.T) {
				inWorld(t, func(w *world) { f(w, p, int(typ)) })
			})
		}
	}
}

var (
	streams   = []socket.Type{socket.Stream, socket.SeqPacket}
	datagrams = []socket.Type{socket.Dgram}
	all       = []socket.Type{socket.Stream, socket.SeqPacket, socket.Dgram}
)

// server binds a socket with a label at the place.
func (w *world) server(p place, typ int, context string) int {
	w.Helper()
	fd := w.socket(w.b, p.family, typ, context)
	w.check(w.b.Bind(fd, p.bound), 0)
	return fd
}

// listener is a server that listens, as listen_secure says.
func (w *world) listener(p place, typ int, context, newconn string, useClient bool) int {
	w.Helper()
	fd := w.server(p, typ, context)
	sid := uint32(0)
	if newconn != "" {
		sid = w.sid(w.b, newconn)
	}
	w.check(w.b.ListenSecure(fd, 5, sid, useClient), 0)
	return fd
}

// setPolicy puts both hosts under the policy that policyText gives.
func (w *world) setPolicy(oldnew ...string) {
	w.Helper()
	w.check(w.network.SetPolicy(w.policyText(oldnew...)), 0)
}

// policyText returns the default policy with all ports permitted, and changed: pairs of old and new text.
func (w *world) policyText(oldnew ...string) *selinux.Policy {
	w.Helper()
	text, err := os.ReadFile("../selinux/defaultpolicy/default.cil")
	w.check(err, 0)
	for i := 0; i < len(oldnew); i += 2 {
		if !strings.Contains(string(text), oldnew[i]) {
			w.Fatalf("the default policy has no %q", oldnew[i])
		}
		text = []byte(strings.Replace(string(text), oldnew[i], oldnew[i+1], 1))
	}
	p, err := selinux.CompileCIL("default.cil", append(text, ports...))
	w.check(err, 0)
	return p
}

// latency delays all packets.
func latency(d time.Duration) link.Rule { return link.Rule{Effect: link.Effect{Latency: d}} }

func defaultPolicy(w *world) *selinux.Policy {
	w.Helper()
	data, err := os.ReadFile("../selinux/defaultpolicy/default.33")
	w.check(err, 0)
	p, err := selinux.Parse(data)
	w.check(err, 0)
	return p
}
