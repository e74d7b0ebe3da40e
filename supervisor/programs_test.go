// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// patience is how long a test waits for what must come, on a slow machine too.
const patience = time.Minute

func TestCurl(t *testing.T) {
	needs(t, "curl")
	v := newVirtual(t, Options{})
	v.serveHTTP(t)
	if got := v.sh(t, "curl -sS http://"+v.webIP()+"/page"); got != "path /page\n" {
		t.Errorf("page: %q", got)
	}
	if got := v.sh(t, "curl -sS http://"+v.webIP()+"/bytes/20000000 | wc -c"); strings.TrimSpace(got) != "20000000" {
		t.Errorf("20 MB: %q", got)
	}
	urls := strings.Repeat(" http://"+v.webIP()+"/page", 30)
	if got := v.sh(t, "curl -sS --no-progress-meter -Z"+urls); got != strings.Repeat("path /page\n", 30) {
		t.Errorf("30 at once: %q", got)
	}
	if got, status := v.run(t, nil, "curl", "-v", "http://"+v.webIP()+":81/"); status != 7 || !strings.Contains(got, "Connection refused") {
		t.Errorf("refused: status %d, %q", status, got)
	}
}

const pythonClients = `
import asyncio, errno, select, socket, sys
host = sys.argv[1]

s = socket.create_connection((host, 7))
s.sendall(b'blocking'); s.shutdown(socket.SHUT_WR)
print(s.makefile('rb').read().decode())

def whole(p, timeout):
    # T tells of the failure a moment before it tells of room (doc.go, "Where T shows through").
    events = p.poll(timeout)[0][1]
    while events & select.POLLHUP and not events & select.POLLOUT:
        events |= p.poll(timeout)[0][1]
    return events

def ready(kind, s):
    if kind == 'select': return bool(select.select([], [s], [], 10)[1])
    if kind == 'poll':
        p = select.poll(); p.register(s, select.POLLOUT)
        return whole(p, 10000)
    p = select.epoll(); p.register(s, select.EPOLLOUT | select.EPOLLIN | select.EPOLLET)
    return whole(p, 10)

for kind in 'select', 'poll', 'epoll':
    for port in 7, 81:
        s = socket.socket(); s.setblocking(False)
        r = s.connect_ex((host, port))
        events = ready(kind, s)
        e = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        print(kind, port, errno.errorcode[r], events, errno.errorcode.get(e, e))

async def talk():
    r, w = await asyncio.open_connection(host, 7)
    w.write(b'a' * 300000); w.write_eof()
    print('asyncio', len(await r.read()))
    w.close()
    try: await asyncio.open_connection(host, 81)
    except ConnectionRefusedError: print('asyncio refused')
    server = await asyncio.start_server(lambda r, w: w.close(), '127.0.0.1', 8000)
    r, w = await asyncio.open_connection('127.0.0.1', 8000)
    print('asyncio end', await r.read())
    w.close(); server.close()
asyncio.run(talk())

s = socket.socket()
for i in range(3):
    try: s.connect((host, 81))
    except ConnectionRefusedError: print('again refused')
s.connect((host, 7)); s.sendall(b'after all'); print(s.recv(100).decode())

u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.settimeout(60)
u.sendto(b'ping', (host, 7)); print(u.recvfrom(100) == (b'ping', (host, 7)))
u.connect((host, 7)); u.send(b'pong'); print(u.recv(100))
u.connect((host, 9)); u.send(b'?')
try: u.recvfrom(10)
except ConnectionRefusedError: print('udp refused')
for i in range(40): u.sendto(b'%d' % i, (host, 7))
u2 = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u2.settimeout(60)
for i in range(40): u2.sendto(b'%d' % i, (host, 7))
print([int(u2.recv(10)) for i in range(40)] == list(range(40)))
print([name for _, name in socket.if_nameindex()])
`

