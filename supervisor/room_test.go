// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"fmt"
	"testing"
)

// More datagrams than T's queue holds (net.unix.max_dgram_qlen) reach a program
// that reads them without an address, so that no call of it is caught: each one
// that is read makes room for the next. Of a connected socket, those that S has
// no room for.
func TestNativeReadsRefill(t *testing.T) {
	needs(t, "python3")
	for _, c := range []struct {
		name, connect string
		size, many    int // together less than the layer's SO_RCVBUF, so that none is lost wherever they wait
	}{
		{"not connected", "", 100, 60},
		{"connected", "s.connect(to)", 100, 60},
		{"connected, long", "s.connect(to)", 9000, 22}, // more than the send buffer of S
	} {
		t.Run(c.name, func(t *testing.T) {
			v := newVirtual(t, Options{})
			v.serveEcho(t)
			out, status := v.run(t, nil, "python3", "-c", fmt.Sprintf(`
import os, select, socket, sys
to, size, many = (sys.argv[1], 7), %d, %d
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
%s
other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(many):
    if i == many // 2: # what was sent has come as far as it can
        other.sendto(b"?", to)
        other.recv(1)
    data = bytes([i]) * size
    s.send(data) if %q else s.sendto(data, to)
for i in range(many):
    if not select.select([s], [], [], 20)[0]:
        sys.exit("nothing comes after %%d" %% i)
    if os.read(s.fileno(), 65536) != bytes([i]) * size:
        sys.exit("%%d is not in its turn" %% i)
print("all")
`, c.size, c.many, c.connect, c.connect), v.webIP())
			if out != "all\n" || status != 0 {
				t.Errorf("status %d: %s", status, out)
			}
		})
	}
}
