// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"os/exec"
	"testing"
)

// recvmmsg's timeout is checked, looked at after each datagram, and tells what
// is left of it; it ends no wait (recvmmsg(2), BUGS). The running kernel says
// the same.
func TestRecvmmsgTimeout(t *testing.T) {
	needs(t, "python3")
	const script = `
import ctypes, errno, socket, struct
libc = ctypes.CDLL(None, use_errno=True)
iov = ctypes.create_string_buffer(struct.pack("QQ", 0, 0))
for there, many, sec, nsec in [
    (1, 1, -1, 0), (1, 1, 0, -1), (1, 1, 0, 10**9), (0, 0, -1, 0),
    (0, 1, 0, 0), (0, 1, 1 << 62, 0), (0, 1, 0, 1), (0, 1, 50, 0),
    (3, 3, 0, 0), (3, 3, 50, 0), (1, 1, 1 << 62, 0), (3, 3, 0, 1),
]:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 0))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("qq", 0, 20000))
    for _ in range(there): s.sendto(b"", s.getsockname())
    m = ctypes.create_string_buffer(struct.pack("8Q", 0, 0, ctypes.addressof(iov), 1, 0, 0, 0, 0) * 3)
    left = ctypes.create_string_buffer(struct.pack("qq", sec, nsec))
    n = libc.recvmmsg(s.fileno(), m, many, 0, left)
    error = errno.errorcode[ctypes.get_errno()] if n < 0 else ""
    print(there, many, sec, nsec, "=", n, error, struct.unpack("qq", left.raw[:16])[0])
`
	const want = `1 1 -1 0 = -1 EINVAL -1
1 1 0 -1 = -1 EINVAL 0
1 1 0 1000000000 = -1 EINVAL 0
0 0 -1 0 = -1 EINVAL -1
0 1 0 0 = -1 EAGAIN 0
0 1 4611686018427387904 0 = -1 EAGAIN 4611686018427387904
0 1 0 1 = -1 EAGAIN 0
0 1 50 0 = -1 EAGAIN 50
3 3 0 0 = 1  0
3 3 50 0 = 3  49
1 1 4611686018427387904 0 = 1  4611686018427387903
3 3 0 1 = 1  0
`
	v := newVirtual(t, Options{})
	if out, status := v.run(t, nil, "python3", "-c", script); out != want || status != 0 {
		t.Errorf("status %d: %s, want %s", status, out, want)
	}
	if out, err := exec.Command("python3", "-c", script).CombinedOutput(); err != nil || string(out) != want {
		t.Errorf("the kernel: %v, %s", err, out)
	}
}
