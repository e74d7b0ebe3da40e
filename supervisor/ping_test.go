// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"encoding/binary"
	"fmt"
	"os"
	"syscall"
	"testing"

	"dialtone/socket"

	"golang.org/x/sys/unix"
)

// Ping and raw sockets, and what goes beside a datagram.
func TestPing(t *testing.T) {
	v := newVirtual(t, Options{})
	must(v.here.Stack().SetSysctlNamed("net.ipv4.ping_group_range", "0 2147483647"))
	want := `getpeername ENOTCONN
connected reply 0 payload
from web port 0
dissolved write ENOTCONN
reply from web, TTL 64
truncated true
raw reply of 35 bytes, protocol 1, TTL 64
refused ECONNREFUSED
errors ECONNREFUSED origin 2 type 3 code 3, reported by web, of a datagram to port 9: lost
errors EAGAIN
`
	if got := v.role(t, "ping", v.webIP()); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func rolePing() int {
	web := [4]byte(parseIPv4(argument(1)))
	who := func(a [4]byte) string {
		if a == web {
			return "web"
		}
		return fmt.Sprint(a)
	}
	echo := append([]byte{8, 0, 0, 0, 0, 0, 0, 1}, "payload"...)
	b := make([]byte, 100)

	c, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, unix.IPPROTO_ICMP)
	must(err)
	must(unix.Connect(c, &unix.SockaddrInet4{Addr: web}))
	_, err = unix.Getpeername(c)
	step("getpeername", err) // inet_getname shows no peer without a port
	mustAll(unix.Write(c, echo))
	n, err := unix.Read(c, b)
	must(err)
	fmt.Println("connected reply", b[0], string(b[8:n]))
	mustAll(unix.Write(c, echo))
	_, from, err := unix.Recvfrom(c, b, 0)
	must(err)
	fmt.Println("from", who(from.(*unix.SockaddrInet4).Addr), "port", from.(*unix.SockaddrInet4).Port)
	unspecified := make([]byte, unix.SizeofSockaddrInet4)
	_, _, e := unix.Syscall(unix.SYS_CONNECT, uintptr(c), addressOf(unspecified), uintptr(len(unspecified)))
	if e != 0 {
		panic(e)
	}
	_, err = unix.Write(c, echo)
	step("dissolved write", err)

	// As ping(8) does it.
	p, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, unix.IPPROTO_ICMP)
	must(err)
	must(unix.SetsockoptInt(p, unix.SOL_IP, unix.IP_RECVTTL, 1))
	must(unix.Sendto(p, echo, 0, &unix.SockaddrInet4{Addr: web}))
	control := make([]byte, 100)
	_, size, _, from, err := unix.Recvmsg(p, b, control, 0)
	must(err)
	ttl := controlData(control[:size], unix.SOL_IP, unix.IP_TTL)
	fmt.Printf("reply from %s, TTL %d\n", who(from.(*unix.SockaddrInet4).Addr), binary.LittleEndian.Uint32(ttl))
	must(unix.Sendto(p, echo, 0, &unix.SockaddrInet4{Addr: web}))
	_, _, flags, _, err := unix.Recvmsg(p, b, control[:10], 0)
	must(err)
	fmt.Println("truncated", flags == unix.MSG_CTRUNC)

	r, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP)
	must(err)
	request := append([]byte{8, 0, 0, 0, 0, 7, 0, 1}, "payload"...)
	binary.BigEndian.PutUint16(request[2:], checksum(request))
	must(unix.Sendto(r, request, 0, &unix.SockaddrInet4{Addr: web}))
	n, err = unix.Read(r, b)
	must(err)
	fmt.Printf("raw reply of %d bytes, protocol %d, TTL %d\n", n, b[9], b[8])

	// An error of a socket without a peer, while a call waits for a datagram.
	u, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	must(err)
	must(unix.SetsockoptInt(u, unix.SOL_IP, unix.IP_RECVERR, 1))
	must(unix.Sendto(u, []byte("lost"), 0, &unix.SockaddrInet4{Addr: web, Port: 9}))
	_, _, err = unix.Recvfrom(u, b, 0)
	step("refused", err)
	n, size, _, from, err = unix.Recvmsg(u, b, control, unix.MSG_ERRQUEUE)
	must(err)
	x := controlData(control[:size], unix.SOL_IP, unix.IP_RECVERR)
	fmt.Printf("errors %s origin %d type %d code %d, reported by %s, of a datagram to port %d: %s\n",
		unix.ErrnoName(syscall.Errno(binary.LittleEndian.Uint32(x))), x[4], x[5], x[6],
		who([4]byte(x[16+4:])), from.(*unix.SockaddrInet4).Port, b[:n])
	_, _, _, _, err = unix.Recvmsg(u, b, control, unix.MSG_ERRQUEUE)
	step("errors", err)
	return 0
}

