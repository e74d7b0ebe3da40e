// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import "testing"

// More connections wait at a listener than the kernel would let wait at its T:
// nobody is held up, and all are accepted, one after the other.
func TestMoreThanNativeBacklog(t *testing.T) {
	needs(t, "python3")
	defer func(n int) { nativeBacklog = n }(nativeBacklog)
	nativeBacklog = 3
	both(t, func(t *testing.T, v *virtual) {
		out, status := v.run(t, nil, "python3", "-c", `
import select, socket, sys
l = socket.socket()
l.bind(("127.0.0.1", 4000))
l.listen(20)
connected = [socket.create_connection(l.getsockname()) for _ in range(12)]
for i, c in enumerate(connected): c.sendall(bytes([i]))
told = set()
for _ in connected:
    if not select.select([l], [], [], 5)[0]: sys.exit("nothing waits after %d" % len(told))
    s, peer = l.accept()
    i = s.recv(1)[0]
    assert peer == connected[i].getsockname()
    told.add(i)
print(len(told), select.select([l], [], [], 0)[0])
`)
		if out != "12 []\n" || status != 0 {
			t.Errorf("status %d: %s", status, out)
		}
	})
}
