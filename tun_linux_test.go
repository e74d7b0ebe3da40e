// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"dialtone/link"
)

// wired is a network with the running kernel on its hub: in a network namespace of its own, so that the machine's is left
// alone. The test's goroutine is in there, and so are programs that it starts.
type wired struct {
	*Network
	tun  *link.TUN
	here *Host
}

var (
	machine4 = netip.MustParsePrefix("10.255.255.254/8")
	machine6 = netip.MustParsePrefix("fd00::ffff/64")
)

func newWired(t *testing.T) *wired {
	t.Helper()
	inNamespace(t)
	n := NewNetwork()
	tun, err := link.OpenTUN("dialtone0", n.Hub(), n.Clock(), machine4, machine6)
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("no TUN devices here: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tun.Close(); err != nil {
			t.Error(err)
		}
	})
	return &wired{n, tun, n.Host("here.test")}
}

// inNamespace puts the calling goroutine and its thread, for ever, into a new network namespace.
func inNamespace(t *testing.T) {
	t.Helper()
	// Package net finds out once, here and not in there, which versions of IP a wildcard can be of.
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("no network namespace to be had (root is needed): %v", err)
	}
}

func (w *wired) ip4() string { return w.Addresses("here.test")[0].String() }
func (w *wired) ip6() string { return w.Addresses("here.test")[1].String() }

// program runs a program of the machine's and returns what it printed.
func program(t *testing.T, argv ...string) string {
	t.Helper()
	if _, err := exec.LookPath(argv[0]); err != nil {
		t.Skip(err)
	}
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// Programs of the machine reach hosts here: pages, refusals, silence, echoes, also in fragments, over IPv4 and IPv6.
func TestTUN_programsReachHosts(t *testing.T) {
	w := newWired(t)
	l, err := w.here.Listen("tcp", ":80")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	page := bytes.Repeat([]byte("0123456789abcde\n"), 1<<16)
	go http.Serve(l, http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) { out.Write(page) }))
	for _, ip := range []string{w.ip4(), "[" + w.ip6() + "]"} {
		if got := program(t, "curl", "-sS", "http://"+ip+"/"); got != string(bytes.TrimSpace(page)) {
			t.Errorf("curl of %s: %d bytes, %.200q", ip, len(got), got)
		}
		if got := program(t, "curl", "-sS", "http://"+ip+":81/"); !strings.Contains(got, "Couldn't connect") && !strings.Contains(got, "refused") {
			t.Errorf("curl of a closed port of %s: %q", ip, got)
		}
	}
	connect := `import socket,sys
try: socket.create_connection((sys.argv[1], 80), 20)
except OSError as e: print(e.strerror)`
	if got := program(t, "python3", "-c", connect, "10.77.77.77"); got != "No route to host" {
		t.Errorf("connect to an address that nobody has: %q", got)
	}
	for _, ip := range []string{w.ip4(), w.ip6()} {
		for _, size := range []string{"56", "4000"} { // the latter in three fragments
			if got := program(t, "ping", "-c1", "-W5", "-s", size, ip); !strings.Contains(got, " 0% packet loss") {
				t.Errorf("ping -s %s: %s", size, got)
			}
		}
	}
	if c := w.tun.Counts(); c.Lost != 0 || c.Malformed != 0 || c.FromMachine == 0 || c.ToMachine == 0 || c.Unclaimed == 0 {
		t.Errorf("%+v", c)
	}
}

// Hosts here reach servers on the machine, and a link's latency counts on the way.
func TestTUN_hostsReachTheMachine(t *testing.T) {
	w := newWired(t)
	for _, c := range []struct{ network, machine string }{
		{"tcp4", machine4.Addr().String()}, {"tcp6", machine6.Addr().String()},
	} {
		at := net.JoinHostPort(c.machine, "0")
		l, err := net.Listen(c.network, at) // by this thread, in the namespace
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() {
			for {
				s, err := l.Accept()
				if err != nil {
					return
				}
				go func() {
					io.Copy(s, s)
					s.Close()
				}()
			}
		}()
		client, err := w.here.Dial(c.network, l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		const size = 8 << 20
		sent := make([]byte, size)
		for i := range sent {
			sent[i] = byte(i>>8 ^ i)
		}
		go func() {
			client.Write(sent)
			client.(interface{ CloseWrite() error }).CloseWrite()
		}()
		client.SetDeadline(time.Now().Add(time.Minute))
		got, err := io.ReadAll(client)
		if err != nil || !bytes.Equal(got, sent) {
			t.Errorf("%s: %d of %d bytes came back: %v", c.network, len(got), size, err)
		}
		client.Close()

		l.Close()
		if _, err := w.here.Dial(c.network, l.Addr().String()); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%s to a closed port: %v", c.network, err)
		}
	}
}

// A datagram that is longer than the device takes goes there and back in fragments.
func TestTUN_fragments(t *testing.T) {
	w := newWired(t)
	pc, err := net.ListenPacket("udp4", machine4.Addr().String()+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	client, err := w.here.Dial("udp4", pc.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	sent := make([]byte, 9000)
	for i := range sent {
		sent[i] = byte(i >> 4)
	}
	if _, err := client.Write(sent); err != nil {
		t.Fatal(err)
	}
	pc.SetDeadline(time.Now().Add(time.Minute))
	got := make([]byte, 10000)
	n, from, err := pc.ReadFrom(got)
	if err != nil || !bytes.Equal(got[:n], sent) {
		t.Fatalf("%d bytes came to the machine: %v", n, err)
	}
	if _, err := pc.WriteTo(sent, from); err != nil {
		t.Fatal(err)
	}
	client.SetDeadline(time.Now().Add(time.Minute))
	if n, err = client.Read(got); err != nil || !bytes.Equal(got[:n], sent) {
		t.Errorf("%d bytes came back: %v", n, err)
	}
}

// What a link does to packets, it does to the machine's.
func TestTUN_latency(t *testing.T) {
	w := newWired(t)
	const latency = 50 * time.Millisecond
	w.Hub().SetLatency(latency)
	l, err := w.here.Listen("tcp4", ":80")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	began := time.Now()
	c, err := net.Dial("tcp4", w.ip4()+":80")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if took := time.Since(began); took < 2*latency {
		t.Errorf("a connect took %v over a link of %v each way", took, latency)
	}
}

// What can't be opened says why, and what to do.
func TestTUN_mistakes(t *testing.T) {
	inNamespace(t)
	n := NewNetwork()
	open := func(name string, addresses ...netip.Prefix) string {
		tun, err := link.OpenTUN(name, n.Hub(), n.Clock(), addresses...)
		if err == nil {
			tun.Close()
			return ""
		}
		return err.Error()
	}
	tun, err := link.OpenTUN("dialtone0", n.Hub(), n.Clock(), machine4)
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("no TUN devices here: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ got, want string }{
		{open("dialtone0"), "another program has it open"},
		{open("lo"), "is no TUN device"},
		{open("a name that is too long"), "expected 1 to 15 letters"},
		{open("dialtone1", netip.Prefix{}), "such as 10.9.0.254/24"},
		{open("dialtone1", netip.MustParsePrefix("10.0.0.1/8"), netip.MustParsePrefix("10.0.0.1/8")), ""},
	} {
		if !strings.Contains(c.got, c.want) || c.want == "" && c.got != "" {
			t.Errorf("said %q, want %q", c.got, c.want)
		}
	}
	if err := tun.Close(); err != nil {
		t.Error(err)
	}
	if got := open("dialtone0"); got != "" {
		t.Errorf("after Close: %v", got)
	}
}
