// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import "testing"

// A thread that waits for a datagram reads the end when another shuts the socket down, with a peer or without, though
// shutdown says ENOTCONN then. The kernel prints the same.
func TestShutdownWakesReceivers(t *testing.T) {
	needs(t, "python3")
	v := newVirtual(t, Options{})
	const program = `
import os, socket, threading
READ, RECVFROM, RECVMSG = '0', '45', '47'

def run(connected, receive):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(('127.0.0.1', 0))
    if connected: s.connect(s.getsockname())
    got = []
    t = threading.Thread(target=lambda: got.append(receive(s)))
    t.start()
    at = '/proc/self/task/%d/' % t.native_id
    while open(at + 'stat').read().split()[2] != 'S' or open(at + 'syscall').read().split()[0] not in (READ, RECVFROM, RECVMSG):
        pass
    socket.socket().close() # the supervisor serves calls in turn: the thread's has been
    try: s.shutdown(socket.SHUT_RDWR)
    except OSError as e: print(e.errno, end=' ')
    t.join()
    print(got, end=' ')
    s.setblocking(False)
    try: print(s.recvfrom(9))
    except OSError as e: print(e.errno)

for connected in False, True:
    run(connected, lambda s: s.recv(9))
    run(connected, lambda s: s.recvfrom(9))
    run(connected, lambda s: s.recvmsg(9))
    run(connected, lambda s: os.read(s.fileno(), 9))
`
	const want = `107 [b''] 11
107 [(b'', None)] 11
107 [(b'', [], 0, None)] 11
107 [b''] 11
[b''] 11
[(b'', None)] 11
[(b'', [], 0, None)] 11
[b''] 11
`
	if out, status := v.run(t, nil, "python3", "-c", program); out != want || status != 0 {
		t.Errorf("status %d: %s\nwant %s", status, out, want)
	}
}
