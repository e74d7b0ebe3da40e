// SPDX-License-Identifier: Apache-2.0

package dialtone_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"dialtone"
	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/trail"
	"dialtone/wire"
)

// Which of ten connects fail, by rule.
func TestFaults(t *testing.T) {
	const ip = "10.0.0.1" // of web.test, made first
	for _, c := range []struct {
		name    string
		faults  []dialtone.Fault
		network string
		address string
		want    string // E: fails with ECONNABORTED; e: with EHOSTDOWN; .: succeeds
	}{
		{"none", nil, "tcp4", "web.test:80", ".........."},
		{"all", []dialtone.Fault{{Errno: errno.ECONNABORTED}}, "tcp4", "web.test:80", "EEEEEEEEEE"},
		{"the third", []dialtone.Fault{{Nth: 3, Times: 1, Errno: errno.ECONNABORTED}}, "tcp4", "web.test:80", "..E......."},
		{"from the third", []dialtone.Fault{{Nth: 3, Errno: errno.ECONNABORTED}}, "tcp4", "web.test:80", "..EEEEEEEE"},
		{"the first two", []dialtone.Fault{{Times: 2, Errno: errno.ECONNABORTED}}, "tcp4", "web.test:80", "EE........"},
		{"two rules, the first decides", []dialtone.Fault{
			{Nth: 2, Times: 3, Errno: errno.ECONNABORTED}, {Times: 3, Errno: errno.EHOSTDOWN},
		}, "tcp4", "web.test:80", "eEEE......"},
		{"from", []dialtone.Fault{{From: "Client.test", Times: 1, Errno: errno.ECONNABORTED}}, "tcp4", "web.test:80", "E........."},
		{"from another", []dialtone.Fault{{From: "web.test", Errno: errno.ECONNABORTED}}, "tcp4", "web.test:80", ".........."},
		{"to a name", []dialtone.Fault{{To: "web.test", Times: 1, Errno: errno.ECONNABORTED}}, "tcp4", "web.test:80", "E........."},
		{"to an address of IPv6", []dialtone.Fault{{To: "fd00::1", Times: 1, Errno: errno.ECONNABORTED}}, "tcp6", "web.test:80", "E........."},
		{"to an address", []dialtone.Fault{{To: ip, Times: 1, Errno: errno.ECONNABORTED}}, "tcp4", "web.test:80", "E........."},
		{"to a prefix", []dialtone.Fault{{To: "10.0.0.9/24", Times: 1, Errno: errno.ECONNABORTED}}, "tcp4", "web.test:80", "E........."},
		{"to another prefix", []dialtone.Fault{{To: "10.0.1.0/24", Errno: errno.ECONNABORTED}}, "tcp4", "web.test:80", ".........."},
		{"port", []dialtone.Fault{{Port: 80, Times: 1, Errno: errno.ECONNABORTED}}, "tcp4", "web.test:80", "E........."},
		{"another port", []dialtone.Fault{{Port: 81, Errno: errno.ECONNABORTED}}, "tcp4", "web.test:80", ".........."},
		{"UDP", []dialtone.Fault{{To: "web.test", Nth: 2, Times: 1, Errno: errno.ECONNABORTED}}, "udp4", "web.test:80", ".E........"},
		{"protocol", []dialtone.Fault{{Protocol: wire.TCP, Nth: 2, Times: 1, Errno: errno.ECONNABORTED}}, "tcp4", "web.test:80", ".E........"},
		{"another protocol", []dialtone.Fault{{Protocol: wire.TCP, Errno: errno.ECONNABORTED}}, "udp4", "web.test:80", ".........."},
		{"a protocol is not of unix", []dialtone.Fault{{Protocol: wire.TCP, Errno: errno.ECONNABORTED}}, "unix", "/tmp/s", ".........."},
		{"unix", []dialtone.Fault{{To: "/tmp/s", Nth: 2, Times: 1, Errno: errno.ECONNABORTED}}, "unix", "/tmp/s", ".E........"},
		{"unix abstract", []dialtone.Fault{{To: "@s", Nth: 2, Times: 1, Errno: errno.ECONNABORTED}}, "unix", "@s", ".E........"},
		{"another unix", []dialtone.Fault{{To: "/tmp/t", Errno: errno.ECONNABORTED}}, "unix", "/tmp/s", ".........."},
		{"a port is not of unix", []dialtone.Fault{{Port: 80, Errno: errno.ECONNABORTED}}, "unix", "/tmp/s", ".........."},
		{"a prefix is not of unix", []dialtone.Fault{{To: "0.0.0.0/0", Errno: errno.ECONNABORTED}}, "unix", "/tmp/s", ".........."},
		{"another process", []dialtone.Fault{{Process: "curl", Errno: errno.ECONNABORTED}}, "tcp4", "web.test:80", ".........."},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := dialtone.NewNetwork()
				web := n.Host("web.test")
				client := n.Host("client.test")
				for _, f := range c.faults {
					if _, err := n.Fault(f); err != nil {
						t.Fatal(err)
					}
				}
				if strings.HasPrefix(c.network, "unix") {
					client = web
				}
				if !strings.HasPrefix(c.network, "udp") {
					listen := ":80"
					if client == web {
						listen = c.address
					}
					l, err := web.Listen(c.network, listen)
					if err != nil {
						t.Fatal(err)
					}
					defer l.Close()
				}
				got := ""
				for range 10 {
					conn, err := client.Dial(c.network, c.address)
					switch {
					case err == nil:
						conn.Close()
						got += "."
					case errors.Is(err, syscall.ECONNABORTED):
						got += "E"
					case errors.Is(err, syscall.EHOSTDOWN):
						got += "e"
					default:
						t.Fatal(err)
					}
				}
				if got != c.want {
					t.Errorf("%s, want %s", got, c.want)
				}
			})
		})
	}
}

