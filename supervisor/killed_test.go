// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import "testing"

// A server that is killed while it waits in accept or recvfrom is gone at once: its port is free, and a connect refused.
// The kernel prints the same.
func TestKilledWhileWaiting(t *testing.T) {
	needs(t, "python3")
	v := newVirtual(t, Options{})
	const program = `
import os, signal, socket
ACCEPT4, RECVFROM = 288, 45

def waits(number, server):
    "runs server in a child until it waits in the call"
    child = os.fork()
    while not child:
        server()
    while open('/proc/%d/syscall' % child).read().split()[0] != str(number):
        pass
    socket.socket().close() # the supervisor serves calls in turn: the child's has been
    return child

def kill(child):
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)

def bound(kind, port):
    s = socket.socket(socket.AF_INET, kind)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, kind == socket.SOCK_STREAM)
    s.bind(('127.0.0.1', port))
    return s

for i in range(3):
    l = bound(socket.SOCK_STREAM, 7001)
    l.listen()
    children = [waits(ACCEPT4, l.accept) for i in range(3)]
    l.close()
    for child in children:
        c = socket.socket()
        print(c.connect_ex(('127.0.0.1', 7001)), end=' ')
        c.close()
        kill(child)
    print(socket.socket().connect_ex(('127.0.0.1', 7001)))

for i in range(3):
    kill(waits(ACCEPT4, lambda: (l := bound(socket.SOCK_STREAM, 7002), l.listen(), l.accept())))
    bound(socket.SOCK_STREAM, 7002).listen()
    kill(waits(RECVFROM, lambda: bound(socket.SOCK_DGRAM, 7003).recvfrom(10)))
    bound(socket.SOCK_DGRAM, 7003).close()
`
	const want = "0 0 0 111\n0 0 0 111\n0 0 0 111\n"
	if out, status := v.run(t, nil, "python3", "-c", program); out != want || status != 0 {
		t.Errorf("status %d: %s\nwant %s", status, out, want)
	}
}
