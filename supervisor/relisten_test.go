// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import "testing"

// TestListenAgain: a listener that connect to AF_UNSPEC or shutdown has stopped may listen again, or connect; and so may
// who has failed to connect. The kernel prints the same.
func TestListenAgain(t *testing.T) {
	needs(t, "python3")
	v := newVirtual(t, Options{})
	v.serveEcho(t)
	out, status := v.run(t, nil, "python3", "-c", `
import ctypes, socket, sys
libc = ctypes.CDLL(None)
def unspec(s):
    return libc.connect(s.fileno(), bytes(16), 16)
def serve(s):
    s.listen(1)
    c = socket.create_connection(s.getsockname())
    a, _ = s.accept()
    c.sendall(b"x")
    return a.recv(1)
for stop in unspec, lambda s: s.shutdown(socket.SHUT_RD):
    s = socket.socket()
    s.bind(("127.0.0.1", 7000))
    print(serve(s), stop(s), serve(s), stop(s))
    print(s.connect_ex(("127.0.0.1", 1)), serve(s), stop(s))
    s.close()
s = socket.socket()
s.listen(1)
unspec(s)
s.connect((sys.argv[1], 7))
s.sendall(b"data")
print(s.recv(4))
s = socket.socket()
s.setblocking(False)
s.connect_ex((sys.argv[1], 1))
s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
s.connect_ex((sys.argv[1], 1))
s.bind(("127.0.0.1", 0))
s.setblocking(True)
print(serve(s))
`, v.webIP())
	const want = "b'x' 0 b'x' 0\n111 b'x' 0\nb'x' None b'x' None\n111 b'x' None\nb'data'\nb'x'\n"
	if out != want || status != 0 {
		t.Errorf("status %d: %s, want %s", status, out, want)
	}
}
