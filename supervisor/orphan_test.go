// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"errors"
	"fmt"
	"io"
	"syscall"
	"testing"
	"time"
)

// What a program has written and closed stays on the way as long as its peer
// keeps the window shut, and not for ever: then the connection is reset.
func TestOrphan(t *testing.T) {
	needs(t, "python3")
	defer func(d time.Duration) { orphanPatience = d }(orphanPatience)
	for _, c := range []struct {
		name     string
		patience time.Duration
	}{{"read late", orphanPatience}, {"never read", 200 * time.Millisecond}} {
		t.Run(c.name, func(t *testing.T) {
			orphanPatience = c.patience
			v := newVirtual(t, Options{})
			l, err := v.web.Listen("tcp", ":9")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			out, status := v.run(t, nil, "python3", "-c", `
import select, socket, sys
s = socket.create_connection((sys.argv[1], 9))
s.setblocking(False)
n = 0
while select.select([], [s], [], 0.5)[1]: n += s.send(bytes(65536))
print(n)
`, v.webIP())
			if status != 0 {
				t.Fatal(out)
			}
			sockets := func() int {
				v.sup.mu.Lock()
				defer v.sup.mu.Unlock()
				return len(v.sup.byID)
			}
			peer, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer peer.Close()
			if c.name == "never read" {
				for until := time.Now().Add(patience); sockets() > 0; time.Sleep(10 * time.Millisecond) {
					if time.Now().After(until) {
						t.Fatal("the socket stays")
					}
				}
				if _, err := io.Copy(io.Discard, peer); !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("the peer is told %v", err)
				}
				return
			}
			if n := sockets(); n != 1 {
				t.Errorf("%d sockets while bytes are under way", n)
			}
			n, err := io.Copy(io.Discard, peer)
			if fmt.Sprintln(n) != out || err != nil {
				t.Errorf("the peer read %d bytes of %s, %v", n, out, err)
			}
		})
	}
}
