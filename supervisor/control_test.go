// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"bytes"
	"os/exec"
	"reflect"
	"testing"

	"dialtone/socket"

	"golang.org/x/sys/unix"
)

// sameAsKernel runs a Python script under the supervisor and without, and
// holds that both print what is wanted.
func sameAsKernel(t *testing.T, script, want string) {
	needs(t, "python3")
	v := newVirtual(t, Options{})
	if out, status := v.run(t, nil, "python3", "-c", script); out != want || status != 0 {
		t.Errorf("status %d:\n%s\nwant\n%s", status, out, want)
	}
	if out, err := exec.Command("python3", "-c", script).CombinedOutput(); err != nil || string(out) != want {
		t.Errorf("the kernel: %v\n%s", err, out)
	}
}

// Control messages reach a hosted program as they do any other, on sockets with
// a peer and without, and say where what it sends comes from.
func TestControlMessages(t *testing.T) {
	sameAsKernel(t, `
import socket, struct, time
def show(m):
    data, control, flags, _ = m
    return data, [(l, t, x.hex() if (l, t) != (1, 35) else abs(struct.unpack("q", x[:8])[0] - time.time()) < 60) for l, t, x in control], flags
def pair(family, host, options):
    u = socket.socket(family, socket.SOCK_DGRAM)
    u.bind((host, 0))
    for level, name in options: u.setsockopt(level, name, 1)
    c = socket.socket(family, socket.SOCK_DGRAM)
    c.connect(u.getsockname())
    return u, c
u, c = pair(socket.AF_INET, "127.0.0.1", [(0, 8), (0, 12), (0, 13), (1, 35)])
c.sendmsg([b"one"], [(0, 2, struct.pack("i", 7)), (0, 1, b"\x2a")])
print(show(u.recvmsg(10, 500)))
c.sendmsg([b"two"], [(0, 8, struct.pack("i", 0) + socket.inet_aton("127.0.0.5") + bytes(4))])
print(u.recvfrom(10)[1][0])
u.connect(c.getsockname())
c.send(b"three")
print(show(u.recvmsg(10, 500, socket.MSG_PEEK)))
print(show(u.recvmsg(10, 30)))
c.send(b"four")
print(show(u.recvmsg(10)))
c.send(b"five")
print(u.recv(10))
for bad in [(0, 2, b"x"), (0, 8, struct.pack("i", 99) + bytes(8)), (1, 29, bytes(4))]:
    try: print(c.sendmsg([b"x"], [bad]))
    except OSError as e: print(e.strerror)
c.setsockopt(17, 103, 4)
c.send(b"segments")
print(u.recv(10), u.recv(10))
c.sendmsg([b"segments"], [(17, 103, struct.pack("H", 5))])
print(u.recv(10), u.recv(10))
c.setsockopt(17, 103, 0)
c.setsockopt(17, 1, 1)
c.send(b"in ")
c.send(b"pieces")
c.setsockopt(17, 1, 0)
print(u.recv(10))
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
v = pair(socket.AF_INET, "127.0.0.1", [])[0]
s.sendto(b"once ", 0x8000, v.getsockname())
s.sendto(b"more", 0, v.getsockname())
print(v.recv(10))
u, c = pair(socket.AF_INET6, "::1", [(41, 49), (41, 51), (41, 66)])
c.sendmsg([b"six"], [(41, 52, struct.pack("i", 9)), (41, 67, struct.pack("i", 43))])
print(show(u.recvmsg(10, 500)))
c.setsockopt(41, 25, 1)
c.setsockopt(41, 51, 1)
c.connect(("::1", 9))
c.send(b"lost")
time.sleep(0.05)
print(show(c.recvmsg(10, 500, socket.MSG_ERRQUEUE))[1][0])
`, `(b'one', [(1, 35, True), (0, 8, '010000007f0000017f000001'), (0, 2, '07000000'), (0, 1, '2a')], 0)
127.0.0.5
(b'three', [(1, 35, True), (0, 8, '010000007f0000017f000001'), (0, 2, '40000000'), (0, 1, '00')], 0)
(b'three', [(1, 35, True)], 8)
(b'four', [], 8)
b'five'
Invalid argument
No such device
Invalid argument
b'segm' b'ents'
b'segme' b'nts'
b'in pieces'
b'once more'
(b'six', [(41, 50, '0000000000000000000000000000000101000000'), (41, 52, '09000000'), (41, 67, '2b000000')], 0)
(41, 52, '40000000')
`)
}

// Who reads nothing of a stream, with room for control messages, gets nothing.
func TestControlMessagesOfStream(t *testing.T) {
	sameAsKernel(t, `
import socket
l = socket.create_server(("127.0.0.1", 0))
s = socket.create_connection(l.getsockname())
c, _ = l.accept()
s.sendall(b"x")
print(c.recv(1, socket.MSG_PEEK), c.recvmsg(0, 100)[:3], c.recvmsg(5, 100)[:3])
`, "b'x' (b'', [], 0) (b'x', [], 0)\n")
}

