// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"dialtone"
	"dialtone/link"
	"dialtone/trail"

	"golang.org/x/sys/unix"
)

// Two programs on two hosts under one supervisor.
func TestTwoHosts(t *testing.T) {
	v := newVirtual(t, Options{})
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	server, err := v.sup.Start(Program{
		Argv: []string{selfPath(t)}, Env: append(os.Environ(), roleVariable+"=server"),
		Stdout: w, Stderr: os.Stderr, Stack: v.web.Stack(),
	})
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(make([]byte, 1)); err != nil { // it listens
		t.Fatal(err)
	}
	want := "client sees " + v.webIP() + ":4000\nclient read " + ipv4(v.here).String() + "\nclient read end\n"
	if got := v.role(t, "client", v.webIP()); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if status, err := server.Wait(); status != 0 || err != nil {
		t.Errorf("server: status %d, %v", status, err)
	}
}

// roleServer tells one client its address.
func roleServer() int {
	l := stream()
	must(unix.Bind(l, &unix.SockaddrInet4{Port: 4000}))
	must(unix.Listen(l, 1))
	fmt.Print("!")
	a, from, err := unix.Accept(l)
	must(err)
	mustAll(unix.Write(a, []byte(strings.Split(text(from), ":")[0])))
	return 0
}

func roleClient() int {
	c := stream()
	must(unix.Connect(c, &unix.SockaddrInet4{Addr: [4]byte(parseIPv4(argument(1))), Port: 4000}))
	peer, err := unix.Getpeername(c)
	must(err)
	fmt.Println("client sees", text(peer))
	read("client", c)
	read("client", c)
	return 0
}

// A program that shuts its writing half and then closes with bytes unread
// resets: the other side is told that they were lost.
func TestCloseUnreadAfterShutdown(t *testing.T) {
	v := newVirtual(t, Options{})
	l, err := v.web.Listen("tcp", ":80")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	lost := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			lost <- err
			return
		}
		defer c.Close()
		for {
			if _, err := c.Write([]byte("unread")); err != nil {
				lost <- err
				return
			}
		}
	}()
	v.role(t, "closeunread", v.webIP())
	if err := <-lost; !errors.Is(err, unix.EPIPE) && !errors.Is(err, unix.ECONNRESET) {
		t.Errorf("the server's write: %v, want a reset", err)
	}
}

func roleCloseUnread() int {
	c := stream()
	must(unix.Connect(c, webAddress(80)))
	must(unix.Shutdown(c, unix.SHUT_WR))
	await(c)
	must(unix.Close(c))
	return 0
}

// A blocking connect that a signal without SA_RESTART interrupts returns EINTR
// and goes on: the socket does not poll writable, and the next call waits for
// its end, or finds it.
func TestInterruptedConnect(t *testing.T) {
	needs(t, "python3")
	v := newVirtual(t, Options{})
	far, err := v.net.NewHost("far.test", v.here.Core().Personality)
	if err != nil {
		t.Fatal(err)
	}
	cable := link.NewCable(0)
	cable.Cut()
	attach := func(h *dialtone.Host, p string) {
		if _, err := h.Attach("slow0", cable, netip.MustParsePrefix(p)); err != nil {
			t.Fatal(err)
		}
	}
	attach(v.here, "172.16.0.1/24")
	attach(far, "172.16.0.2/24")
	l, err := far.Listen("tcp", ":80")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	// The program says by a connection when the cable is to be healed, and when cut.
	says, err := v.web.Listen("tcp", ":80")
	if err != nil {
		t.Fatal(err)
	}
	defer says.Close()
	go func() {
		for _, act := range []func(){cable.Heal, cable.Cut} {
			c, err := says.Accept()
			if err != nil {
				return // closed
			}
			act()
			c.Close()
		}
	}()
	got, status := v.run(t, nil, "python3", "-c", `
import errno, select, signal, socket, sys
def say(): socket.create_connection((sys.argv[1], 80)).recv(1)
class Alarm(Exception): pass
def alarm(*_): raise Alarm
signal.signal(signal.SIGALRM, alarm)
s = socket.socket()
signal.setitimer(signal.ITIMER_REAL, 0.5)
try: s.connect(('172.16.0.2', 80))
except Alarm: print('interrupted')
p = select.poll(); p.register(s, select.POLLOUT); print(p.poll(0))
say()
print(s.connect_ex(('172.16.0.2', 80)), errno.errorcode[s.connect_ex(('172.16.0.2', 80))], s.getpeername()[0])
say()
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, (0).to_bytes(8, 'little') + (50000).to_bytes(8, 'little'))
print(errno.errorcode[s.connect_ex(('172.16.0.2', 80))])
`, v.webIP())
	if want := "interrupted\n[]\n0 EISCONN 172.16.0.2\nEINPROGRESS\n"; status != 0 || got != want {
		t.Errorf("status %d, got %q, want %q", status, got, want)
	}
}

