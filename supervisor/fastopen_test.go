// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import "testing"

// A hosted program is told that it can't open fast, and connects as ever,
// whatever the sysctl and the peer allow.
func TestNoFastOpen(t *testing.T) {
	needs(t, "python3")
	v := newVirtual(t, Options{})
	v.here.Stack().Core().Lock()
	v.here.Stack().Sysctl.TCPFastOpen = 5 // client, also without cookie
	v.here.Stack().Core().Unlock()
	v.serveEcho(t)
	out, status := v.run(t, nil, "python3", "-c", `
import errno, socket, sys
def tried(f, *args):
    try:
        return f(*args)
    except OSError as e:
        return errno.errorcode[e.errno]
to = (sys.argv[1], 7)
s = socket.socket()
print(tried(s.sendto, b"data", socket.MSG_FASTOPEN, to))
print(tried(s.sendmsg, [b"data"], [], socket.MSG_FASTOPEN, to))
print(tried(s.setsockopt, socket.IPPROTO_TCP, 30, 1)) # TCP_FASTOPEN_CONNECT
s.connect(to)
s.sendall(b"data")
print(s.recv(4))
`, v.webIP())
	// ENOTSUP is what Python calls EOPNOTSUPP.
	if want := "ENOTSUP\nENOTSUP\nENOTSUP\nb'data'\n"; out != want || status != 0 {
		t.Errorf("status %d: %s, want %s", status, out, want)
	}
}
