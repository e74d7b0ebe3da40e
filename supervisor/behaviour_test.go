// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// both runs f with the bytes going directly and over the virtual network.
func both(t *testing.T, f func(t *testing.T, v *virtual)) {
	t.Helper()
	t.Run("direct", func(t *testing.T) { f(t, newVirtual(t, Options{})) })
	t.Run("pumped", func(t *testing.T) { f(t, newVirtual(t, Options{NeverDirect: true})) })
}

// bothSay has a role of the test binary print the same in both ways.
func bothSay(t *testing.T, role, want string) {
	t.Helper()
	both(t, func(t *testing.T, v *virtual) {
		if got := v.role(t, role); got != want {
			t.Errorf("got:\n%s\nwant:\n%s", got, want)
		}
	})
}

// step prints what the calls of a role return, one line each.
func step(name string, results ...any) {
	fmt.Print(name)
	for _, r := range results {
		if e, ok := r.(syscall.Errno); ok {
			fmt.Print(" ", unix.ErrnoName(e))
		} else if r == nil {
			fmt.Print(" ok")
		} else {
			fmt.Print(" ", r)
		}
	}
	fmt.Println()
}

func stream() int {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	must(err)
	return fd
}

var loopback = [4]byte{127, 0, 0, 1}

// listenOn returns a listener on the loopback.
func listenOn(port, backlog int) int {
	fd := stream()
	must(unix.Bind(fd, &unix.SockaddrInet4{Addr: loopback, Port: port}))
	must(unix.Listen(fd, backlog))
	return fd
}

// listenerAndClient returns a listener on the loopback and a socket connected to
// it.
func listenerAndClient() (l, c int) {
	l, c = listenOn(4000, 5), stream()
	must(unix.Connect(c, &unix.SockaddrInet4{Addr: loopback, Port: 4000}))
	return l, c
}

// A closed listener's port refuses at once, and can be taken again at once,
// though close(2) is not reported.
func TestClosedListener(t *testing.T) {
	bothSay(t, "closed", "connect ok\nconnect ECONNREFUSED\nbind ok\nlisten ok\nbind EADDRINUSE\n")
}

func roleClosed() int {
	to := &unix.SockaddrInet4{Addr: loopback, Port: 4000}
	l := listenOn(4000, 5)
	c := stream()
	step("connect", unix.Connect(c, to))
	must(unix.Close(l))
	step("connect", unix.Connect(stream(), to))
	l = stream()
	must(unix.SetsockoptInt(l, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)) // c's connection lingers
	step("bind", unix.Bind(l, to))
	step("listen", unix.Listen(l, 5))
	step("bind", unix.Bind(stream(), to))
	return 0
}

// A full backlog keeps clients waiting; there is room for one more than the
// number (sk_acceptq_is_full).
func TestBacklog(t *testing.T) {
	bothSay(t, "backlog", "1 EINPROGRESS writable\n2 EINPROGRESS writable\n3 EINPROGRESS waits\naccept ok\n3 writable\n")
}

func roleBacklog() int {
	l := listenOn(4000, 1)
	var last int
	for i := 1; i <= 3; i++ {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
		must(err)
		e := unix.Connect(fd, &unix.SockaddrInet4{Addr: loopback, Port: 4000})
		step(fmt.Sprint(i), e, writable(fd, 0))
		last = fd
	}
	_, _, err := unix.Accept(l)
	step("accept", err)
	// The third SYN is sent again after a second (RFC 6298's initial RTO).
	step("3", writable(last, int(patience.Milliseconds())))
	return 0
}

func writable(fd, timeout int) string {
	p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
	_, err := unix.Poll(p, timeout)
	must(err)
	if p[0].Revents&unix.POLLOUT != 0 {
		return "writable"
	}
	return "waits"
}

// Half a connection is closed, the other half goes on; names are the virtual
// ones on both sides; the end arrives.
func TestHalfClose(t *testing.T) {
	bothSay(t, "halfclose", "server sees 127.0.0.1, own 127.0.0.1:4000\nclient's peer 127.0.0.1:4000\n"+
		"server read request\nserver read end\nclient read answer\nclient read end\nsecond shutdown ENOTCONN\n")
}