// A rule for a program counts that program's connects, non-blocking ones once, and leaves the socket fresh; its trail
// says who is to blame; removed it is gone.
func TestFaultOfProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := dialtone.NewNetwork()
		remove, err := n.Fault(dialtone.Fault{Process: "curl", Nth: 2, Times: 1, Errno: errno.ENETDOWN})
		if err != nil {
			t.Fatal(err)
		}
		h := n.Host("late.test") // made after the rule
		l, err := h.Listen("tcp", ":80")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		to := sockaddr.Of(netip.MustParseAddrPort("127.0.0.1:80")).Raw()
		curl := h.NewProcessAs(socket.Caller{Name: "curl", Caps: socket.AllCaps})
		defer curl.Exit()
		connect := func(why *trail.Trail) (fd int, err error) {
			fd, _ = curl.Socket(sockaddr.Inet, int(socket.Stream)|dialtone.SOCK_NONBLOCK, 0)
			return fd, curl.ConnectExplained(fd, to, why)
		}
		fd, err := connect(nil)
		if err != syscall.EINPROGRESS {
			t.Fatal(err)
		}
		if err := curl.Connect(fd, to); err != nil { // asks how it went: no connect that counts
			t.Error(err)
		}
		var why trail.Trail
		if fd, err = connect(&why); err != syscall.ENETDOWN {
			t.Errorf("the second: %v", err)
		}
		if line, _ := why.Decided(); line.Text != "connect 2 to 127.0.0.1:80: ENETDOWN" {
			t.Errorf("trail %q", line.Text)
		}
		if err := curl.Connect(fd, to); err != syscall.EINPROGRESS {
			t.Errorf("again: %v", err)
		}
		remove()
		remove() // does no harm
		for range 3 {
			if _, err := connect(nil); err != syscall.EINPROGRESS {
				t.Errorf("after the rule: %v", err)
			}
		}
	})
}

func TestFaultsThatMakeNoSense(t *testing.T) {
	n := dialtone.NewNetwork()
	n.Host("web.test")
	for _, f := range []dialtone.Fault{
		{},
		{To: "web.test"},
		{From: "nobody.test", Errno: errno.EIO},
		{To: "nobody.test", Errno: errno.EIO},
		{To: "10.0.0.0/33", Errno: errno.EIO},
		{Nth: -1, Errno: errno.EIO},
		{Times: -1, Errno: errno.EIO},
	} {
		if _, err := n.Fault(f); err == nil {
			t.Errorf("%+v was taken", f)
		}
	}
}

// A dial with a trail is told of the fault.
func TestFaultInTrail(t *testing.T) {
	n := dialtone.NewNetwork()
	h := n.Host("host.test")
	if _, err := n.Fault(dialtone.Fault{Errno: errno.EIO}); err != nil {
		t.Fatal(err)
	}
	var why trail.Trail
	_, err := h.DialContext(dialtone.WithTrail(context.Background(), &why), "tcp", "127.0.0.1:1")
	if line, ok := why.Decided(); !errors.Is(err, syscall.EIO) || !ok || line.Layer != trail.Fault {
		t.Errorf("%v; %s", err, fmt.Sprint(why.Lines))
	}
}
