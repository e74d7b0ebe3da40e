// SPDX-License-Identifier: Apache-2.0

package defaultpolicy

import (
	"bytes"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"dialtone/selinux"
)

func newServer(t *testing.T) *selinux.Server {
	t.Helper()
	s, err := selinux.NewServer(Policy())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func sid(t *testing.T, s *selinux.Server, context string) selinux.SID {
	t.Helper()
	n, err := s.ContextToSID(context)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

const (
	proxy  = "system_u:system_r:http_proxy_t:s0"
	httpd  = "system_u:system_r:httpd_t:s0"
	client = "user_u:user_r:client_t:s0"
)

func TestPorts(t *testing.T) {
	for _, c := range []struct {
		process string
		perm    selinux.Perm
		port    uint16
		want    bool
	}{
		{proxy, selinux.SocketNameConnect, 80, true},
		{proxy, selinux.SocketNameConnect, 443, true},
		{proxy, selinux.SocketNameConnect, 22, false},
		{proxy, selinux.SocketNameConnect, 53, false},
		{proxy, selinux.SocketNameConnect, 3128, false},
		{proxy, selinux.SocketNameConnect, 9999, false},
		{proxy, selinux.SocketNameBind, 3128, true},
		{proxy, selinux.SocketNameBind, 80, false},
		{httpd, selinux.SocketNameBind, 80, true},
		{httpd, selinux.SocketNameConnect, 80, false},
		{client, selinux.SocketNameConnect, 3128, true},
		{client, selinux.SocketNameConnect, 80, false},
		{client, selinux.SocketNameBind, 40000, true},
		{client, selinux.SocketNameBind, 8000, false},
		{ProcessContext, selinux.SocketNameConnect, 22, true},
		{ProcessContext, selinux.SocketNameBind, 22, true},
		{ProcessContext, selinux.SocketNameConnect, 0, true},
	} {
		s := newServer(t)
		process, port := sid(t, s, c.process), s.PortSID(6, c.port)
		if got := s.HasPerm(process, port, selinux.ClassTCPSocket, c.perm, nil); got != c.want {
			e := s.ExplainPerm(process, port, selinux.ClassTCPSocket, c.perm)
			t.Errorf("port %d: %v, want %v\n%s", c.port, got, c.want, &e)
		}
	}
	s := newServer(t)
	if err := s.SetBooleans(map[string]bool{"http_proxy_connect_any": true}); err != nil {
		t.Fatal(err)
	}
	if !s.HasPerm(sid(t, s, proxy), s.PortSID(6, 22), selinux.ClassTCPSocket, selinux.SocketNameConnect, nil) {
		t.Error("the boolean does not open the other ports")
	}
}

// A process without a label may do everything that there is, to everything that there is; and is no other's SID.
func TestUnconfined(t *testing.T) {
	s := newServer(t)
	s.Audit = func(r selinux.Record) { t.Error(r.String()) }
	me := sid(t, s, ProcessContext)
	if me <= 27 {
		t.Errorf("an unconfined process has the initial SID %d", me)
	}
	lo, message := s.NetifSID("lo")
	eth, _ := s.NetifSID("eth0")
	targets := []selinux.SID{
		me, sid(t, s, proxy), sid(t, s, httpd), sid(t, s, client), selinux.InitialKernel, selinux.InitialSecurity,
		selinux.InitialUnlabeled, selinux.InitialAnySocket, s.PortSID(6, 1), s.PortSID(17, 40000), s.PortSID(33, 0),
		s.NodeSID(netip.MustParseAddr("127.0.0.1")), s.NodeSID(netip.MustParseAddr("::1")),
		s.NodeSID(netip.MustParseAddr("192.0.2.1")), lo, eth, message,
	}
	processes := 5 // the first targets; a port is no process
	n := 0
	for i, target := range targets {
		for class := selinux.ClassSocket; class <= selinux.ClassSecurity; class++ {
			if class == selinux.ClassProcess && i >= processes {
				continue
			}
			for perm := selinux.Perm(1); len(class.PermissionNames(perm)) > 0; perm <<= 1 {
				n++
				if !s.HasPerm(me, target, class, perm, nil) {
					e := s.ExplainPerm(me, target, class, perm)
					t.Error(&e)
				}
			}
		}
	}
	if n < 5000 {
		t.Errorf("only %d permissions", n)
	}
	for class := selinux.ClassSocket; class.Socket(); class++ {
		if got, err := s.TransitionSID(me, me, class); got != me || err != nil {
			t.Errorf("a %s gets the SID %d (%v), not %d", class, got, err, me)
		}
	}
}

// The policy knows every class and permission that sockets ask about, since it denies unknown ones.
func TestConfined(t *testing.T) {
	s := newServer(t)
	a, b := sid(t, s, proxy), sid(t, s, httpd)
	own := selinux.SocketCreate | selinux.SocketBind | selinux.SocketConnect | selinux.SocketListen | selinux.SocketAccept |
		selinux.SocketRead | selinux.SocketWrite | selinux.SocketGetattr | selinux.SocketGetopt | selinux.SocketSetopt | selinux.SocketShutdown
	for _, class := range []selinux.Class{selinux.ClassTCPSocket, selinux.ClassUDPSocket, selinux.ClassUnixStreamSocket, selinux.ClassUnixDgramSocket} {
		if !s.HasPerm(a, a, class, own, nil) {
			t.Errorf("a confined process may not use its %s", class)
		}
		if s.HasPerm(a, b, class, selinux.SocketRead, nil) {
			t.Errorf("a confined process may read another's %s", class)
		}
	}
	if !s.HasPerm(a, b, selinux.ClassTCPSocket, selinux.SocketConnectto|selinux.SocketRecvfrom, nil) {
		t.Error("two confined processes may not talk")
	}
	apart, other := sid(t, s, "system_u:system_r:http_proxy_t:s0:c1"), sid(t, s, "system_u:system_r:httpd_t:s0:c2")
	if s.HasPerm(apart, other, selinux.ClassTCPSocket, selinux.SocketConnectto, nil) {
		t.Error("categories do not keep processes apart")
	}
	if s.HasPerm(a, sid(t, s, ProcessContext), selinux.ClassProcess, selinux.ProcessDyntransition, nil) {
		t.Error("a confined process may free itself")
	}
	for class := selinux.ClassSocket; class <= selinux.ClassSecurity; class++ {
		for perm := selinux.Perm(1); len(class.PermissionNames(perm)) > 0; perm <<= 1 {
			if e := s.ExplainPerm(a, a, class, perm); e.Unknown {
				t.Error(&e)
			}
		}
	}
}

// The binary is what secilc makes of the text.
func TestBinaryIsCompiledText(t *testing.T) {
	if _, err := exec.LookPath("secilc"); err != nil {
		t.Skipf("secilc is not installed: %v", err)
	}
	path := filepath.Join(t.TempDir(), "default.33")
	if out, err := exec.Command("./make.sh", path).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	rebuilt, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(rebuilt, binary) {
		t.Error("default.33 is not what secilc makes of default.cil: run make.sh")
	}
}
