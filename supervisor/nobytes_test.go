// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import "testing"

// A recvmsg with room for no bytes takes none of a stream's, and a whole datagram. The kernel prints the same.
func TestReceiveNoBytes(t *testing.T) {
	needs(t, "python3")
	const program = `
import socket
l = socket.socket()
l.bind(('127.0.0.1', 0))
l.listen()
c = socket.create_connection(l.getsockname())
a, _ = l.accept()
c.sendall(b'bytes')
for flags in 0, socket.MSG_PEEK, socket.MSG_TRUNC:
    print(a.recvmsg(0, 0, flags)[0], end=' ')
print(a.recvmsg(9)[0])
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.bind(('127.0.0.1', 0))
for flags in 0, socket.MSG_PEEK, socket.MSG_TRUNC:
    for text in b'', b'x', b'datagram':
        u.sendto(text, u.getsockname())
        got, _, out, address = u.recvmsg(0, 0, flags)
        print(got, out, address == u.getsockname(), end=' ')
        if flags == socket.MSG_PEEK: print(u.recv(9), end=' ')
    print()
`
	const want = `b'' b'' b'' b'bytes'
b'' 0 True b'' 32 True b'' 32 True 
b'' 0 True b'' b'' 32 True b'x' b'' 32 True b'datagram' 
b'' 0 True b'' 32 True b'' 32 True 
`
	v := newVirtual(t, Options{})
	if out, status := v.run(t, nil, "python3", "-c", program); out != want || status != 0 {
		t.Errorf("status %d: %s\nwant %s", status, out, want)
	}
}
