// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// ss(8) lists the virtual host's sockets, and whose they are; that is what it lists of the same program's on Linux 6.18.
func TestSockDiag(t *testing.T) {
	needs(t, "ss")
	bothSay(t, "sockdiag", `tcp ESTAB 0 0 127.0.0.1:4000 127.0.0.1:E own
tcp ESTAB 0 0 127.0.0.1:E 127.0.0.1:4000 own
tcp ESTAB 0 0 [::1]:4000 [::1]:E
tcp ESTAB 0 0 [::1]:E [::1]:4000 own
tcp LISTEN 0 5 127.0.0.1:4000 0.0.0.0:* own
tcp LISTEN 1 3 [::1]:4000 [::]:* own
udp ESTAB 0 0 127.0.0.1:E 127.0.0.1:4000 own
udp UNCONN 0 0 127.0.0.1:4000 0.0.0.0:* own
`)
}

// roleSockDiag makes sockets and has ss(8) list them.
func roleSockDiag() int {
	l, _ := listenerAndClient()
	_, _, err := unix.Accept(l)
	must(err)
	open := func(family, typ int) int {
		fd, err := unix.Socket(family, typ, 0)
		must(err)
		return fd
	}
	six := &unix.SockaddrInet6{Addr: [16]byte{15: 1}, Port: 4000}
	l = open(unix.AF_INET6, unix.SOCK_STREAM)
	must(unix.SetsockoptInt(l, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1))
	must(unix.Bind(l, six))
	must(unix.Listen(l, 3))
	must(unix.Connect(open(unix.AF_INET6, unix.SOCK_STREAM), six)) // is not accepted: nobody's yet
	to := &unix.SockaddrInet4{Addr: loopback, Port: 4000}
	must(unix.Bind(open(unix.AF_INET, unix.SOCK_DGRAM), to))
	must(unix.Connect(open(unix.AF_INET, unix.SOCK_DGRAM), to))

	out, err := exec.Command("ss", "-Hnptua", "( sport = :4000 or dport = :4000 )").CombinedOutput()
	must(err)
	ephemeral, owner := regexp.MustCompile(`:[1-9]\d{4}\b`), regexp.MustCompile(fmt.Sprintf(`users:.*pid=%d,fd=.*`, os.Getpid()))
	var lines []string
	for line := range strings.Lines(string(out)) {
		line = owner.ReplaceAllString(ephemeral.ReplaceAllString(line, ":E"), "own")
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	slices.Sort(lines)
	fmt.Println(strings.Join(lines, "\n"))
	return 0
}
