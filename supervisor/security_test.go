// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"dialtone/selinux/defaultpolicy"
)

// compile compiles a C program of testdata.
func compile(t *testing.T, source string, options ...string) string {
	t.Helper()
	needs(t, "cc")
	if _, err := os.Stat(source); err != nil {
		t.Skipf("the sources are not here: %v", err)
	}
	binary := filepath.Join(t.TempDir(), "program")
	build := exec.Command("cc", append([]string{"-Wall", "-Wextra", "-Werror", "-I../include", "-o", binary, source}, options...)...)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return binary
}

// A C program makes the calls of the _secure family by include/flask_socket.h. A SID mismatch is found at the server; the
// connection's socket has the SID that listen_secure gave.
func TestFlaskSocket(t *testing.T) {
	binary := compile(t, "testdata/flask/flask.c")
	v := newVirtual(t, Options{})
	if got, status := v.run(t, nil, binary); got != "no access control\n" || status != 0 {
		t.Errorf("without access control: status %d, %q", status, got)
	}
	if err := v.here.SetPolicy(defaultpolicy.Policy()); err != nil {
		t.Fatal(err)
	}
	const want = `wrong magic: ENOSYS
wrong call: EINVAL
no block: EFAULT
no descriptor: EBADF
no socket: ENOTSOCK
no such context: EINVAL
small buffer: ENOSPC
needs 29
unknown SID: EINVAL
socket_secure: 0
bind: 0
both ways: EINVAL
listen_secure: 0
getsockname_secure, NULL: EFAULT
getsockname_secure: 0
listener system_u:system_r:httpd_t:s0
getpeername_secure, unconnected: ENOTCONN
connect_secure, another: ECONNREFUSED
connect_secure: 0
connect_secure, again: EISCONN
getpeername_secure: 0
peer user_u:user_r:client_t:s0
SO_PEERSEC, small buffer: ERANGE
needs 26
SO_PEERSEC: 0
peer user_u:user_r:client_t:s0
sendto_secure, another message: EINVAL
sendto_secure: 0
accept_secure: 0
client system_u:system_r:http_proxy_t:s0
getsockname_secure: 0
connection user_u:user_r:client_t:s0
read hello
`
	if got, status := v.run(t, nil, binary); got != want || status != 0 {
		t.Errorf("status %d, got\n%s\nwant\n%s", status, got, want)
	}
}

// recvfrom_secure and recvmsg_secure tell the SIDs of the sending socket and of the message, whatever is read between them
// by plain calls.
func TestFlaskReceive(t *testing.T) {
	binary := compile(t, "testdata/flask/receive.c")
	v := newLabelled(t)
	const want = `no sender: Bad address
no message: Bad address
nothing there: Resource temporarily unavailable
peeked at: "plain" of http_proxy_t, http_proxy_t
recvfrom_secure: "plain" of http_proxy_t, http_proxy_t
from the sender: 1
recvmsg_secure: "lled" of http_proxy_t, client_t
from the sender: 1
after a plain one: "two" of http_proxy_t, http_proxy_t
waited for: "ask" of http_proxy_t, client_t
connected: "answer" of httpd_t, httpd_t
server: "stream" of http_proxy_t, http_proxy_t
client: "back" of client_t, client_t
no descriptor: Bad file descriptor
no socket: Socket operation on non-socket
the end: "" of client_t, client_t
`
	if got, status := v.run(t, nil, binary); got != want || status != 0 {
		t.Errorf("status %d, got\n%s\nwant\n%s", status, got, want)
	}
}

