// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"fmt"
	"io"
	"testing"
)

// A connection that was reset while it waited is accepted, with its peer's
// address; the first read tells (accept(2), inet_csk_accept).
func TestAcceptAfterReset(t *testing.T) {
	needs(t, "python3")
	v := newVirtual(t, Options{})
	l, err := v.web.Listen("tcp", ":9")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	peer := make(chan string, 1)
	go func() {
		defer close(peer)
		told, err := l.Accept() // the program listens
		if err != nil {
			t.Error(err)
			return
		}
		defer told.Close()
		c, err := v.web.Dial("tcp", ipv4(v.here).String()+":4000")
		if err != nil {
			t.Error(err)
			return
		}
		if err := c.(interface{ SetLinger(int) error }).SetLinger(0); err != nil {
			t.Error(err)
		}
		c.Close()
		peer <- c.LocalAddr().String()
		_, _ = io.WriteString(told, "x") // else the program says that it is missing
	}()
	out, status := v.run(t, nil, "python3", "-c", `
import socket, sys
l = socket.socket()
l.bind(("", 4000))
l.listen()
l.settimeout(5)
c = socket.create_connection((sys.argv[1], 9))
assert c.recv(1) == b"x"
s, (host, port) = l.accept()
print(f"{host}:{port}")
try: print(s.recv(1))
except ConnectionResetError: print("reset")
`, v.webIP())
	if want := fmt.Sprintf("%s\nreset\n", <-peer); out != want || status != 0 {
		t.Errorf("status %d: %s, want %s", status, out, want)
	}
}
