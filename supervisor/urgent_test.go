// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import "testing"

// TestUrgentData: urgent data on a stream is refused, by each call that sends, and no byte is lost. AF_UNIX's own byte
// out of band, which lies under a program's stream, would be.
func TestUrgentData(t *testing.T) {
	needs(t, "python3")
	v := newVirtual(t, Options{})
	v.serveEcho(t)
	out, status := v.run(t, nil, "python3", "-c", `
import errno, socket, sys
s = socket.create_connection((sys.argv[1], 7))
for send in [lambda: s.send(b"x", socket.MSG_OOB), lambda: s.sendto(b"x", socket.MSG_OOB, (sys.argv[1], 7)),
        lambda: s.sendmsg([b"x"], [], socket.MSG_OOB)]:
    try:
        print(send())
    except OSError as e:
        print(errno.errorcode[e.errno])
s.sendall(b"data")
print(s.recv(5))
a, b = socket.socketpair()
print(a.send(b"x", socket.MSG_OOB), b.recv(1, socket.MSG_OOB))
`, v.webIP())
	// ENOTSUP is what Python calls EOPNOTSUPP.
	if want := "ENOTSUP\nENOTSUP\nENOTSUP\nb'data'\n1 b'x'\n"; out != want || status != 0 {
		t.Errorf("status %d: %q, want %q", status, out, want)
	}
}
