// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"dialtone/firewall"
	"dialtone/inet"
	"dialtone/link"
	"dialtone/trail"
	"dialtone/wire"

	"golang.org/x/sys/unix"
)

// Programs on two hosts are joined directly if the network is settled, and if
// nobody on the way acts on the bytes.
func TestSettled(t *testing.T) {
	nothing := func(*testing.T, *virtual) {}
	for _, c := range []struct {
		name   string
		opts   Options
		change func(t *testing.T, v *virtual)
		direct bool
	}{
		{"settled", Options{Settled: true}, nothing, true},
		{"not settled", Options{}, nothing, false},
		{"never direct", Options{Settled: true, NeverDirect: true}, nothing, false},
		{"latency", Options{Settled: true}, func(t *testing.T, v *virtual) { v.net.Hub().SetLatency(time.Microsecond) }, false},
		{"rules of the link", Options{Settled: true}, func(t *testing.T, v *virtual) {
			must(v.net.Impair(link.Rule{Effect: link.Effect{Duplicate: 0.1}}))
		}, false},
		{"rules that are gone", Options{Settled: true}, func(t *testing.T, v *virtual) {
			must(v.net.Impair(link.Rule{Effect: link.Effect{Duplicate: 0.1}}))
			must(v.net.Impair())
		}, true},
		{"a tap on the client", Options{Settled: true}, func(t *testing.T, v *virtual) { wrap(v.here.Stack().Interfaces()[1]) }, false},
		{"a tap on the server", Options{Settled: true}, func(t *testing.T, v *virtual) { wrap(v.web.Stack().Interfaces()[1]) }, false},
		{"the client's firewall", Options{Settled: true}, func(t *testing.T, v *virtual) { v.here.Firewall(dropFIN) }, false},
		{"the server's firewall", Options{Settled: true}, func(t *testing.T, v *virtual) { v.web.Firewall(dropFIN) }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := newExplained(t, c.opts)
			c.change(t, v)
			e := v.startEcho(t)
			e.say(t, "hello", "hello")
			path := ""
			for _, l := range v.next(t).Trail.Lines {
				if l.Layer == trail.Path {
					path = l.Text
				}
			}
			if direct := strings.Contains(path, "kernel socket"); direct != c.direct {
				t.Errorf("direct: %v; %q", direct, path)
			}
			e.end(t)
		})
	}
}

// A link that is cut under an established connection carries nothing until it
// is healed, and a crash ends it, unless the network was promised to be settled.
func TestCutLater(t *testing.T) {
	v := newVirtual(t, Options{})
	e := v.startEcho(t)
	e.say(t, "before", "before")
	v.net.Hub().Cut()
	e.say(t, "under", "EAGAIN")
	v.net.Hub().Heal()
	e.say(t, "", "under") // sent again
	v.here.Crash()
	e.say(t, "crashed", "ECONNRESET")
	e.end(t)
}

func wrap(i *inet.Interface) {
	i.Wrap(func(l link.Link) link.Link { return observed{l} })
}

// observed is a link that this package knows nothing of.
type observed struct{ link.Link }

// dropFIN never touches what a connection needs to be made.
func dropFIN(f *firewall.Firewall) {
	rule := firewall.Rule{Proto: wire.TCP, FlagMask: wire.FIN, Flags: wire.FIN, Verdict: firewall.Verdict{Action: firewall.Drop}}
	f.Output.Rules = append(f.Output.Rules, rule)
}

// echoing is a program on here that connects to one on web when it first says something.
type echoing struct {
	lines  io.WriteCloser
	heard  *bufio.Scanner
	client *Target
	server *Target
}

func (v *virtual) startEcho(t *testing.T) *echoing {
	t.Helper()
	serverOut, serverSays, err := os.Pipe()
	must(err)
	fromTest, toClient, err := os.Pipe()
	must(err)
	fromClient, clientSays, err := os.Pipe()
	must(err)
	t.Cleanup(func() { serverOut.Close(); toClient.Close(); fromClient.Close() })
	e := &echoing{lines: toClient, heard: bufio.NewScanner(fromClient)}
	start := func(p Program, role string, args ...string) *Target {
		p.Argv, p.Env = append([]string{selfPath(t)}, args...), append(os.Environ(), roleVariable+"="+role)
		p.Stderr = os.Stderr
		target, err := v.sup.Start(p)
		must(err)
		t.Cleanup(target.Kill)
		return target
	}
	e.server = start(Program{Stdout: serverSays, Stack: v.web.Stack()}, "echoserver")
	serverSays.Close()
	if _, err := serverOut.Read(make([]byte, 1)); err != nil { // it listens
		t.Fatal(err)
	}
	e.client = start(Program{Stdin: fromTest, Stdout: clientSays, Stack: v.here.Stack()}, "echoclient", v.webIP())
	fromTest.Close()
	clientSays.Close()
	return e
}

// say has the client send text, and checks what it hears back.
func (e *echoing) say(t *testing.T, text, want string) {
	t.Helper()
	fmt.Fprintln(e.lines, text)
	if !e.heard.Scan() || e.heard.Text() != want {
		t.Fatalf("said %q, heard %q, want %q", text, e.heard.Text(), want)
	}
}

func (e *echoing) end(t *testing.T) {
	t.Helper()
	e.lines.Close()
	if status, err := e.client.Wait(); status != 0 || err != nil {
		t.Errorf("client: status %d, %v", status, err)
	}
	e.server.Kill() // it may not have heard of the end
	if _, err := e.server.Wait(); err != nil {
		t.Error(err)
	}
}

// roleEchoServer sends one client back what it sends.
func roleEchoServer() int {
	l := stream()
	must(unix.Bind(l, &unix.SockaddrInet4{Port: 4000}))
	must(unix.Listen(l, 1))
	fmt.Print("!")
	a, _, err := unix.Accept(l)
	must(err)
	b := make([]byte, 100)
	for {
		n, err := unix.Read(a, b)
		if err != nil || n == 0 {
			return 0
		}
		mustAll(unix.Write(a, b[:n]))
	}
}

// roleEchoClient sends each line that it is told, and says what comes back.
func roleEchoClient() int {
	c := -1
	b := make([]byte, 100)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if c < 0 {
			c = stream()
			must(unix.Connect(c, &unix.SockaddrInet4{Addr: [4]byte(parseIPv4(argument(1))), Port: 4000}))
		}
		wait := unix.NsecToTimeval(int64(patience))
		if lines.Text() == "under" {
			wait = unix.Timeval{Usec: 100_000}
		}
		must(unix.SetsockoptTimeval(c, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait))
		n := 0
		_, err := unix.SendmsgN(c, lines.Bytes(), nil, nil, unix.MSG_NOSIGNAL)
		if err == unix.EPIPE { // the reset was there before
			err = unix.ECONNRESET
		}
		if err == nil {
			n, err = unix.Read(c, b)
		}
		if err != nil {
			fmt.Println(unix.ErrnoName(err.(unix.Errno)))
			continue
		}
		fmt.Println(string(b[:n]))
	}
	return 0
}