func roleHalfClose() int {
	l, c := listenerAndClient()
	a, from, err := unix.Accept(l)
	must(err)
	own, err := unix.Getsockname(a)
	must(err)
	peer, err := unix.Getpeername(c)
	must(err)
	client, err := unix.Getsockname(c)
	must(err)
	if text(client) != text(from) {
		fmt.Println("the client is", text(client), "and accept says", text(from))
	}
	fmt.Printf("server sees %s, own %s\n", strings.Split(text(from), ":")[0], text(own))
	fmt.Println("client's peer", text(peer))
	_, err = unix.Write(c, []byte("request"))
	must(err)
	must(unix.Shutdown(c, unix.SHUT_WR))
	read("server", a)
	read("server", a)
	_, err = unix.Write(a, []byte("answer"))
	must(err)
	must(unix.Shutdown(a, unix.SHUT_WR))
	read("client", c)
	read("client", c)
	step("second shutdown", unix.Shutdown(a, unix.SHUT_WR))
	return 0
}

func text(a unix.Sockaddr) string {
	if a, ok := a.(*unix.SockaddrInet4); ok {
		return fmt.Sprintf("%s:%d", net.IP(a.Addr[:]), a.Port)
	}
	return fmt.Sprintf("%#v", a)
}

func parseIPv4(s string) net.IP { return net.ParseIP(s).To4() }

func read(who string, fd int) {
	b := make([]byte, 100)
	n, err := unix.Read(fd, b)
	switch {
	case err != nil:
		step(who+" read", err)
	case n == 0:
		fmt.Println(who, "read end")
	default:
		fmt.Println(who, "read", string(b[:n]))
	}
}

// A peer that resets: what was sent before is read, then ECONNRESET, once.
func TestPeerResets(t *testing.T) {
	v := newVirtual(t, Options{})
	l, err := v.web.Listen("tcp", ":80")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // closed
			}
			b := make([]byte, 1)
			_, _ = c.Read(b) // one of many bytes: the close leaves some unread
			c.Close()
		}
	}()
	want := "poll IN|ERR|HUP|RDHUP\nSO_ERROR ECONNRESET\nSO_ERROR ok\nconnect EISCONN\nblocking read ECONNRESET\nblocking read end\n"
	if got := v.role(t, "reset", v.webIP()); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func roleReset() int {
	to := &unix.SockaddrInet4{Addr: [4]byte(parseIPv4(os.Args[1])), Port: 80}
	s := stream()
	must(unix.Connect(s, to))
	_, err := unix.Write(s, []byte("many bytes"))
	must(err)
	fmt.Println("poll", events(await(s)))
	soError(s)
	soError(s)
	step("connect", unix.Connect(s, to))

	s = stream()
	must(unix.Connect(s, to))
	_, err = unix.Write(s, []byte("many bytes"))
	must(err)
	read("blocking", s)
	read("blocking", s)
	return 0
}

func events(e int16) string {
	var names []string
	for _, n := range []struct {
		e    int16
		name string
	}{{unix.POLLIN, "IN"}, {unix.POLLERR, "ERR"}, {unix.POLLHUP, "HUP"}, {unix.POLLRDHUP, "RDHUP"}} {
		if e&n.e != 0 {
			names = append(names, n.name)
		}
	}
	return strings.Join(names, "|")
}

// A connection for which the target has no descriptor left is not lost.
func TestAcceptWithoutDescriptor(t *testing.T) {
	bothSay(t, "full", "accept EMFILE\naccept ok\nserver read kept\n")
}

func roleFull() int {
	l, c := listenerAndClient()
	mustAll(unix.Write(c, []byte("kept")))
	var limit unix.Rlimit
	must(unix.Getrlimit(unix.RLIMIT_NOFILE, &limit))
	most := limit.Cur
	limit.Cur = uint64(c + 1)
	must(unix.Setrlimit(unix.RLIMIT_NOFILE, &limit))
	_, _, err := unix.Accept(l)
	step("accept", err)
	limit.Cur = most
	must(unix.Setrlimit(unix.RLIMIT_NOFILE, &limit))
	a, _, err := unix.Accept(l)
	step("accept", err)
	read("server", a)
	return 0
}

// A peer that closes with bytes unread resets, on either way of the bytes.
func TestUnreadReset(t *testing.T) {
	bothSay(t, "unread", "poll IN|ERR|HUP|RDHUP\nSO_ERROR ECONNRESET\nSO_ERROR ok\n")
}

func roleUnread() int {
	l, c := listenerAndClient()
	a, _, err := unix.Accept(l)
	must(err)
	mustAll(unix.Write(c, []byte("unread")))
	await(a)
	must(unix.Close(a))
	fmt.Println("poll", events(await(c)))
	soError(c)
	soError(c)
	return 0
}

// await waits until fd is readable or ended, and returns its events.
func await(fd int) int16 {
	p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN | unix.POLLRDHUP}}
	_, err := unix.Poll(p, int(patience.Milliseconds()))
	must(err)
	return p[0].Revents
}

