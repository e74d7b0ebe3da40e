// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import "testing"

// Who sets TCP_NODELAY on a connection, as most programs do, reads it back, though nobody is told of its being set.
func TestNoDelayReadBack(t *testing.T) {
	needs(t, "python3")
	both(t, func(t *testing.T, v *virtual) {
		out, status := v.run(t, nil, "python3", "-c", `
import socket
l = socket.socket()
l.bind(('127.0.0.1', 0))
print(l.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
l.listen()
c = socket.create_connection(l.getsockname())
a, _ = l.accept()
for s in a, c:
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    print(s.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
`)
		if out != "0\n1\n1\n" || status != 0 {
			t.Errorf("status %d: %q", status, out)
		}
	})
}
