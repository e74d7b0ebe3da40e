// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"

	"dialtone/selinux"
	"dialtone/trail"

	"golang.org/x/sys/unix"
)

// mutePolicy is the default policy, but that whether confined processes may read and write their sockets is up to two
// booleans.
func mutePolicy(t *testing.T) *selinux.Policy {
	t.Helper()
	text, err := os.ReadFile("../selinux/defaultpolicy/default.cil")
	if err != nil {
		t.Skipf("the policy's source is not here: %v", err)
	}
	cil := string(text)
	for _, class := range []string{"tcp_socket", "udp_socket"} {
		rule := "(allow confined self (" + class + " (\n\tioctl read write "
		if !strings.Contains(cil, rule) {
			t.Fatalf("the default policy has no %q", rule)
		}
		cil = strings.Replace(cil, rule, "(allow confined self ("+class+" (\n\tioctl ", 1)
	}
	cil += `
(boolean may_read true) (boolean may_write true)
(booleanif may_read (true (allow confined self (tcp_socket (read))) (allow confined self (udp_socket (read)))))
(booleanif may_write (true (allow confined self (tcp_socket (write))) (allow confined self (udp_socket (write)))))
`
	p, err := selinux.CompileCIL("mute.cil", []byte(cil))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// roleTalks writes a word to port 80 of a host, and reads the answer, with plain calls.
func roleTalks() int {
	typ := unix.SOCK_STREAM
	if argument(2) == "udp" {
		typ = unix.SOCK_DGRAM
	}
	fd, err := unix.Socket(unix.AF_INET, typ, 0)
	must(err)
	to := unix.SockaddrInet4{Port: 80}
	to.Addr = netip.MustParseAddr(argument(1)).As4()
	step("connect", unix.Connect(fd, &to))
	wait := unix.NsecToTimeval(int64(patience))
	if argument(2) == "tcp-mute" {
		wait = unix.Timeval{Usec: 50_000}
	}
	must(unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait))
	_, err = unix.Write(fd, []byte("hello"))
	step("write", err)
	b := make([]byte, 10)
	n, err := unix.Read(fd, b)
	step("read", err)
	fmt.Println(string(b[:max(n, 0)]))
	return 0
}

// Plain reads and writes are asked about when the bytes pass, under the label of the process; a denial ends the
// connection. What the policy says of processes without a label has nothing to do with it.
func TestPlainReadAndWrite(t *testing.T) {
	for _, c := range []struct {
		name, kind string
		before     map[string]bool // booleans
		under      map[string]bool // set before the answer is sent
		want       string
	}{
		{"allowed", "tcp", nil, nil, "connect ok\nwrite ok\nread ok\nHELLO\n"},
		{"no write", "tcp", map[string]bool{"may_write": false}, nil, "connect ok\nwrite ok\nread ECONNRESET\n\n"},
		{"no read", "tcp", map[string]bool{"may_read": false}, nil, "connect ok\nwrite ok\nread ECONNRESET\n\n"},
		{"no read, and nothing to read", "tcp-mute", map[string]bool{"may_read": false}, nil, "connect ok\nwrite ok\nread EAGAIN\n\n"},
		{"no read any more", "tcp", nil, map[string]bool{"may_read": false}, "connect ok\nwrite ok\nread ECONNRESET\n\n"},
		{"datagrams allowed", "udp", nil, nil, "connect ok\nwrite ok\nread ok\nHELLO\n"},
		{"no write of datagrams", "udp", map[string]bool{"may_write": false}, nil, "connect ok\nwrite ok\nread ECONNRESET\n\n"},
		{"no read of datagrams", "udp", map[string]bool{"may_read": false}, nil, "connect ok\nwrite ok\nread ECONNRESET\n\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := newVirtual(t, Options{})
			if err := v.here.SetPolicy(mutePolicy(t)); err != nil {
				t.Fatal(err)
			}
			m := v.here.Access()
			if err := m.LabelOthers(clientName); err != nil {
				t.Fatal(err)
			}
			if err := m.LabelProgram(commandName(selfPath(t)), proxyLabel, ""); err != nil {
				t.Fatal(err)
			}
			if err := m.SetBooleans(c.before); err != nil {
				t.Fatal(err)
			}
			var denials []string
			m.SetAudit(func(r selinux.Record) { denials = append(denials, r.String()) })
			v.answerUpper(t, func() {
				if err := m.SetBooleans(c.under); err != nil {
					t.Error(err)
				}
			}, c.kind != "tcp-mute")
			if got := v.role(t, "talks", v.webIP(), c.kind); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
			v.here.Core().Lock()
			defer v.here.Core().Unlock()
			if denied := strings.Contains(c.want, "ECONNRESET"); denied != (len(denials) > 0) {
				t.Errorf("denials: %q", denials)
			}
			for _, d := range denials {
				if !strings.Contains(d, "scontext="+proxyLabel) {
					t.Errorf("denied to another: %s", d)
				}
			}
		})
	}
}