// controlData finds a control message.
func controlData(b []byte, level, typ int32) []byte {
	messages, err := unix.ParseSocketControlMessage(b)
	must(err)
	for _, m := range messages {
		if m.Header.Level == level && m.Header.Type == typ {
			return m.Data
		}
	}
	panic(fmt.Sprint("no such control message: ", messages))
}

// checksum is that of RFC 1071.
func checksum(b []byte) uint16 {
	sum := uint32(0)
	for ; len(b) > 1; b = b[2:] {
		sum += uint32(binary.BigEndian.Uint16(b))
	}
	if len(b) > 0 {
		sum += uint32(b[0]) << 8
	}
	sum = sum>>16 + sum&0xffff
	return ^uint16(sum>>16 + sum)
}

// Raw sockets need CAP_NET_RAW, ping sockets a group of the host's range.
func TestPingForbidden(t *testing.T) {
	v := newVirtual(t, Options{})
	got, status := hostedOutput(t, v.sup, Program{
		Argv: []string{selfPath(t)}, Env: append(os.Environ(), roleVariable+"=pingforbidden"),
		Stack: v.here.Stack(), Caller: socket.Caller{UID: 1000, GID: 1000},
	})
	if want := "raw EPERM\nping EACCES\n"; status != 0 || got != want {
		t.Errorf("status %d, got:\n%s\nwant:\n%s", status, got, want)
	}
}

func rolePingForbidden() int {
	_, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP)
	step("raw", err)
	_, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, unix.IPPROTO_ICMP)
	step("ping", err)
	return 0
}

// SO_RCVBUF is that of the layer's queue: with room for a thousand datagrams
// none is lost that nobody reads yet.
func TestReceiveBuffer(t *testing.T) {
	if got := newVirtual(t, Options{}).role(t, "receivebuffer"); got != "ok" {
		t.Errorf("the target says %q", got)
	}
}

func roleReceiveBuffer() int {
	const many, size = 1000, 1000 // several times the default buffer
	u, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	must(err)
	must(unix.SetsockoptInt(u, unix.SOL_SOCKET, unix.SO_RCVBUF, 2*many*size))
	must(unix.SetsockoptInt(u, unix.SOL_SOCKET, unix.SO_SNDBUF, 2*size))
	to := &unix.SockaddrInet4{Addr: loopback, Port: 4000}
	must(unix.Bind(u, to))
	b := make([]byte, size)
	for i := range many {
		binary.LittleEndian.PutUint32(b, uint32(i))
		must(unix.Sendto(u, b, 0, to))
	}
	must(unix.SetsockoptTimeval(u, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: int64(patience.Seconds())}))
	for i := range many {
		_, err := unix.Read(u, b)
		for err == unix.EINTR { // of the Go runtime's own signals: with SO_RCVTIMEO no call restarts (signal(7))
			_, err = unix.Read(u, b)
		}
		must(err)
		if n := binary.LittleEndian.Uint32(b); n != uint32(i) {
			fmt.Println("read", n, "in place of", i)
			return 1
		}
	}
	fmt.Print("ok")
	return 0
}
