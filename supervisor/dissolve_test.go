// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import "testing"

// A connection that connect to AF_UNSPEC has dissolved is gone for both ends, and its socket can be connected anew, at
// once, or listen (connect(2), tcp_disconnect). TCP's peer finds a reset; a direct one finds the end.
func TestDissolveConnection(t *testing.T) {
	needs(t, "python3")
	both(t, func(t *testing.T, v *virtual) {
		v.serveEcho(t)
		out, status := v.run(t, nil, "python3", "-c", `
import ctypes, os, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
def dissolve(s): assert libc.connect(s.fileno(), bytes(16), 16) == 0, ctypes.get_errno()
def talk(s, text):
    s.sendall(text)
    assert s.recv(10) == text, text
web = (sys.argv[1], 7)
l = socket.socket()
l.bind(("127.0.0.1", 4000))
l.listen()
for blocking in True, False:
    s = socket.socket()
    s.connect(web)
    talk(s, b"web")
    dissolve(s)
    s.setblocking(blocking)
    error = s.connect_ex(l.getsockname())
    assert error == 0 if blocking else error in (0, 115), error
    s.setblocking(True)
    peer, _ = l.accept()
    s.sendall(b"here")
    assert peer.recv(10) == b"here"
    dissolve(s)
    try: assert peer.recv(10) == b""
    except ConnectionResetError: pass
    s.bind(("127.0.0.1", 0))
    s.listen()
    c = socket.create_connection(s.getsockname())
    a, _ = s.accept()
    c.sendall(b"again")
    assert a.recv(10) == b"again"
    for x in s, c, a, peer: x.close()
print("all")
`, v.webIP())
		if out != "all\n" || status != 0 {
			t.Errorf("status %d: %s", status, out)
		}
	})
}
