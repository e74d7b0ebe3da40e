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
}

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
	address := "127.0.0.1:0"
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
		p, err := s.listenPacket(network, "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		return p.LocalAddr().String()
	}
	l, err := s.listen(network, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

type linger interface{ SetLinger(int) error }

type closeWriter interface {
	CloseWrite() error
	CloseRead() error
}

type listenerDeadline interface{ SetDeadline(time.Time) error }

var past = time.Unix(1, 0)

// errorCases each make one failure, and return its error.
var errorCases = []struct {
	name string
	make func(t *testing.T, s *system) error
}{
	{"dial refused", func(t *testing.T, s *system) error {
		_, err := s.dial(net.Dialer{}, "tcp", s.unused(t, "tcp"))
		return err
	}},
	{"dial refused tcp4 from an address", func(t *testing.T, s *system) error {
		_, err := s.dial(net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}}, "tcp4", s.unused(t, "tcp"))
		return err
	}},
	{"dial from an address of nobody", func(t *testing.T, s *system) error {
		_, err := s.dial(net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}}, "tcp", s.unused(t, "tcp"))
		return err
	}},
	{"dial from another kind of address", func(t *testing.T, s *system) error {
		_, err := s.dial(net.Dialer{LocalAddr: &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}}, "tcp", "127.0.0.1:1")
		return err
	}},
	{"dial from another version", func(t *testing.T, s *system) error {
		_, err := s.dial(net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv6loopback}}, "tcp", "127.0.0.1:1")
		return err
	}},
	{"dial an unknown network", func(t *testing.T, s *system) error {
		_, err := s.dial(net.Dialer{}, "tcp5", "127.0.0.1:1")
		return err
	}},
	{"dial nothing", func(t *testing.T, s *system) error { _, err := s.dial(net.Dialer{}, "tcp", ""); return err }},
	{"dial nothing unix", func(t *testing.T, s *system) error { _, err := s.dial(net.Dialer{}, "unix", ""); return err }},
	{"dial without port", func(t *testing.T, s *system) error {
		_, err := s.dial(net.Dialer{}, "tcp", "127.0.0.1")
		return err
	}},
	{"dial a port too high", func(t *testing.T, s *system) error {
		_, err := s.dial(net.Dialer{}, "tcp", "127.0.0.1:65536")
		return err
	}},
	{"dial an unknown service", func(t *testing.T, s *system) error {
		_, err := s.dial(net.Dialer{}, "tcp", "127.0.0.1:nonesuch")
		return err
	}},
	{"dial the other version", func(t *testing.T, s *system) error {
		_, err := s.dial(net.Dialer{}, "tcp6", "127.0.0.1:1")
		return err
	}},
	{"dial port 0", func(t *testing.T, s *system) error {
		_, err := s.dial(net.Dialer{}, "tcp", "127.0.0.1:0")
		return err
	}},
	{"dial the broadcast address", func(t *testing.T, s *system) error {
		_, err := s.dial(net.Dialer{}, "tcp", "255.255.255.255:1")
		return err
	}},
	{"dial a multicast address udp port 0", func(t *testing.T, s *system) error {
		_, err := s.dial(net.Dialer{}, "udp", "127.0.0.1:0")
		return err
	}},
	{"dial with a context that has ended", func(t *testing.T, s *system) error {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := s.dialContext(ctx, net.Dialer{}, "tcp", "127.0.0.1:1")
		return err
	}},
	{"dial with a deadline that has passed", func(t *testing.T, s *system) error {
		_, err := s.dial(net.Dialer{Deadline: past}, "tcp", "127.0.0.1:1")
		return err
	}},
	{"dial whose control fails", func(t *testing.T, s *system) error {
		_, err := s.dial(net.Dialer{Control: func(network, address string, _ syscall.RawConn) error {
			return fmt.Errorf("control of %s %s", network, address)
		}}, "tcp", "127.0.0.1:1")
		return err
	}},
	{"dial no such unix socket", func(t *testing.T, s *system) error {
		_, err := s.dial(net.Dialer{}, "unix", filepath.Join(s.dir, "none"))
		return err
	}},
	{"dial a unix socket without listener", func(t *testing.T, s *system) error {
		name := filepath.Join(s.dir, "left")
		l, err := s.listen("unix", name)
		if err != nil {
			return err
		}
		l.(interface{ SetUnlinkOnClose(bool) }).SetUnlinkOnClose(false)
		l.Close()
		_, err = s.dial(net.Dialer{}, "unix", name)
		return err
	}},
	{"dial a closed unix listener", func(t *testing.T, s *system) error {
		name := filepath.Join(s.dir, "gone")
		l, err := s.listen("unix", name)
		if err != nil {
			return err
		}
		l.Close()
		_, err = s.dial(net.Dialer{}, "unix", name)
		return err
	}},
	{"dial a unix socket of another type", func(t *testing.T, s *system) error {
		_, _, l := s.pair(t, "unix")
		_, err := s.dial(net.Dialer{}, "unixpacket", l.Addr().String())
		return err
	}},
	{"dial a unix name too long", func(t *testing.T, s *system) error {
		_, err := s.dial(net.Dialer{}, "unix", "/"+strings.Repeat("x", 120))
		return err
	}},
	{"listen twice", func(t *testing.T, s *system) error {
		l, err := s.listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer l.Close()
		_, err = s.listen("tcp", l.Addr().String())
		return err
	}},
	{"listen twice unix", func(t *testing.T, s *system) error {
		_, _, l := s.pair(t, "unix")
		_, err := s.listen("unix", l.Addr().String())
		return err
	}},
	{"listen on an address of nobody", func(t *testing.T, s *system) error {
		_, err := s.listen("tcp", "192.0.2.1:0")
		return err
	}},
	{"listen in no directory", func(t *testing.T, s *system) error {
		_, err := s.listen("unix", filepath.Join(s.dir, "none", "s"))
		return err
	}},
	{"listen on udp", func(t *testing.T, s *system) error { _, err := s.listen("udp", "127.0.0.1:0"); return err }},
	{"listen for packets on tcp", func(t *testing.T, s *system) error {
		_, err := s.listenPacket("tcp", "127.0.0.1:0")
		return err
	}},
	{"listen on an unknown network", func(t *testing.T, s *system) error { _, err := s.listen("foo", ":0"); return err }},
	{"listen without port", func(t *testing.T, s *system) error { _, err := s.listen("tcp", "127.0.0.1"); return err }},
	{"listen for packets twice", func(t *testing.T, s *system) error {
		p, err := s.listenPacket("udp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer p.Close()
		_, err = s.listenPacket("udp", p.LocalAddr().String())
		return err
	}},
	{"accept on a closed listener", func(t *testing.T, s *system) error {
		_, _, l := s.pair(t, "tcp")
		l.Close()
		_, err := l.Accept()
		return err
	}},
	{"accept after the deadline", func(t *testing.T, s *system) error {
		_, _, l := s.pair(t, "tcp")
		l.(listenerDeadline).SetDeadline(past)
		_, err := l.Accept()
		return err
	}},
	{"close a listener twice", func(t *testing.T, s *system) error {
		_, _, l := s.pair(t, "tcp")
		l.Close()
		return l.Close()
	}},
	{"set a closed listener's deadline", func(t *testing.T, s *system) error {
		_, _, l := s.pair(t, "tcp")
		l.Close()
		return l.(listenerDeadline).SetDeadline(past)
	}},
	{"close a unix listener twice", func(t *testing.T, s *system) error {
		_, _, l := s.pair(t, "unix")
		l.Close()
		return l.Close()
	}},
	{"read after the deadline", func(t *testing.T, s *system) error {
		c, _, _ := s.pair(t, "tcp")
		c.SetReadDeadline(past)
		_, err := c.Read(make([]byte, 1))
		return err
	}},
	{"read that meets its deadline", func(t *testing.T, s *system) error {
		c, _, _ := s.pair(t, "unix")
		c.SetReadDeadline(time.Now().Add(time.Millisecond))
		_, err := c.Read(make([]byte, 1))
		return err
	}},
	{"write after the deadline", func(t *testing.T, s *system) error {
		c, _, _ := s.pair(t, "tcp")
		c.SetWriteDeadline(past)
		_, err := c.Write(make([]byte, 1))
		return err
	}},
	{"write that meets its deadline", func(t *testing.T, s *system) error {
		c, _, _ := s.pair(t, "tcp")
		c.SetWriteDeadline(time.Now().Add(time.Millisecond))
		_, err := c.Write(make([]byte, 64<<20))
		return err
	}},
	{"read closed", func(t *testing.T, s *system) error {
		c, _, _ := s.pair(t, "tcp")
		c.Close()
		_, err := c.Read(make([]byte, 1))
		return err
	}},
	{"write closed", func(t *testing.T, s *system) error {
		c, _, _ := s.pair(t, "tcp")
		c.Close()
		_, err := c.Write(make([]byte, 1))
		return err
	}},
	{"write closed unix", func(t *testing.T, s *system) error {
		c, _, _ := s.pair(t, "unix")
		c.Close()
		_, err := c.Write(make([]byte, 1))
		return err
	}},
	{"close twice", func(t *testing.T, s *system) error {
		c, _, _ := s.pair(t, "tcp")
		c.Close()
		return c.Close()
	}},
	{"set a closed connection's deadline", func(t *testing.T, s *system) error {
		c, _, _ := s.pair(t, "tcp")
		c.Close()
		return c.SetDeadline(past)
	}},
	{"set a closed connection's no delay", func(t *testing.T, s *system) error {
		c, _, _ := s.pair(t, "tcp")
		c.Close()
		return c.(interface{ SetNoDelay(bool) error }).SetNoDelay(true)
	}},
	{"set a closed connection's linger", func(t *testing.T, s *system) error {
		c, _, _ := s.pair(t, "tcp")
		c.Close()
		return c.(linger).SetLinger(0)
	}},
	{"set a closed connection's buffer", func(t *testing.T, s *system) error {
		c, _, _ := s.pair(t, "tcp")
		c.Close()
		return c.(interface{ SetReadBuffer(int) error }).SetReadBuffer(1)
	}},
	{"shut a closed connection", func(t *testing.T, s *system) error {
		c, _, _ := s.pair(t, "tcp")
		c.Close()
		return c.(closeWriter).CloseWrite()
	}},
	{"read the end", func(t *testing.T, s *system) error {
		c, accepted, _ := s.pair(t, "tcp")
		accepted.Close()
		_, err := c.Read(make([]byte, 1))
		return err
	}},
	{"read the end of unixpacket", func(t *testing.T, s *system) error {
		c, accepted, _ := s.pair(t, "unixpacket")
		accepted.Close()
		_, err := c.Read(make([]byte, 1))
		return err
	}},
	{"read the end of nothing", func(t *testing.T, s *system) error {
		c, accepted, _ := s.pair(t, "tcp")
		accepted.Close()
		_, err := c.Read(nil)
		return err
	}},
	{"read after CloseRead", func(t *testing.T, s *system) error {
		c, _, _ := s.pair(t, "tcp")
		if err := c.(closeWriter).CloseRead(); err != nil {
			return err
		}
		_, err := c.Read(make([]byte, 1))
		return err
	}},
	{"write after CloseWrite", func(t *testing.T, s *system) error {
		c, _, _ := s.pair(t, "tcp")
		if err := c.(closeWriter).CloseWrite(); err != nil {
			return err
		}
		_, err := c.Write([]byte("x"))
		return err
	}},
	{"write to a closed unix peer", func(t *testing.T, s *system) error {
		c, accepted, _ := s.pair(t, "unix")
		accepted.Close()
		_, err := c.Write([]byte("x"))
		return err
	}},
	{"read a reset", func(t *testing.T, s *system) error {
		c, accepted, _ := s.pair(t, "tcp")
		accepted.(linger).SetLinger(0)
		accepted.Close()
		_, err := c.Read(make([]byte, 1))
		return err
	}},
	{"write after a reset", func(t *testing.T, s *system) error {
		c, accepted, _ := s.pair(t, "tcp")
		accepted.(linger).SetLinger(0)
		accepted.Close()
		c.Read(make([]byte, 1))
		_, err := c.Write([]byte("x"))
		return err
	}},
	{"read a refused datagram", func(t *testing.T, s *system) error {
		c, err := s.dial(net.Dialer{}, "udp", s.unused(t, "udp"))
		if err != nil {
			return err
		}
		defer c.Close()
		if _, err := c.Write([]byte("x")); err != nil {
			return err
		}
		_, err = c.Read(make([]byte, 1))
		return err
	}},
	{"write after a refused datagram", func(t *testing.T, s *system) error {
		c, err := s.dial(net.Dialer{}, "udp", s.unused(t, "udp"))
		if err != nil {
			return err
		}
		defer c.Close()
		if _, err := c.Write([]byte("x")); err != nil {
			return err
		}
		_, err = c.Write([]byte("x"))
		return err
	}},
	{"unconnected: nobody tells of a refused datagram", func(t *testing.T, s *system) error {
		p, err := s.listenPacket("udp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer p.Close()
		to, _ := net.ResolveUDPAddr("udp", s.unused(t, "udp"))
		if _, err := p.WriteTo([]byte("x"), to); err != nil {
			return err
		}
		p.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		_, _, err = p.ReadFrom(make([]byte, 1))
		return err
	}},
	{"write to of a connected socket", func(t *testing.T, s *system) error {
		c, err := s.dial(net.Dialer{}, "udp", s.unused(t, "udp"))
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = c.(net.PacketConn).WriteTo([]byte("x"), c.RemoteAddr())
		return err
	}},
	{"write to another kind of address", func(t *testing.T, s *system) error {
		p, err := s.listenPacket("udp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer p.Close()
		_, err = p.WriteTo([]byte("x"), &net.UnixAddr{Name: "x", Net: "unixgram"})
		return err
	}},
	{"write to an address of TCP", func(t *testing.T, s *system) error {
		p, err := s.listenPacket("udp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer p.Close()
		_, err = p.WriteTo([]byte("x"), &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9})
		return err
	}},
	{"write a datagram too long", func(t *testing.T, s *system) error {
		p, err := s.listenPacket("udp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer p.Close()
		_, err = p.WriteTo(make([]byte, 70000), p.LocalAddr())
		return err
	}},
	{"write to nobody's unix socket", func(t *testing.T, s *system) error {
		p, err := s.listenPacket("unixgram", filepath.Join(s.dir, "dgram"))
		if err != nil {
			return err
		}
		defer p.Close()
		_, err = p.WriteTo([]byte("x"), &net.UnixAddr{Name: filepath.Join(s.dir, "none"), Net: "unixgram"})
		return err
	}},
	{"write to a unix address of another type", func(t *testing.T, s *system) error {
		p, err := s.listenPacket("unixgram", filepath.Join(s.dir, "dgram2"))
		if err != nil {
			return err
		}
		defer p.Close()
		_, err = p.WriteTo([]byte("x"), &net.UnixAddr{Name: filepath.Join(s.dir, "none"), Net: "unix"})
		return err
	}},
	{"close packets twice", func(t *testing.T, s *system) error {
		p, err := s.listenPacket("udp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		p.Close()
		return p.Close()
	}},
	{"read closed packets", func(t *testing.T, s *system) error {
		p, err := s.listenPacket("udp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		p.Close()
		_, _, err = p.ReadFrom(make([]byte, 1))
		return err
	}},
}

// Each failure has the same shape here and from package net: each error in the chain has the same type, operation,
// network, addresses, errno, and answers to Timeout and Temporary.
func TestErrorShapes(t *testing.T) {
	for _, c := range errorCases {
		t.Run(c.name, func(t *testing.T) {
			var shapes [2]string
			for i, s := range []*system{real(t), ours(t)} {
				s.dial = func(d net.Dialer, network, address string) (net.Conn, error) {
					return s.dialContext(t.Context(), d, network, address)
				}
				err := c.make(t, s)
				shapes[i] = shape(err, s.dir)
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
