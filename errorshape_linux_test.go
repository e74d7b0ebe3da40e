// SPDX-License-Identifier: Apache-2.0

package dialtone_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"dialtone"
)

// system is what the table of errors runs on: package net on this machine's loopback, and a host here.
type system struct {
	name         string
	dial         func(d net.Dialer, network, address string) (net.Conn, error)
	dialContext  func(ctx context.Context, d net.Dialer, network, address string) (net.Conn, error)
	listen       func(network, address string) (net.Listener, error)
	listenPacket func(network, address string) (net.PacketConn, error)
	dir          string // where UNIX sockets may have names
	*loopback
}

// loopback is what cases are made with, for one version of IP.
type loopback struct {
	version, otherVersion string
	ip, other             net.IP // loopback addresses
	nobody                net.IP // for documentation (RFC 5737, RFC 3849)
}

var loopbacks = []*loopback{
	{"4", "6", net.IPv4(127, 0, 0, 1), net.IPv6loopback, net.IPv4(192, 0, 2, 1)},
	{"6", "4", net.IPv6loopback, net.IPv4(127, 0, 0, 1), net.ParseIP("2001:db8::1")},
}

// at returns the loopback address with a port.
func (l *loopback) at(port string) string { return net.JoinHostPort(l.ip.String(), port) }

func real(t *testing.T) *system {
	return &system{
		name: "package net",
		dialContext: func(ctx context.Context, d net.Dialer, network, address string) (net.Conn, error) {
			d.KeepAlive = -1
			return d.DialContext(ctx, network, address)
		},
		listen: net.Listen, listenPacket: net.ListenPacket,
		dir: t.TempDir(),
	}
}

func ours(t *testing.T) *system {
	h := dialtone.NewNetwork().Host("host.test")
	dir := t.TempDir() // the same length of names; nothing is written there
	if err := h.Tree().MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return &system{
		name: "dialtone",
		dialContext: func(ctx context.Context, d net.Dialer, network, address string) (net.Conn, error) {
			own := dialtone.Dialer{Host: h, Timeout: d.Timeout, Deadline: d.Deadline, LocalAddr: d.LocalAddr, Control: d.Control}
			return own.DialContext(ctx, network, address)
		},
		listen: h.Listen, listenPacket: h.ListenPacket,
		dir: dir,
	}
}

// pair is a connection over loopback, and its listener.
func (s *system) pair(t *testing.T, network string) (c, accepted net.Conn, l net.Listener) {
	t.Helper()
	address := s.at("0")
	if strings.HasPrefix(network, "unix") {
		address = filepath.Join(s.dir, "pair")
	}
	l, err := s.listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	if c, err = s.dial(net.Dialer{}, network, l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if accepted, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { accepted.Close() })
	return c, accepted, l
}

// unused returns an address that nobody listens on.
func (s *system) unused(t *testing.T, network string) string {
	t.Helper()
	if network == "udp" {
		p, err := s.listenPacket(network, s.at("0"))
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		return p.LocalAddr().String()
	}
	l, err := s.listen(network, s.at("0"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

var past = time.Unix(1, 0)

// errorCase makes one failure, and returns its error.
type errorCase struct {
	name string
	make func(t *testing.T, s *system) error
}

// Each failure has the same shape here and from package net: each error in the chain has the same type, operation,
// network, addresses, errno, and answers to Timeout and Temporary.
func TestErrorShapes(t *testing.T) {
	compareShapes(t, loopbacks[0], unixErrors)
	for _, l := range loopbacks {
		t.Run("IPv"+l.version, func(t *testing.T) {
			if probe, err := net.Listen("tcp", l.at("0")); err != nil {
				t.Skipf("this machine has no such loopback address: %v", err)
			} else {
				probe.Close()
			}
			compareShapes(t, l, dialErrors, listenErrors, streamErrors, packetErrors)
			if l.version == "4" {
				compareShapes(t, l, dial4Errors)
			} else {
				compareShapes(t, l, ipv6Errors)
			}
		})
	}
}

func compareShapes(t *testing.T, l *loopback, tables ...[]errorCase) {
	for _, c := range slices.Concat(tables...) {
		t.Run(c.name, func(t *testing.T) {
			var shapes [2]string
			for i, s := range []*system{real(t), ours(t)} {
				s.loopback = l
				s.dial = func(d net.Dialer, network, address string) (net.Conn, error) {
					return s.dialContext(t.Context(), d, network, address)
				}
				shapes[i] = shape(c.make(t, s), s.dir)
			}
			if shapes[0] != shapes[1] {
				t.Errorf("package net:\n%s\nhere:\n%s", shapes[0], shapes[1])
			}
		})
	}
}

var ephemeral = regexp.MustCompile(`:[0-9]{4,5}\b`)

// shape writes an error down, link by link, without what differs from run to run: implicit ports and directories.
func shape(err error, dir string) string {
	var b strings.Builder
	for ; err != nil; err = errors.Unwrap(err) {
		fmt.Fprintf(&b, "  %s: %q", typeName(err), err)
		var op *net.OpError
		if e, ok := err.(*net.OpError); ok {
			op = e
			fmt.Fprintf(&b, " Op %s Net %s Source %s Addr %s", op.Op, op.Net, describe(op.Source), describe(op.Addr))
		}
		if e, ok := err.(net.Error); ok {
			//lint:ignore SA1019 deprecated, but still part of the shape
			fmt.Fprintf(&b, " Timeout %v Temporary %v", e.Timeout(), e.Temporary())
		}
		for _, known := range knownErrors {
			if errors.Is(err, known.err) {
				fmt.Fprintf(&b, " is %s", known.name)
			}
		}
		b.WriteByte('\n')
	}
	return ephemeral.ReplaceAllString(strings.ReplaceAll(b.String(), dir, "DIR"), ":PORT")
}

// knownErrors are what programs ask errors.Is for.
var knownErrors = []struct {
	name string
	err  error
}{
	{"closed", net.ErrClosed},
	{"deadline", os.ErrDeadlineExceeded},
	{"context deadline", context.DeadlineExceeded},
	{"canceled", context.Canceled},
	{"EOF", io.EOF},
	{"permission", os.ErrPermission},
	{"exist", os.ErrExist},
	{"not exist", os.ErrNotExist},
	{"unsupported", errors.ErrUnsupported},
}

// typeName names an error's type; the unexported ones of package net are told apart by what they say.
func typeName(err error) string {
	switch err.(type) {
	case *net.OpError, *os.SyscallError, syscall.Errno, *net.AddrError, *net.DNSError, net.UnknownNetworkError:
		return fmt.Sprintf("%T", err)
	}
	return "error"
}

func describe(a net.Addr) string {
	if a == nil {
		return "none"
	}
	return fmt.Sprintf("%T %s %s", a, a.Network(), a)
}
