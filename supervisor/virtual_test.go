// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"dialtone"
	"dialtone/socket"
)

// virtual is a small network for hosted programs: they are on here, which
// shares a hub with web.
type virtual struct {
	net       *dialtone.Network
	here, web *dialtone.Host
	sup       *Supervisor
	explained chan Explanation
}

// newExplained is newVirtual with explanations, for next.
func newExplained(t testing.TB, opts Options) *virtual {
	explained := make(chan Explanation, 100)
	opts.Explain = func(e Explanation) { explained <- e }
	v := newVirtual(t, opts)
	v.explained = explained
	return v
}

func newVirtual(t testing.TB, opts Options) *virtual {
	t.Helper()
	n := dialtone.NewNetwork()
	v := &virtual{net: n, here: n.Host("here.test"), web: n.Host("web.test")}
	opts.Warn = func(text string) { t.Error("warning:", text) }
	s, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	v.sup = s
	t.Cleanup(s.Close)
	return v
}

// webIP is web's IPv4 address.
func (v *virtual) webIP() string { return ipv4(v.web).String() }

func ipv4(h *dialtone.Host) netip.Addr {
	for _, a := range h.Addresses() {
		if a.Is4() {
			return a
		}
	}
	panic("the host has no IPv4 address")
}

// serveHTTP has web answer on port 80: /bytes/N, and anything else with its path.
func (v *virtual) serveHTTP(t *testing.T) {
	t.Helper()
	l, err := v.web.Listen("tcp", ":80")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/bytes/")); err == nil {
			_, _ = io.CopyN(w, zeroes{}, int64(n)) // the client may leave
			return
		}
		fmt.Fprintf(w, "path %s\n", r.URL.Path)
	})}
	go func() {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}()
	t.Cleanup(func() { srv.Close() })
}

type zeroes struct{}

func (zeroes) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// serveEcho has web send back what comes on port 7.
func (v *virtual) serveEcho(t *testing.T) {
	t.Helper()
	l, err := v.web.Listen("tcp", ":7")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // closed
			}
			go func() {
				_, _ = io.Copy(c, c) // ends when either side is gone
				c.Close()
			}()
		}
	}()
	p, err := v.web.ListenPacket("udp", ":7")
	if err != nil {
		t.Fatal(err)
	}
	go echoPackets(p)
	t.Cleanup(func() { l.Close(); p.Close() })
}

func echoPackets(p net.PacketConn) {
	b := make([]byte, 65536)
	for {
		n, from, err := p.ReadFrom(b)
		if err != nil {
			return // closed
		}
		_, _ = p.WriteTo(b[:n], from) // datagrams may be lost
	}
}

// run runs a program on here and returns its output and status.
func (v *virtual) run(t testing.TB, env []string, argv ...string) (string, int) {
	t.Helper()
	return v.runOn(t, v.here, env, argv...)
}

func (v *virtual) runOn(t testing.TB, h *dialtone.Host, env []string, argv ...string) (string, int) {
	t.Helper()
	return hostedOutput(t, v.sup, Program{
		Argv: argv, Env: append(os.Environ(), env...), Stack: h.Stack(), Caller: socket.Caller{Caps: socket.AllCaps},
	})
}

// role runs a role of the test binary on here.
func (v *virtual) role(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, status := v.run(t, []string{roleVariable + "=" + name}, append([]string{selfPath(t)}, args...)...)
	if status != 0 {
		t.Errorf("%s: status %d: %s", name, status, out)
	}
	return out
}

// sh runs a script on here.
func (v *virtual) sh(t *testing.T, script string) string {
	t.Helper()
	out, status := v.run(t, nil, "sh", "-c", script)
	if status != 0 {
		t.Errorf("status %d: %s", status, out)
	}
	return out
}

// needs skips the test where a program is not installed.
func needs(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("%s is not installed", p)
		}
	}
}

// next returns the explanation of the next connect.
func (v *virtual) next(t *testing.T) Explanation {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	select {
	case e := <-v.explained:
		return e
	case <-ctx.Done():
		t.Fatal("no explanation came")
		return Explanation{}
	}
}
