// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dialtone/sockaddr"

	"golang.org/x/sys/unix"
)

// Names behind which the real machine would answer do not exist, however they
// are spelled; other AF_UNIX names are the kernel's business.
func TestRealServices(t *testing.T) {
	run, err := filepath.Rel(here(t), "/run")
	if err != nil {
		t.Fatal(err)
	}
	// A link counts only where it leads to something: so this service is there.
	there := t.TempDir()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(there, link); err != nil {
		t.Fatal(err)
	}
	defer func(before []string) { realServices = before }(realServices)
	realServices = append(slices.Clone(realServices), filepath.Join(there, "socket"))
	for _, c := range []struct {
		name string
		want unix.Errno
	}{
		{"/var/run/nscd/socket", unix.ENOENT},
		{"/run/nscd/socket", unix.ENOENT},
		{"/run//nscd/../nscd/socket", unix.ENOENT},
		{"/run/systemd/resolve/io.systemd.Resolve", unix.ENOENT},
		{"/var/run/systemd/resolve/io.systemd.Resolve", unix.ENOENT},
		{"/run/dbus/system_bus_socket", unix.ENOENT},
		{"/run/avahi-daemon/socket", unix.ENOENT},
		{filepath.Join(run, "nscd/socket"), unix.ENOENT},
		{filepath.Join(link, "socket"), unix.ENOENT},
		{filepath.Join(link, "other"), 0},
		{"/run/systemd/resolve", 0}, // a directory: ECONNREFUSED by the kernel
		{"/run/systemd/notify", 0},
		{"/tmp/nscd/socket", 0},
		{"run/nscd/socket", 0},
		{"\x00/run/nscd/socket", 0},
	} {
		if got := realService(os.Getpid(), sockaddr.OfUnix(c.name).Raw()); got != c.want {
			t.Errorf("%q: %v, want %v", c.name, got, c.want)
		}
	}
	inet := sockaddr.Bytes([]byte{unix.AF_INET, 0, 0, 80, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0})
	if e := realService(os.Getpid(), inet); e != 0 {
		t.Errorf("an inet address: %v", e)
	}
	if e := realService(os.Getpid(), sockaddr.Raw{Mem: []byte{unix.AF_UNIX}, Len: 110}); e != 0 {
		t.Errorf("an address that is not all readable: %v", e)
	}
}

// here returns the working directory.
func here(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// A target's own AF_UNIX sockets pass through; the services do not answer.
func TestUnixSockets(t *testing.T) {
	v := newVirtual(t, Options{})
	if got := v.role(t, "unix", filepath.Join(t.TempDir(), "s")); got != "own ok\nserver read hello\nresolved ENOENT\n" {
		t.Errorf("got %q", got)
	}
}

func roleUnix() int {
	l, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	must(err)
	own := &unix.SockaddrUnix{Name: argument(1)}
	must(unix.Bind(l, own))
	must(unix.Listen(l, 1))
	c, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	must(err)
	step("own", unix.Connect(c, own))
	mustAll(unix.Write(c, []byte("hello")))
	a, _, err := unix.Accept(l)
	must(err)
	read("server", a)
	r, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	must(err)
	step("resolved", unix.Connect(r, &unix.SockaddrUnix{Name: "/run/systemd/resolve/io.systemd.Resolve"}))
	return 0
}

// The interfaces are the virtual host's, by every way to ask for them.
func TestInterfaces(t *testing.T) {
	needs(t, "python3")
	v := newVirtual(t, Options{})
	got, status := v.run(t, nil, "python3", "-c", `
import socket, fcntl, struct
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
def ask(request, name):
    return fcntl.ioctl(s, request, struct.pack('16s24x', name.encode()))
for name in 'lo', 'eth0':
    flags, = struct.unpack_from('h', ask(0x8913, name), 16)
    index, = struct.unpack_from('i', ask(0x8933, name), 16)
    mtu, = struct.unpack_from('i', ask(0x8921, name), 16)
    print(name, hex(flags & 0x9), index, mtu, socket.inet_ntoa(ask(0x8915, name)[20:24]), socket.inet_ntoa(ask(0x891b, name)[20:24]))
try: ask(0x8933, 'docker0')
except OSError as e: print(e.errno)
buf = bytearray(400)
import ctypes
c = (ctypes.c_char * 400).from_buffer(buf)
n = struct.unpack_from('i', fcntl.ioctl(s, 0x8912, struct.pack('iL', 400, ctypes.addressof(c))))[0]
print(n // 40, buf[:2], buf[40:44])
print(socket.if_nameindex(), socket.if_indextoname(2))
print(sorted({a[4][0] for a in socket.getaddrinfo(None, 80, type=socket.SOCK_STREAM)}))
`)
	own := ipv4(v.here).String()
	want := "lo 0x9 1 65536 127.0.0.1 255.0.0.0\neth0 0x1 2 1500 " + own + " 255.0.0.0\n19\n" +
		"2 bytearray(b'lo') bytearray(b'eth0')\n[(1, 'lo'), (2, 'eth0')] eth0\n['127.0.0.1', '::1']\n"
	if status != 0 || got != want {
		t.Errorf("status %d, got:\n%s\nwant:\n%s", status, got, want)
	}
}

// A 32-bit program, whose calls come through socketcall(2).
func TestProgramOf32Bits(t *testing.T) {
	needs(t, "go")
	if _, err := os.Stat("testdata/small"); err != nil {
		t.Skipf("the sources are not here: %v", err)
	}
	binary := filepath.Join(t.TempDir(), "test32")
	build := exec.Command("go", "build", "-o", binary, "./testdata/small")
	build.Env = append(build.Environ(), "GOARCH=386", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	v := newVirtual(t, Options{})
	v.serveEcho(t)
	want := "tcp hello\nudp hello\nrefused\nown server hello\n"
	if got, status := v.run(t, nil, binary, v.webIP()); got != want || status != 0 {
		t.Errorf("status %d, got %q, want %q", status, got, want)
	}
}

// Datagrams from more sources than there are senders at once keep their
// source addresses; a full queue loses none of them.
func TestManySources(t *testing.T) {
	v := newVirtual(t, Options{})
	if got := v.role(t, "sources"); got != "300 datagrams, 300 sources\n" {
		t.Errorf("got %q", got)
	}
}

func TestStraceAddress(t *testing.T) {
	for _, c := range []struct {
		raw  sockaddr.Raw
		want string
	}{
		{sockaddr.Raw{}, "NULL"},
		{sockaddr.Raw{Mem: []byte{}, Len: 16}, "0x7f00"},
		{sockaddr.Bytes([]byte{2, 0, 0, 80, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}), `{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("10.0.0.1")}`},
		{sockaddr.Bytes([]byte{0, 0}), `{sa_family=AF_UNSPEC, sa_data=""}`},
		{
			sockaddr.Bytes([]byte{10, 0, 0, 53, 0, 0, 0, 0, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0}),
			`{sa_family=AF_INET6, sin6_port=htons(53), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "fe80::1", &sin6_addr), sin6_scope_id=2}`,
		},
	} {
		if got := straceAddress(c.raw, 0x7f00); got != c.want {
			t.Errorf("got  %s\nwant %s", got, strings.TrimSpace(c.want))
		}
	}
}
