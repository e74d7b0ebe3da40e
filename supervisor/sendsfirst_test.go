// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"fmt"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// What a connected datagram socket has sent by write(2), which is not caught,
// goes before what the next call does to the socket, also when the loop has not
// come to it. socat(1) sends what it has read and shuts its half down.
func TestSendsFirst(t *testing.T) {
	v := newVirtual(t, Options{})
	var at []net.PacketConn
	for port := 7001; port <= 7003; port++ {
		p, err := v.web.ListenPacket("udp", fmt.Sprint(":", port))
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		at = append(at, p)
	}
	release := make(chan struct{})
	v.sup.loop.post(func() { <-release })
	v.role(t, "sendsfirst", v.webIP())
	close(release)
	for i, want := range []string{"to the first", "to the second", "before the end"} {
		b := make([]byte, 100)
		if err := at[i].SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		n, _, err := at[i].ReadFrom(b)
		if err != nil {
			t.Errorf("%s: %v", want, err)
		} else if got := string(b[:n]); got != want {
			t.Errorf("%s: got %q, want %q", at[i].LocalAddr(), got, want)
		}
	}
}

func roleSendsFirst() int {
	web := [4]byte(parseIPv4(argument(1)))
	c, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	must(err)
	for i, text := range []string{"to the first", "to the second", "before the end"} {
		must(unix.Connect(c, &unix.SockaddrInet4{Addr: web, Port: 7001 + i}))
		mustAll(unix.Write(c, []byte(text)))
	}
	must(unix.Shutdown(c, unix.SHUT_WR))
	return 0
}
