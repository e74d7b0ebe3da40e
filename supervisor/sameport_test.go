// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"io"
	"net"
	"net/netip"
	"testing"

	"dialtone"
)

// Two connections from one address wait, the first of which was reset: the
// listener polls readable until it has accepted both, the live one with its
// bytes.
func TestSamePortTwice(t *testing.T) {
	needs(t, "python3")
	v := newVirtual(t, Options{})
	told, err := v.web.Listen("tcp", ":9")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { told.Close() })
	go func() {
		c, err := told.Accept() // the program listens
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		d := dialtone.Dialer{Host: v.web, LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(ipv4(v.web), 5555))}
		for _, text := range []string{"dead", "live"} {
			a, err := d.Dial("tcp", ipv4(v.here).String()+":4000")
			if err != nil {
				t.Error(err)
				return
			}
			if text == "dead" {
				err = a.(interface{ SetLinger(int) error }).SetLinger(0)
				a.Close()
			} else {
				_, err = io.WriteString(a, text)
				t.Cleanup(func() { a.Close() })
			}
			if err != nil {
				t.Error(err)
			}
		}
		_, _ = io.WriteString(c, "x") // else the program says that it is missing
	}()
	out, status := v.run(t, nil, "python3", "-c", `
import select, socket, sys
l = socket.socket()
l.bind(("", 4000))
l.listen()
c = socket.create_connection((sys.argv[1], 9))
assert c.recv(1) == b"x"
for i in range(2):
    if not select.select([l], [], [], 5)[0]: sys.exit(f"nothing waits after {i}")
    s, address = l.accept()
    print(address[1])
    try: print(s.recv(9))
    except ConnectionResetError: print("reset")
print(select.select([l], [], [], 0)[0])
`, v.webIP())
	if want := "5555\nreset\n5555\nb'live'\n[]\n"; out != want || status != 0 {
		t.Errorf("status %d: %s, want %s", status, out, want)
	}
}