// answerUpper has web answer one word on port 80 in capitals, after before, or not at all.
func (v *virtual) answerUpper(t *testing.T, before func(), answer bool) {
	t.Helper()
	l, err := v.web.Listen("tcp", ":80")
	if err != nil {
		t.Fatal(err)
	}
	p, err := v.web.ListenPacket("udp", ":80")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close(); p.Close() })
	go func() {
		c, err := l.Accept()
		if err != nil {
			return // closed
		}
		defer c.Close()
		b := make([]byte, 10)
		if n, err := c.Read(b); err == nil {
			before()
			if answer {
				_, _ = c.Write([]byte(strings.ToUpper(string(b[:n])))) // the client may be gone
			}
		}
		_, _ = c.Read(b) // until it leaves
	}()
	go func() {
		b := make([]byte, 10)
		n, from, err := p.ReadFrom(b)
		if err != nil {
			return // closed
		}
		_, _ = p.WriteTo([]byte(strings.ToUpper(string(b[:n]))), from)
	}()
}

// Under access control no connection is direct: the bytes could not be asked about.
func TestNotDirectUnderAccessControl(t *testing.T) {
	for _, controlled := range []bool{false, true} {
		v := newExplained(t, Options{})
		want := "kernel socket"
		if controlled {
			if err := v.here.SetPolicy(mutePolicy(t)); err != nil {
				t.Fatal(err)
			}
			want = "virtual network"
		}
		v.role(t, "closed")
		var got string
		for _, line := range v.next(t).Trail.Lines {
			if line.Layer == trail.Path {
				got = line.Text
			}
		}
		if !strings.Contains(got, want) {
			t.Errorf("under access control %t: %q", controlled, got)
		}
	}
}

// A process that may not accept hears so even from an empty queue, as on Linux, and no connection is lost by it.
func TestAcceptDenied(t *testing.T) {
	needs(t, "python3")
	v := newVirtual(t, Options{})
	text, err := os.ReadFile("../selinux/defaultpolicy/default.cil")
	if err != nil {
		t.Skipf("the policy's source is not here: %v", err)
	}
	const all = "bind connect listen accept getopt setopt shutdown)))\n(allow confined self (udp_socket"
	if !strings.Contains(string(text), all) {
		t.Fatal("the default policy has changed")
	}
	p, err := selinux.CompileCIL("deaf.cil", []byte(strings.Replace(string(text), all, strings.Replace(all, " accept", "", 1), 1)))
	if err != nil {
		t.Fatal(err)
	}
	if err := v.here.SetPolicy(p); err != nil {
		t.Fatal(err)
	}
	if err := v.here.Access().LabelProgram("python3", proxyLabel, ""); err != nil {
		t.Fatal(err)
	}
	got, status := v.run(t, nil, "python3", "-c", `
import socket
l = socket.socket(); l.bind(('127.0.0.1', 8080)); l.listen()
try: l.accept()
except PermissionError: print('EACCES')
`)
	if got != "EACCES\n" || status != 0 {
		t.Errorf("status %d, %q", status, got)
	}
}