// On AF_UNIX a SID mismatch is EACCES, and the listener never sees the connection; what waits for room goes on when there
// is some, and nothing is lost.
func TestFlaskUnix(t *testing.T) {
	binary := compile(t, "testdata/flask/unix.c")
	v := newLabelled(t)
	const stream = `bind: ok
connect_secure, not listening: Connection refused
listen_secure: ok
connect_secure, another: Permission denied
readable 0
connect_secure: ok
getpeername_secure: ok
peer user_u:user_r:client_t:s0, same name 1
connect, full: Resource temporarily unavailable
accept_secure: ok
client system_u:system_r:http_proxy_t:s0, unnamed 1
accept_secure: ok
connection user_u:user_r:client_t:s0, same name 1
read second
read first of system_u:system_r:http_proxy_t:s0
sendto_secure, to another: Permission denied
sendto_secure: ok
read back
end 0
SO_PEERSEC: ok
peer user_u:user_r:client_t:s0
connect_secure, closed: Connection refused
`
	const rights = `sendmsg, SCM_RIGHTS: Invalid argument
sendmmsg, SCM_RIGHTS: Invalid argument
`
	const want = `SOCK_RDM: Socket type not supported
AF_NETLINK: Address family not supported by protocol
connect_secure, nobody there: Connection refused
` + stream + `by a path
connect_secure, nobody there: No such file or directory
` + stream + `records
connect_secure, nobody there: Connection refused
` + stream + `datagrams
sendto_secure, another: Permission denied
sendto_secure, another message: Permission denied
sendto_secure: ok
read one of system_u:system_r:http_proxy_t:s0, system_u:system_r:http_proxy_t:s0, unnamed 1
bind: ok
connect_secure, another: Permission denied
connect_secure: ok
send: ok
read two, from the sender 1
connect_secure, back, another: Permission denied
too long: Message too long
too long: Message too long
100 in order
100 in order
30 in order
` + rights + rights + rights
	if got, status := v.run(t, nil, binary); got != want || status != 0 {
		t.Errorf("status %d, got\n%s\nwant\n%s", status, got, want)
	}
}

// SOCK_SEQPACKET keeps records apart; a connection whose end is closed with something unread is reset; SO_PEERCRED tells of
// the peer: all as the kernel's own sockets do.
func TestFlaskRecords(t *testing.T) {
	binary := compile(t, "testdata/flask/records.c")
	const unread = `write: 6
write, back: 4
write, back: 4
peek: 6
peek: 4
hung up: 1
`
	const end = `read: 0
SO_ERROR: Success
peers 1 1, of the same user 1; nobody 0 -1 -1, 12
in a child 1, before it 1
`
	const want = `send, unconnected: Transport endpoint is not connected
recv, unconnected: Transport endpoint is not connected
SO_TYPE 5
send: 3
send, empty: 0
write: 5
sendto_secure, of another: Permission denied
sendto_secure: 6
sendto, with an address: 1
recv: 3
recv, empty: 0
recvmsg: 4
truncated 1
recvfrom_secure: 6
fou, from the client 1
recvfrom_secure: 6
fourth
recv: 1
recv, nothing: Resource temporarily unavailable
send, back: 4
recvfrom: 4
from the server 1
send, long: 200000
recv, long: 200000
the same: 0
send, too long: Message too long
2000 whole
the end: 0
send, after the other's end: 4
recv: 4
the other end: 0
send: Broken pipe
` + unread + `read: 8
read: Connection reset by peer
read: 0
` + end + unread + `read: Connection reset by peer
read: 4
read: 4
` + end
	if got, err := exec.Command(compile(t, "testdata/flask/records.c", "-DKERNEL")).Output(); string(got) != want {
		t.Errorf("on the kernel: %v, got\n%s\nwant\n%s", err, got, want)
	}
	v := newLabelled(t)
	if got, status := v.run(t, nil, binary); got != want || status != 0 {
		t.Errorf("status %d, got\n%s\nwant\n%s", status, got, want)
	}
	late := newVirtual(t, Options{}) // access control begins with the first call of the family
	p := Program{Argv: []string{binary}, Stack: late.here.Stack(), Secure: func() error {
		return late.here.SetPolicy(defaultpolicy.Policy())
	}}
	if got, status := hostedOutput(t, late.sup, p); got != want || status != 0 {
		t.Errorf("without labels: status %d, got\n%s\nwant\n%s", status, got, want)
	}
}
