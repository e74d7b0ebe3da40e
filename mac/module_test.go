// SPDX-License-Identifier: Apache-2.0

package mac_test

import (
	"errors"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"dialtone"
	"dialtone/selinux"
	"dialtone/selinux/defaultpolicy"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/trail"
)

// What the calls ask and answer is in conformance/cases/secure. Here is what a case can't say.

// hosts runs f on two hosts under the default policy, in time of its own.
func hosts(t *testing.T, f func(t *testing.T, a, b *dialtone.Host)) {
	synctest.Test(t, func(t *testing.T) {
		n := dialtone.NewNetwork()
		a, b := n.Host("a"), n.Host("b")
		if err := n.SetPolicy(defaultpolicy.Policy()); err != nil {
			t.Fatal(err)
		}
		f(t, a, b)
	})
}

// labelled returns a TCP socket of a new process with a label, and the process.
func labelled(t *testing.T, h *dialtone.Host, name, context string) (*dialtone.Process, int) {
	t.Helper()
	p := h.NewProcessAs(socket.Caller{Name: name, PID: 7, Caps: socket.AllCaps})
	if err := p.SetContext(context); err != nil {
		t.Fatal(err)
	}
	fd, err := p.Socket(sockaddr.Inet, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	return p, fd
}

func at(h *dialtone.Host, port uint16) sockaddr.Raw {
	return sockaddr.Of(netip.AddrPortFrom(h.Addresses()[0], port)).Raw()
}

// The trail names the rule that permits, or what is missing.
func TestWhy(t *testing.T) {
	hosts(t, func(t *testing.T, a, b *dialtone.Host) {
		const proxy = "system_u:system_r:http_proxy_t:s0"
		p, fd := labelled(t, a, "squid", proxy)
		var denied, allowed trail.Trail
		if err := p.ConnectExplained(fd, at(b, 22), &denied); !errors.Is(err, syscall.EACCES) {
			t.Fatal(err)
		}
		line, ok := denied.Decided()
		want := "tcp_socket name_connect, " + proxy + " -> system_u:object_r:ssh_port_t:s0: denied: the rule is off: " +
			"allow http_proxy_t port_type:tcp_socket name_connect; # if http_proxy_connect_any"
		if !ok || line.Layer != trail.Access || !strings.HasPrefix(line.Text, want) || !strings.HasSuffix(line.Text, "EACCES") {
			t.Errorf("the trail says %s: %s\nwant %s", line.Layer, line.Text, want)
		}
		if err := p.ConnectExplained(fd, at(b, 80), &allowed); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatal(err)
		}
		found := false
		for _, l := range allowed.Lines {
			found = found || l.Layer == trail.Access &&
				strings.Contains(l.Text, "allowed by allow http_proxy_t http_port_t:tcp_socket name_connect;")
		}
		if !found {
			t.Errorf("the trail does not name the rule: %v", allowed.Lines)
		}
	})
}

// A record is whole where it is made: the host's owner sees who, what and where.
func TestAudit(t *testing.T) {
	hosts(t, func(t *testing.T, a, b *dialtone.Host) {
		var got []selinux.Record
		a.Access().SetAudit(func(r selinux.Record) { got = append(got, r) })
		p, fd := labelled(t, a, "squid", "system_u:system_r:http_proxy_t:s0")
		if err := p.Connect(fd, at(b, 22)); !errors.Is(err, syscall.EACCES) {
			t.Fatal(err)
		}
		if len(got) != 1 || got[0].Data.PID != 7 || got[0].Data.Command != "squid" || got[0].Data.Destination.Port() != 22 {
			t.Errorf("recorded %+v", got)
		}
	})
}

// Labels of ports come before the policy's.
func TestLabelPorts(t *testing.T) {
	hosts(t, func(t *testing.T, _, b *dialtone.Host) {
		p, fd := labelled(t, b, "httpd", "system_u:system_r:httpd_t:s0")
		if err := p.Bind(fd, at(b, 20000)); !errors.Is(err, syscall.EACCES) {
			t.Fatal(err)
		}
		if err := b.Access().LabelPorts(6, 20000, 20000, "system_u:object_r:http_port_t:s0"); err != nil {
			t.Fatal(err)
		}
		if err := p.Bind(fd, at(b, 20000)); err != nil {
			t.Error(err)
		}
	})
}

// A host that is added later is under the network's policy, and replacing a policy keeps the labels' module.
func TestPolicyOfTheNetwork(t *testing.T) {
	hosts(t, func(t *testing.T, a, _ *dialtone.Host) {
		if got := a.Network().Host("late").NewProcess().Context(); got != defaultpolicy.ProcessContext {
			t.Errorf("a process on a new host is %q", got)
		}
		before := a.Access()
		if err := a.SetPolicy(defaultpolicy.Policy()); err != nil || a.Access() != before {
			t.Error("another module", err)
		}
	})
}

// No context is longer than 8192 bytes.
func TestLongContext(t *testing.T) {
	hosts(t, func(t *testing.T, a, _ *dialtone.Host) {
		p := a.NewProcess()
		for length, want := range map[int]syscall.Errno{8192: syscall.EINVAL, 8193: syscall.ENAMETOOLONG} {
			if _, err := p.SecurityContextToSID(strings.Repeat("x", length)); !errors.Is(err, want) {
				t.Errorf("%d bytes: %v, want %v", length, err, want)
			}
		}
	})
}
