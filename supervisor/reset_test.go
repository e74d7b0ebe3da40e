// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import "testing"

// SO_LINGER with a time of 0 has the last close reset the connection, whoever makes it. The kernel prints the same.
func TestLingerResets(t *testing.T) {
	needs(t, "python3")
	const program = `
import os, socket, struct

def linger(s, on):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', on, 0))

def pair(before=lambda s: None, listener=lambda s: None):
    l = socket.socket()
    listener(l)
    l.bind(('127.0.0.1', 0))
    l.listen()
    c = socket.socket()
    before(c)
    c.connect(l.getsockname())
    a, _ = l.accept()
    return a, c

def reads(s):
    got = b''
    try:
        while True:
            b = s.recv(100)
            if not b: return got, 'end'
            got += b
    except OSError as e: return got, e.errno

def closes(what, a, c):
    a.sendall(b'before')
    print(what, end=' ')
    a.close()
    print(*reads(c), c.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))

a, c = pair(); linger(a, 1); closes('accepted', a, c)
a, c = pair(); linger(c, 1); closes('connected', c, a)
a, c = pair(); linger(a, 1); linger(a, 0); closes('not any more', a, c)
closes('set before connect', *reversed(pair(before=lambda s: linger(s, 1))))
closes('inherited', *pair(listener=lambda s: linger(s, 1)))

a, c = pair(); linger(a, 1)
other = socket.socket(fileno=os.dup(a.fileno()))
a.close()
other.sendall(b'alive')
print(c.recv(10), end=' ')
closes('by another number', other, c)

a, c = pair(); linger(a, 1)
r, w = os.pipe()
child = os.fork()
if not child:
    c.close(); os.close(w)
    os.read(r, 1) # until the parent has closed
    a.sendall(b'by the child')
    os._exit(0)
os.close(r); a.close(); os.close(w)
os.waitpid(child, 0)
print('exit', *reads(c))
`
	const want = `accepted b'before' 104 0
connected b'before' 104 0
not any more b'before' end 0
set before connect b'before' 104 0
inherited b'before' 104 0
b'alive' by another number b'before' 104 0
exit b'by the child' 104
`
	v := newVirtual(t, Options{})
	if out, status := v.run(t, nil, "python3", "-c", program); out != want || status != 0 {
		t.Errorf("status %d: %s\nwant %s", status, out, want)
	}
}