// Groups are joined, and heard, by hosted programs as by others.
func TestGroups(t *testing.T) {
	sameAsKernel(t, `
import socket
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.bind(("", 0))
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
to = ("239.1.2.3", u.getsockname()[1])
s.sendto(b"nobody", to)
u.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(to[0]) + socket.inet_aton("127.0.0.1"))
s.sendto(b"member", to)
print(u.recvfrom(10)[0])
`, "b'member'\n")
}

// What many datagrams have beside them has a number; what differs from one to
// the next has none, and nothing has once there are too many.
func TestAsides(t *testing.T) {
	ttl := func(n byte, level int) []socket.ControlMessage {
		return []socket.ControlMessage{{Level: level, Type: unix.IP_TTL, Data: []byte{n}}}
	}
	var as asides
	if n, ok := as.number(nil); n != 0 || !ok || as.control(0) != nil {
		t.Error("nothing has a number, or none has something")
	}
	for i := range maxAsides {
		c := append(ttl(byte(i), unix.SOL_IP), ttl(byte(i>>8), unix.SOL_IPV6)...)
		n, ok := as.number(c)
		again, _ := as.number(c)
		if !ok || n != i+1 || again != n || !reflect.DeepEqual(as.control(n), c) {
			t.Fatalf("%d has the number %d, then %d", i, n, again)
		}
	}
	if _, ok := as.number(ttl(1, unix.SOL_SOCKET)); ok {
		t.Error("a time has a number")
	}
	if n, ok := as.number(ttl(1, unix.SOL_TCP)); ok {
		t.Errorf("one too many has the number %d", n)
	}
	if as.control(maxAsides+1) != nil || as.control(-1) != nil {
		t.Error("numbers that were not given out mean something")
	}
}

// What is beside a datagram can be anything, if somebody else has put it there.
func FuzzEnvelope(f *testing.F) {
	m := socket.Message{Sender: 7, SID: 8, Control: []socket.ControlMessage{{Level: 0, Type: 2, Data: []byte{64, 0, 0, 0}}}}
	f.Add([]byte(envelopeOf(&m)))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		e := readEnvelope(b)
		again := socket.Message{Sender: e.sids[0], SID: e.sids[1], Control: e.control}
		if text := envelopeOf(&again); text != "" && !reflect.DeepEqual(readEnvelope([]byte(text)).control, e.control) {
			t.Errorf("%+v became %q", e, text)
		}
	})
}

// A program of 32 bits aligns its messages otherwise, and its times are short.
func TestControlMessages32(t *testing.T) {
	b := []byte{
		13, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 42, 0, 0, 0, // IP_TOS, one byte and its padding
		16, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 7, 0, 0, 0, // IP_TTL
	}
	all, e := parseControl(b, true)
	want := []socket.ControlMessage{{Level: 0, Type: 1, Data: []byte{42}}, {Level: 0, Type: 2, Data: []byte{7, 0, 0, 0}}}
	if e != 0 || !reflect.DeepEqual(all, want) {
		t.Errorf("%+v, %v", all, e)
	}
	for _, short := range []byte{0, 11, 33} {
		if _, e := parseControl(append([]byte{short}, b[1:]...), true); e != unix.EINVAL {
			t.Errorf("a length of %d is %v", short, e)
		}
	}
	c := &call{compat: true}
	long := []byte{1, 2, 3, 4, 0, 0, 0, 0, 5, 6, 7, 0, 0, 0, 0, 0}
	if got := c.controlData(socket.ControlMessage{Level: unix.SOL_SOCKET, Type: unix.SO_TIMESTAMP, Data: long}); !bytes.Equal(got, []byte{1, 2, 3, 4, 5, 6, 7, 0}) {
		t.Errorf("a struct timeval of 32 bits is %v", got)
	}
}

// What a program sends beside its bytes is taken apart as the kernel does.
func FuzzParseControl(f *testing.F) {
	f.Add(unix.UnixRights(3, 4), false)
	f.Add([]byte{16, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 5, 0, 0, 0}, true)
	f.Fuzz(func(t *testing.T, b []byte, compat bool) {
		all, e := parseControl(b, compat)
		if e != 0 || compat {
			return
		}
		var again []byte
		for _, m := range all {
			again = append(again, make([]byte, unix.CmsgSpace(len(m.Data)))...)
			at := again[len(again)-unix.CmsgSpace(len(m.Data)):]
			at[0], at[1] = byte(unix.CmsgLen(len(m.Data))), byte(unix.CmsgLen(len(m.Data))>>8)
			at[8], at[9], at[10], at[11] = byte(m.Level), byte(m.Level>>8), byte(m.Level>>16), byte(m.Level>>24)
			at[12], at[13], at[14], at[15] = byte(m.Type), byte(m.Type>>8), byte(m.Type>>16), byte(m.Type>>24)
			copy(at[16:], m.Data)
		}
		if twice, e := parseControl(again, false); e != 0 || len(twice) != len(all) {
			t.Fatalf("%d messages became %d, %v", len(all), len(twice), e)
		} else if len(all) > 0 && !bytes.Equal(twice[len(all)-1].Data, all[len(all)-1].Data) {
			t.Errorf("%v became %v", all, twice)
		}
	})
}