const pythonOutput = `blocking
select 7 EINPROGRESS True 0
select 81 EINPROGRESS True ECONNREFUSED
poll 7 EINPROGRESS 4 0
poll 81 EINPROGRESS 28 ECONNREFUSED
epoll 7 EINPROGRESS 4 0
epoll 81 EINPROGRESS 29 ECONNREFUSED
asyncio 300000
asyncio refused
asyncio end b''
again refused
again refused
again refused
after all
True
b'pong'
udp refused
True
['lo', 'eth0']
`

func TestPython(t *testing.T) {
	needs(t, "python3")
	for _, controlled := range []bool{false, true} {
		v := newVirtual(t, Options{})
		if controlled { // by a policy that permits it all
			v = newLabelled(t)
		}
		v.testPython(t)
	}
}

func (v *virtual) testPython(t *testing.T) {
	t.Helper()
	v.serveEcho(t)
	if got, status := v.run(t, nil, "python3", "-c", pythonClients, v.webIP()); got != pythonOutput || status != 0 {
		t.Errorf("status %d, got:\n%s\nwant:\n%s", status, got, pythonOutput)
	}
}

func TestRedis(t *testing.T) {
	needs(t, "redis-server", "redis-cli", "redis-benchmark")
	for _, pumped := range []bool{false, true} {
		v := newVirtual(t, Options{})
		if pumped { // under access control everything is
			v = newLabelled(t)
		}
		own := ipv4(v.here).String()
		got := v.sh(t, fmt.Sprintf(`
cd %s
redis-server --port 6379 --protected-mode no --save '' >log & server=$!
until redis-cli ping >/dev/null 2>&1; do :; done
redis-cli set key value
redis-cli -h %s get key
redis-benchmark -q -n 5000 -c 50 -t set,get | tr '\r' '\n' | grep -c 'requests per second'
redis-cli shutdown nosave
wait $server`, t.TempDir(), own))
		if got != "OK\nvalue\n2\n" {
			t.Errorf("pumped %t: %q", pumped, got)
		}
	}
}

func TestNginx(t *testing.T) {
	needs(t, "nginx", "curl")
	v := newVirtual(t, Options{})
	v.serveHTTP(t)
	dir := t.TempDir()
	// The workers of a root's nginx run as somebody else.
	for d := dir; d != "/" && d != os.TempDir(); d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("index.html", "served by nginx\n")
	write("nginx.conf", fmt.Sprintf(`
worker_processes 2; daemon off; pid %[1]s/pid; error_log %[1]s/error;
events { worker_connections 256; }
http {
	access_log off; sendfile on; tcp_nopush on;
	client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
	server {
		listen 80; listen [::]:80; root %[1]s;
		location /up/ { proxy_pass http://%[2]s/; }
		location /down/ { proxy_pass http://%[2]s:81/; }
	}
}`, dir, v.webIP()))
	got := v.sh(t, fmt.Sprintf(`
nginx -c %[1]s/nginx.conf -e %[1]s/error & server=$!
until curl -s -o /dev/null http://127.0.0.1/; do :; done
curl -sS http://127.0.0.1/
curl -sS 'http://[::1]/'
curl -sS http://%[2]s/
curl -sS http://127.0.0.1/up/page
curl -sS -o /dev/null -w '%%{http_code}\n' http://127.0.0.1/down/
curl -sS --no-progress-meter -Z %[3]s | grep -c served
kill -HUP $server
curl -sS http://127.0.0.1/
kill -QUIT $server
wait $server`, dir, ipv4(v.here), strings.Repeat(" http://127.0.0.1/", 30)))
	served := "served by nginx\n"
	if want := served + served + served + "path /page\n502\n30\n" + served; got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestGoProgram(t *testing.T) {
	v := newVirtual(t, Options{})
	v.serveHTTP(t)
	want := "200 parallel requests\n4000000 bytes of our own\n3000000 bytes\nrefused true\n100 datagrams\nunreachable true\n[lo eth0]\n"
	if got := v.role(t, "go", v.webIP()); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}