func soError(fd int) {
	n, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	must(err)
	if n == 0 {
		step("SO_ERROR", nil)
	} else {
		step("SO_ERROR", syscall.Errno(n))
	}
}

// A socket passed over AF_UNIX, duplicated and inherited is still the socket.
func TestPassedSocket(t *testing.T) {
	bothSay(t, "passed", "passed 127.0.0.1:4000\nserver read through the copy\n")
}

func rolePassed() int {
	l := listenOn(4000, 5)
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	must(err)
	s := stream()
	must(unix.Sendmsg(pair[0], []byte("x"), unix.UnixRights(s), nil, 0))
	must(unix.Close(s))
	control := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(pair[1], make([]byte, 1), control, 0)
	must(err)
	messages, err := unix.ParseSocketControlMessage(control[:n])
	must(err)
	fds, err := unix.ParseUnixRights(&messages[0])
	must(err)
	must(unix.Connect(fds[0], &unix.SockaddrInet4{Addr: loopback, Port: 4000}))
	peer, err := unix.Getpeername(fds[0])
	must(err)
	fmt.Println("passed", text(peer))
	copied, err := unix.Dup(fds[0])
	must(err)
	must(unix.Close(fds[0]))
	_, err = unix.Write(copied, []byte("through the copy"))
	must(err)
	a, _, err := unix.Accept(l)
	must(err)
	read("server", a)
	return 0
}

// Errors of calls on sockets in the wrong state, and with bad arguments, are
// those of TCP and not of AF_UNIX.
func TestCallErrors(t *testing.T) {
	want := `accept EINVAL
getpeername ENOTCONN
shutdown ENOTCONN
accept nonblocking EAGAIN
bind again EINVAL
bind to a foreign address EADDRNOTAVAIL
connect to nowhere ENETUNREACH
socket type ESOCKTNOSUPPORT
socket family EAFNOSUPPORT
listen on datagrams ENOTSUP
connect bad pointer EFAULT
connect bad length EINVAL
connect no descriptor EBADF
connect no socket ENOTSOCK
option unknown ENOPROTOOPT
sendto connected ok
recvfrom connected 5 0
`
	if got := newVirtual(t, Options{}).role(t, "errors"); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func roleErrors() int {
	s := stream()
	_, _, err := unix.Accept(s)
	step("accept", err)
	_, err = unix.Getpeername(s)
	step("getpeername", err)
	step("shutdown", unix.Shutdown(stream(), unix.SHUT_RDWR))
	l := listenOn(4000, 1)
	must(unix.SetNonblock(l, true))
	_, _, err = unix.Accept(l)
	step("accept nonblocking", err)
	step("bind again", unix.Bind(l, &unix.SockaddrInet4{Port: 4001}))
	step("bind to a foreign address", unix.Bind(s, &unix.SockaddrInet4{Addr: [4]byte{192, 0, 2, 1}}))
	step("connect to nowhere", unix.Connect(s, &unix.SockaddrInet4{Addr: [4]byte{192, 0, 2, 1}, Port: 80}))
	_, err = unix.Socket(unix.AF_INET, unix.SOCK_SEQPACKET, 0)
	step("socket type", err)
	_, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0)
	step("socket family", err)
	d, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	must(err)
	step("listen on datagrams", unix.Listen(d, 1))
	_, _, e := unix.Syscall(unix.SYS_CONNECT, uintptr(s), 1, 16)
	step("connect bad pointer", e)
	_, _, e = unix.Syscall(unix.SYS_CONNECT, uintptr(s), addressOf(make([]byte, 16)), ^uintptr(0))
	step("connect bad length", e)
	to := &unix.SockaddrInet4{Addr: loopback, Port: 4000}
	step("connect no descriptor", unix.Connect(1000, to))
	file, err := unix.Open("/dev/null", unix.O_RDONLY, 0)
	must(err)
	step("connect no socket", unix.Connect(file, to))
	_, err = unix.GetsockoptInt(s, unix.SOL_SOCKET, 9999)
	step("option unknown", err)
	must(unix.Connect(s, to))
	a, _, err := unix.Accept(l)
	must(err)
	step("sendto connected", unix.Sendto(s, []byte("bytes"), 0, to))
	// TCP tells no address: the length becomes 0.
	name, length, b := make([]byte, 16), []byte{16, 0, 0, 0}, make([]byte, 10)
	n, _, e := unix.Syscall6(unix.SYS_RECVFROM, uintptr(a), addressOf(b), 10, 0, addressOf(name), addressOf(length))
	if e != 0 {
		step("recvfrom connected", e)
	} else {
		step("recvfrom connected", n, length[0])
	}
	return 0
}