// An ICMP error that a receive without an address has told is not told again.
func TestDatagramErrorIsToldOnce(t *testing.T) {
	needs(t, "python3")
	v := newVirtual(t, Options{})
	got, status := v.run(t, nil, "python3", "-c", `
import select, socket, sys
to = (sys.argv[1], 9)
def told():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.connect(to)
    s.send(b'x')
    p = select.poll(); p.register(s, 0); p.poll()
    try: s.recv(1)
    except OSError: pass
    return s
print(told().getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), told().sendto(b'x', to))
`, v.webIP())
	if want := "0 1\n"; status != 0 || got != want {
		t.Errorf("status %d, got %q, want %q", status, got, want)
	}
}

// Explanations come for blocking and non-blocking attempts, with the call as
// strace prints it and what decided.
func TestExplain(t *testing.T) {
	v := newExplained(t, Options{})
	v.serveEcho(t)
	v.role(t, "explained", v.webIP())
	address := func(port int) string {
		return fmt.Sprintf("{sa_family=AF_INET, sin_port=htons(%d), sin_addr=inet_addr(%q)}, 16)", port, v.webIP())
	}
	for _, want := range []struct{ call, errno string }{
		{address(7) + " = 0", ""},
		{address(7) + " = -1 EISCONN (Transport endpoint is already connected)", "EISCONN"},
		{address(81) + " = -1 ECONNREFUSED (Connection refused)", "ECONNREFUSED"},
		{address(81) + " = -1 EINPROGRESS (Operation now in progress)", "ECONNREFUSED"},
		{address(7) + " = -1 EINPROGRESS (Operation now in progress)", ""},
	} {
		got := v.next(t)
		var fd int
		if n, _ := fmt.Sscanf(got.Call, "connect(%d, ", &fd); n != 1 || got.Call != fmt.Sprintf("connect(%d, %s", fd, want.call) ||
			got.Errno != want.errno || got.Program == "?" || got.PID == 0 {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
		if want.errno == "" && !slices.ContainsFunc(got.Trail.Lines, func(l trail.Line) bool { return l.Layer == trail.Path }) {
			t.Errorf("%s: nothing tells how the bytes travel", got.Call)
		}
		if d, ok := got.Trail.Decided(); want.errno == "ECONNREFUSED" && (!ok || !strings.Contains(d.Text, "RST")) {
			t.Errorf("%s: decided by %+v, want the RST", got.Call, d)
		}
	}
}

func roleExplained() int {
	to := func(port int) unix.Sockaddr {
		return &unix.SockaddrInet4{Addr: [4]byte(parseIPv4(os.Args[1])), Port: port}
	}
	s := stream()
	must(unix.Connect(s, to(7)))
	_ = unix.Connect(s, to(7)) // EISCONN; what it returns is explained
	_ = unix.Connect(stream(), to(81))
	for _, port := range []int{81, 7} {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
		must(err)
		if err := unix.Connect(fd, to(port)); !errors.Is(err, unix.EINPROGRESS) {
			panic(err)
		}
		writable(fd, int(patience.Milliseconds()))
	}
	return 0
}

// An attempt that is made again, since closed sockets held all the ports, is
// explained once.
func TestExplainSecondAttempt(t *testing.T) {
	v := newExplained(t, Options{})
	v.serveEcho(t)
	if err := v.here.Stack().SetSysctlNamed("net.ipv4.ip_local_port_range", "40000 40000"); err != nil {
		t.Fatal(err)
	}
	v.role(t, "secondattempt", v.webIP())
	got := v.next(t)
	routes := 0
	for _, l := range got.Trail.Lines {
		if l.Layer == trail.Route {
			routes++
		}
	}
	if got.Errno != "EADDRNOTAVAIL" || routes != 1 {
		t.Errorf("%s with %d routes, want EADDRNOTAVAIL and one: %+v", got.Errno, routes, got.Trail.Lines)
	}
}

func roleSecondAttempt() int {
	// The only port is taken by a listener.
	must(unix.Listen(bound(40000), 1))
	if e := unix.Connect(stream(), &unix.SockaddrInet4{Addr: [4]byte(parseIPv4(os.Args[1])), Port: 7}); e != unix.EADDRNOTAVAIL {
		panic(e)
	}
	return 0
}

func bound(port int) int {
	fd := stream()
	must(unix.Bind(fd, &unix.SockaddrInet4{Port: port}))
	return fd
}
