// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"path/filepath"
	"strings"
	"testing"

	"dialtone/selinux/defaultpolicy"
)

func TestAttributeOf(t *testing.T) {
	const pid, tid = 100, 101
	for _, c := range []struct {
		path string
		want attribute // the zero one: none
	}{
		{"/proc/self/attr/current", attribute{pid, "current"}},
		{"/proc/self/attr/sockcreate", attribute{pid, "sockcreate"}},
		{"/proc/100/attr/current", attribute{pid, "current"}},
		{"/proc/thread-self/attr/current", attribute{tid, "current"}},
		{"/proc/self/task/101/attr/sockcreate", attribute{tid, "sockcreate"}},
		{"/proc/100/task/101/attr/current", attribute{tid, "current"}},
		{"/proc/self/task/100/attr/current", attribute{}},
		{"/proc/101/attr/current", attribute{}},
		{"/proc/99/attr/current", attribute{}},
		{"/proc/self/attr/exec", attribute{pid, "exec"}},
		{"/proc/self/attr/fscreate", attribute{}},
		{"/proc/self/attr/", attribute{}},
		{"/proc/self/current", attribute{}},
		{"/proc/attr/current", attribute{}},
		{"/proc/self/attr/current/", attribute{}},
		{"proc/self/attr/current", attribute{}},
		{"/sys/self/attr/current", attribute{}},
		{"/proc/self/fd/attr/current", attribute{}},
		{"", attribute{}},
	} {
		got, ok := attributeOf(c.path, tid, pid)
		if ok != (c.want != attribute{}) || ok && got != c.want {
			t.Errorf("%q: got %v, %t; want %v", c.path, got, ok, c.want)
		}
	}
}

// What is found is the thread's own, and is spelt in one way alone.
func FuzzAttributeOf(f *testing.F) {
	for _, path := range []string{"/proc/self/attr/current", "/proc/7/task/8/attr/sockcreate", "/proc/thread-self/attr/keycreate", "//"} {
		f.Add(path, 8, 7)
	}
	f.Fuzz(func(t *testing.T, path string, tid, pid int) {
		a, ok := attributeOf(path, tid, pid)
		if !ok {
			return
		}
		if a.tid != tid && a.tid != pid || a.name != "current" && a.name != "sockcreate" ||
			filepath.Clean(path) != path || !strings.HasPrefix(path, "/proc/") || !strings.HasSuffix(path, "/attr/"+a.name) {
			t.Errorf("%q is %v", path, a)
		}
	})
}

// newLabelled is newVirtual with here under the default policy.
func newLabelled(t *testing.T) *virtual {
	t.Helper()
	v := newVirtual(t, Options{})
	if err := v.here.SetPolicy(defaultpolicy.Policy()); err != nil {
		t.Fatal(err)
	}
	return v
}

// A C program reads and sets its labels as libselinux does. The policy decides: setcurrent and dyntransition for current,
// setsockcreate for sockcreate, which a fork keeps and an execve resets.
func TestAttributes(t *testing.T) {
	binary := compile(t, "testdata/attributes/attributes.c", "-pthread")
	v := newLabelled(t)
	const want = `unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c15, 52 bytes
unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c15, 52 bytes
unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c15, 52 bytes
, 0 bytes
sockcreate := no:such:context: EINVAL
sockcreate := user_u:user_r:client_t:s0: ok
user_u:user_r:client_t:s0, 26 bytes
socket user_u:user_r:client_t:s0
user_u:user_r:client_t:s0, 26 bytes
sockcreate := nothing: ok
, 0 bytes
socket unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c15
writev: ok
system_u:system_r:http_proxy_t:s0, 34 bytes
pwrite: ok
pwrite, 1: EINVAL
duplicate: EPERM
inherited: EPERM
sockcreate := 
: ok
, 0 bytes
sockcreate := user_u:user_r:client_t:s0: ok
sockcreate := user_u:user_r:client_t:s0: EACCES
current := system_u:system_r:http_proxy_t:s0: EPERM
, 0 bytes
, 0 bytes
exec := no:such:context: EINVAL
exec := system_u:system_r:http_proxy_t:s0: ok
system_u:system_r:http_proxy_t:s0, 34 bytes
system_u:system_r:http_proxy_t:s0, 34 bytes
executed
system_u:system_r:http_proxy_t:s0, 34 bytes
, 0 bytes
, 0 bytes
exec := nothing: ok
, 0 bytes
current := nothing: EINVAL
current := no:such:context: EINVAL
current := system_u:system_r:http_proxy_t:s0: ok
system_u:system_r:http_proxy_t:s0, 34 bytes
socket system_u:system_r:http_proxy_t:s0
current := user_u:user_r:client_t:s0: EACCES
system_u:system_r:http_proxy_t:s0, 34 bytes
sockcreate := user_u:user_r:client_t:s0: ok
exec := user_u:user_r:client_t:s0: ok
user_u:user_r:client_t:s0, 26 bytes
exec: EACCES
executed
system_u:system_r:http_proxy_t:s0, 34 bytes
, 0 bytes
, 0 bytes
`
	if got, status := v.run(t, nil, binary); got != want || status != 0 {
		t.Errorf("status %d, got\n%s\nwant\n%s", status, got, want)
	}
}

const pythonLabels = `
import ctypes, os, sys
def label(name): return open('/proc/thread-self/attr/' + name).read()
def attempt(f):
    try: f()
    except OSError as e: print(os.strerror(e.errno))
def write(name, text):
    with open('/proc/thread-self/attr/' + name, 'w') as f: f.write(text)
print(repr(label('current')), repr(label('sockcreate')))
write('sockcreate', 'user_u:user_r:client_t:s0')
print(repr(label('sockcreate')))
attempt(lambda: write('sockcreate', 'no:such:context'))
try: lib = ctypes.CDLL('libselinux.so.1', use_errno=True)
except OSError: print('no libselinux'); sys.exit()
def con(get):
    c = ctypes.c_char_p()
    return get(ctypes.byref(c)), c.value
print(con(lib.getcon), con(lib.getsockcreatecon))
print(lib.setsockcreatecon(b'system_u:system_r:httpd_t:s0'), con(lib.getsockcreatecon))
print(lib.setsockcreatecon(b'nonsense'), os.strerror(ctypes.get_errno()))
print(lib.setsockcreatecon(None), con(lib.getsockcreatecon))
print(lib.setcon(b'system_u:system_r:httpd_t:s0'), con(lib.getcon))
print(lib.setcon(b'user_u:user_r:client_t:s0'), os.strerror(ctypes.get_errno()), con(lib.getcon))
`

// Python does the same, and the real libselinux in it.
func TestAttributesPython(t *testing.T) {
	needs(t, "python3")
	const plain = `'unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c15\x00' ''
'user_u:user_r:client_t:s0\x00'
Invalid argument
`
	const libselinux = `(0, b'unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c15') (0, b'user_u:user_r:client_t:s0')
0 (0, b'system_u:system_r:httpd_t:s0')
-1 Invalid argument
0 (0, None)
0 (0, b'system_u:system_r:httpd_t:s0')
-1 Permission denied (0, b'system_u:system_r:httpd_t:s0')
`
	v := newLabelled(t)
	got, status := v.run(t, nil, "python3", "-c", pythonLabels)
	if got == plain+"no libselinux\n" && status == 0 {
		t.Skip("libselinux.so.1 is not installed")
	}
	if got != plain+libselinux || status != 0 {
		t.Errorf("status %d, got\n%s\nwant\n%s", status, got, plain+libselinux)
	}
}
