// SPDX-License-Identifier: Apache-2.0

package unixdomain_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"dialtone/errno"
	"dialtone/personality"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// pair returns two sockets connected to each other.
func pair(t *testing.T, typ socket.Type) (w *world, a, b *socket.Socket) {
	t.Helper()
	w = newWorld(t, personality.Linux)
	a, b, e := w.core.NewPair(w.call(), sockaddr.Unix, typ, 0)
	if e != errno.OK {
		t.Fatal(e)
	}
	return w, a, b
}

func (w *world) send(s *socket.Socket, m *socket.Message) (int, errno.Errno) {
	m.Flags |= socket.MsgDontWait
	return s.Send(w.call(), m)
}

func (w *world) recv(s *socket.Socket, room, flags int) (socket.Message, int, errno.Errno) {
	m := socket.Message{Data: make([]byte, room), Flags: flags | socket.MsgDontWait}
	n, e := s.Recv(w.call(), &m)
	m.Data = m.Data[:n]
	return m, n, e
}

// The numbers were counted on Linux 6.18: sends of size bytes, on a non-blocking end of a socket pair, until EAGAIN, and
// reads of as many bytes until poll says OUT again. sndbuf 0 is the default of 212992 bytes.
func TestSendBufferHoldsAsMuchAsLinux(t *testing.T) {
	for _, c := range []struct {
		typ                        socket.Type
		size, sndbuf, sends, total int
		reads                      int
	}{
		{socket.Stream, 1, 0, 278, 278, 209},
		{socket.Stream, 192, 0, 278, 53376, 209},
		{socket.Stream, 193, 0, 167, 32231, 126},
		{socket.Stream, 704, 0, 167, 117568, 126},
		{socket.Stream, 705, 0, 93, 65565, 70},
		{socket.Stream, 1729, 0, 49, 84721, 37},
		{socket.Stream, 3776, 0, 49, 185024, 37},
		{socket.Stream, 3777, 0, 44, 166188, 34},
		{socket.Stream, 5000, 0, 34, 170000, 26},
		{socket.Stream, 8000, 0, 24, 192000, 19},
		{socket.Stream, 16384, 0, 13, 212992, 10},
		{socket.Stream, 32768, 0, 7, 229376, 6},
		{socket.Stream, 36545, 0, 6, 219269, 0},
		{socket.Stream, 65536, 0, 4, 233152, 0},
		{socket.Stream, 1000000, 0, 1, 219264, 0},
		{socket.Stream, 1, 4096, 11, 11, 0},
		{socket.Stream, 5000, 4096, 2, 9032, 0},
		{socket.Stream, 65536, 4096, 1, 8064, 0},
		{socket.SeqPacket, 1, 0, 278, 278, 0},
		{socket.SeqPacket, 3777, 0, 26, 98202, 0},
		{socket.SeqPacket, 8000, 0, 13, 104000, 0},
		{socket.SeqPacket, 16384, 0, 11, 180224, 0},
		{socket.SeqPacket, 65536, 0, 4, 262144, 0},
		{socket.Dgram, 100, 4096, 11, 1100, 0},
		{socket.Dgram, 8160, 4096, 1, 8160, 0},
		{socket.Dgram, 8161, 4096, 0, 0, 0},
		{socket.SeqPacket, 212960, 0, 1, 212960, 0},
		{socket.SeqPacket, 212961, 0, 0, 0, 0},
	} {
		w, a, b := pair(t, c.typ)
		if c.sndbuf > 0 {
			a.SetOption(w.call(), socket.SolSocket, socket.SoSndBuf, socket.Int(c.sndbuf))
		}
		data, sends, total := make([]byte, c.size), 0, 0
		n, e := w.send(a, &socket.Message{Data: data})
		for ; e == errno.OK; n, e = w.send(a, &socket.Message{Data: data}) {
			sends++
			total += n
		}
		want := errno.EAGAIN
		if c.sends == 0 {
			want = errno.EMSGSIZE
		}
		if sends != c.sends || total != c.total || e != want {
			t.Errorf("%v of %d: %d sends, %d bytes, then %v; want %d, %d, %v", c.typ, c.size, sends, total, e.Name(), c.sends, c.total, want.Name())
		}
		for reads := 1; reads <= c.reads; reads++ {
			w.recv(b, c.size, 0)
			p := []socket.PollFile{{Socket: a, Events: socket.Out}}
			if ready, _ := socket.Poll(w.call(), w.core, p, 0); (ready > 0) != (reads == c.reads) {
				t.Errorf("%v of %d: writable %v after %d reads, want it after %d", c.typ, c.size, ready > 0, reads, c.reads)
			}
		}
	}
}

func TestBlockingSendTakesEverything(t *testing.T) {
	w, a, b := pair(t, socket.Stream)
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	var n int
	var e errno.Errno
	w.clock.Go(func() { n, e = a.Send(w.call(), &socket.Message{Data: sent}) })
	var got []byte
	for len(got) < len(sent) {
		w.clock.Settle()
		m, _, e := w.recv(b, 10007, 0)
		if e != errno.OK {
			t.Fatalf("after %d bytes: %v", len(got), e)
		}
		got = append(got, m.Data...)
	}
	w.clock.Settle()
	if n != len(sent) || e != errno.OK || !bytes.Equal(got, sent) {
		t.Errorf("sent %d, %v; the same: %v", n, e, bytes.Equal(got, sent))
	}
}

func TestPeerClosesWhileSendWaits(t *testing.T) {
	w, a, b := pair(t, socket.Stream)
	var n int
	var e errno.Errno
	w.clock.Go(func() { n, e = a.Send(w.call(), &socket.Message{Data: make([]byte, 1<<20)}) })
	w.clock.Settle()
	b.Close(w.call())
	w.clock.Settle()
	if n != 219264 || e != errno.OK { // what fitted
		t.Errorf("sent %d, %v", n, e)
	}
	if _, e := w.send(a, &socket.Message{Data: []byte("x")}); e != errno.EPIPE {
		t.Errorf("then %v", e)
	}
}

func TestRecordsKeepTheirBounds(t *testing.T) {
	for _, typ := range []socket.Type{socket.SeqPacket, socket.Dgram} {
		w, a, b := pair(t, typ)
		for _, s := range []string{"hello", "", "world"} {
			w.send(a, &socket.Message{Data: []byte(s), Flags: socket.MsgEOR})
		}
		m, n, _ := w.recv(b, 2, socket.MsgPeek)
		if n != 2 || string(m.Data) != "he" || m.Out != socket.MsgTrunc || m.Size != 5 {
			t.Errorf("peeked %q, flags %#x, size %d", m.Data, m.Out, m.Size)
		}
		m, n, _ = w.recv(b, 2, 0)
		if n != 2 || m.Out != socket.MsgTrunc || m.Size != 5 {
			t.Errorf("received %q, flags %#x, size %d", m.Data, m.Out, m.Size)
		}
		if m, n, e := w.recv(b, 9, 0); n != 0 || e != errno.OK || m.Out != 0 {
			t.Errorf("the empty record: %d, %v", n, e)
		}
		if m, _, _ := w.recv(b, 9, 0); string(m.Data) != "world" || m.Out != 0 { // Linux passes no MSG_EOR on
			t.Errorf("received %q, flags %#x", m.Data, m.Out)
		}
		if _, _, e := w.recv(b, 9, 0); e != errno.EAGAIN {
			t.Errorf("the empty queue: %v", e)
		}
	}
}

func TestStreamHasNoBounds(t *testing.T) {
	w, a, b := pair(t, socket.Stream)
	for _, s := range []string{"ab", "", "cde", "f"} {
		if n, e := w.send(a, &socket.Message{Data: []byte(s)}); n != len(s) || e != errno.OK {
			t.Errorf("send of %q: %d, %v", s, n, e)
		}
	}
	for _, c := range []struct {
		room, flags int
		want        string
	}{{9, socket.MsgPeek, "abcdef"}, {3, socket.MsgPeek, "abc"}, {1, 0, "a"}, {3, 0, "bcd"}, {9, 0, "ef"}} {
		if m, _, e := w.recv(b, c.room, c.flags); string(m.Data) != c.want || e != errno.OK {
			t.Errorf("room for %d: %q, %v; want %q", c.room, m.Data, e, c.want)
		}
	}
}

func TestUrgentDataIsNotSupported(t *testing.T) {
	for typ, want := range map[socket.Type]errno.Errno{socket.Stream: errno.EINVAL, socket.SeqPacket: errno.EOPNOTSUPP, socket.Dgram: errno.EOPNOTSUPP} {
		w, a, b := pair(t, typ)
		if _, e := w.send(a, &socket.Message{Data: []byte("x"), Flags: socket.MsgOOB}); e != errno.EOPNOTSUPP {
			t.Errorf("%v: send %v", typ, e)
		}
		if _, _, e := w.recv(b, 1, socket.MsgOOB); e != want {
			t.Errorf("%v: recv %v, want %v", typ, e, want)
		}
	}
}

// cred returns what SO_PEERCRED says: pid, uid, gid.
func (w *world) cred(s string) [3]int32 {
	b, e := w.sockets[s].Option(w.call(), socket.SolSocket, socket.SoPeerCred)
	if e != errno.OK || len(b) != 12 {
		w.t.Fatalf("SO_PEERCRED of %s: %v, %v", s, b, e)
	}
	var c [3]int32
	if _, err := binary.Decode(b, binary.LittleEndian, &c); err != nil {
		w.t.Fatal(err)
	}
	return c
}

func TestPeerCredentials(t *testing.T) { // unix(7), SO_PEERCRED
	for _, typ := range []string{"stream", "seqpacket"} {
		w := newWorld(t, personality.Linux)
		w.caller.PID = 10
		w.run(strings.ReplaceAll(listening, "TYPE", typ))
		w.sockets["fresh"] = w.sockets["s"]
		if got := w.cred("fresh"); got != [3]int32{0, -1, -1} {
			t.Errorf("%s: unconnected %v", typ, got)
		}
		w.run("chmod /s 777\nas 1000 1001")
		w.caller.PID = 11
		w.run("connect s /s\nas root")
		w.caller.PID = 12
		w.run("accept l c")
		for s, want := range map[string][3]int32{"l": {10, 0, 0}, "s": {10, 0, 0}, "c": {11, 1000, 1001}} {
			if got := w.cred(s); got != want {
				t.Errorf("%s: %s has %v, want %v", typ, s, got, want)
			}
		}
	}
	w := newWorld(t, personality.Linux)
	w.run("as 5 6\npair a b dgram")
	for _, s := range []string{"a", "b"} {
		if got := w.cred(s); got != [3]int32{1, 5, 6} {
			t.Errorf("of a pair %v", got)
		}
	}
	if e := w.sockets["a"].SetOption(w.call(), socket.SolSocket, socket.SoPeerCred, make([]byte, 12)); e != errno.ENOPROTOOPT {
		t.Errorf("setting it: %v", e)
	}
	if _, e := w.sockets["a"].Option(w.call(), 6, 1); e != errno.EOPNOTSUPP {
		t.Errorf("TCP_NODELAY: %v", e)
	}
}

func TestPassCredIsInherited(t *testing.T) { // seen on Linux 6.18: as it was when the client connected
	w := run(t, listeningStream+"connect s /s\npasscred l on\naccept l c\nsocket t stream\nconnect t /s\npasscred l off\naccept l d")
	for s, want := range map[string]byte{"c": 0, "d": 1} {
		if b, _ := w.sockets[s].Option(w.call(), socket.SolSocket, socket.SoPassCred); b[0] != want {
			t.Errorf("%s: SO_PASSCRED %v, want %d", s, b, want)
		}
	}
}

func TestCredentialsTravel(t *testing.T) { // unix(7), SCM_CREDENTIALS
	for _, typ := range []socket.Type{socket.Stream, socket.SeqPacket, socket.Dgram} {
		w, a, b := pair(t, typ)
		w.caller = &socket.Caller{PID: 7, UID: 70, GID: 700}
		w.send(a, &socket.Message{Data: []byte("before")}) // nobody asked
		b.SetOption(w.call(), socket.SolSocket, socket.SoPassCred, socket.Bool(true))
		w.send(a, &socket.Message{Data: []byte("asked")})
		own := socket.Credentials{PID: 7, UID: 70, GID: 700}
		w.send(a, &socket.Message{Data: []byte("own"), Credentials: &own})
		other := socket.Credentials{PID: 8, UID: 70, GID: 700}
		if _, e := w.send(a, &socket.Message{Data: []byte("x"), Credentials: &other}); e != errno.EPERM {
			t.Errorf("%v: another's PID: %v", typ, e)
		}
		w.caller.Caps = socket.SysAdmin
		if _, e := w.send(a, &socket.Message{Data: []byte("forged"), Credentials: &other}); e != errno.OK {
			t.Errorf("%v: another's PID with the capability: %v", typ, e)
		}
		nobody := socket.Credentials{UID: 65534, GID: 65534}
		last := "forged"
		wants := []struct {
			data string
			cred socket.Credentials
		}{{"before", nobody}, {"asked", own}, {"own", own}, {last, other}}
		if typ == socket.Stream { // bytes from the same credentials join
			wants[1].data = "askedown"
			wants = append(wants[:2], wants[3])
		}
		for _, want := range wants {
			m, _, e := w.recv(b, 100, 0)
			if e != errno.OK || string(m.Data) != want.data || m.Credentials == nil || *m.Credentials != want.cred {
				t.Errorf("%v: %q of %+v, %v; want %q of %+v", typ, m.Data, m.Credentials, e, want.data, want.cred)
			}
		}
	}
}

// right counts its holders.
type right struct{ holders int }

func (r *right) HoldRight()                { r.holders++ }
func (r *right) ReleaseRight(*socket.Call) { r.holders-- }

func TestRightsTravel(t *testing.T) { // unix(7), SCM_RIGHTS
	for _, typ := range []socket.Type{socket.Stream, socket.SeqPacket, socket.Dgram} {
		w, a, b := pair(t, typ)
		r := &right{1}
		w.send(a, &socket.Message{Data: []byte("one")})
		w.send(a, &socket.Message{Data: []byte("two"), Rights: []any{r}})
		w.send(a, &socket.Message{Data: []byte("three")})
		if typ != socket.Stream {
			w.recv(b, 9, 0)
		}
		peeked, _, _ := w.recv(b, 99, socket.MsgPeek)
		taken, _, _ := w.recv(b, 99, 0)
		want := "two"
		if typ == socket.Stream {
			want = "onetwo" // rights end a read
		}
		for _, m := range []socket.Message{peeked, taken} {
			if string(m.Data) != want || len(m.Rights) != 1 || m.Rights[0] != any(r) {
				t.Errorf("%v: %q with %v", typ, m.Data, m.Rights)
			}
		}
		if r.holders != 2 { // the one sent, and the one that peeking made
			t.Errorf("%v: %d holders", typ, r.holders)
		}
		if m, _, _ := w.recv(b, 99, 0); string(m.Data) != "three" || m.Rights != nil {
			t.Errorf("%v: then %q with %v", typ, m.Data, m.Rights)
		}
		if _, e := w.send(a, &socket.Message{Data: []byte("x"), Rights: make([]any, 254)}); e != errno.EINVAL {
			t.Errorf("%v: 254 rights: %v", typ, e)
		}
	}
}

func TestPartlyReadRightsComeOnce(t *testing.T) {
	w, a, b := pair(t, socket.Stream)
	r := &right{1}
	w.send(a, &socket.Message{Data: []byte("two"), Rights: []any{r}})
	if m, _, _ := w.recv(b, 1, 0); len(m.Rights) != 1 {
		t.Errorf("with the first byte: %v", m.Rights)
	}
	if m, _, _ := w.recv(b, 9, 0); m.Rights != nil || string(m.Data) != "wo" {
		t.Errorf("with the rest: %q, %v", m.Data, m.Rights)
	}
	b.Close(w.call())
	if r.holders != 1 {
		t.Errorf("%d holders", r.holders)
	}
}

func TestUnreadRightsAreReleased(t *testing.T) {
	for _, typ := range []socket.Type{socket.Stream, socket.SeqPacket, socket.Dgram} {
		w, a, b := pair(t, typ)
		r := &right{1}
		w.send(a, &socket.Message{Data: []byte("x"), Rights: []any{r}})
		b.Close(w.call())
		if r.holders != 0 {
			t.Errorf("%v: %d holders after close", typ, r.holders)
		}
	}
	// One that nobody accepted.
	w := run(t, listeningStream+"connect s /s")
	r := &right{1}
	w.send(w.sockets["s"], &socket.Message{Data: []byte("x"), Rights: []any{r}})
	w.run("close l")
	if r.holders != 0 {
		t.Errorf("%d holders after the listener's close", r.holders)
	}
}

func TestSocketsArePassed(t *testing.T) {
	w := run(t, "pair a b stream\npair x y stream")
	x := w.sockets["x"]
	w.send(w.sockets["a"], &socket.Message{Data: []byte("x"), Rights: []any{x}}) // x's only descriptor goes along
	w.run("poll y = OUT\nclose b\npoll y = IN|OUT|HUP|RDHUP")
}

func TestStreamTellsItsSender(t *testing.T) {
	w := run(t, listeningStream+"bind s /c\nconnect s /s\naccept l c\nsend s x = 1\nsend c y = 1")
	for s, want := range map[string]sockaddr.Addr{"c": sockaddr.OfUnix("/c"), "s": sockaddr.OfUnix("/s")} {
		if m, _, _ := w.recv(w.sockets[s], 1, 0); m.From != want {
			t.Errorf("%s received from %v, want %v", s, m.From, want)
		}
	}
	w, a, b := pair(t, socket.Dgram)
	w.send(a, &socket.Message{Data: []byte("x")})
	if m, _, _ := w.recv(b, 1, 0); m.From != (sockaddr.Addr{}) {
		t.Errorf("from nobody: %v", m.From)
	}
}

// TestDataOfEverySize: packets get memory in sizes of powers of two, and get it again after others; what is read is what
// was sent all the same, while more of it waits.
func TestDataOfEverySize(t *testing.T) {
	for _, typ := range []socket.Type{socket.Stream, socket.SeqPacket, socket.Dgram} {
		w, a, b := pair(t, typ)
		if e := a.SetOption(w.call(), socket.SolSocket, socket.SoSndBuf, socket.Int(4<<20)); e != errno.OK {
			t.Fatal(e)
		}
		next := byte(0)
		for size := 128; size <= 512<<10; size *= 2 {
			for _, n := range []int{size - 1, size, size + 1} {
				var sent [][]byte
				for range 3 {
					next++
					data := bytes.Repeat([]byte{next}, n)
					data[n-1] = ^next
					if got, e := w.send(a, &socket.Message{Data: data}); got != n || e != errno.OK {
						t.Fatalf("%v: sent %d of %d bytes: %v", typ, got, n, e)
					}
					sent = append(sent, data)
				}
				for i, want := range sent {
					peeked, _, e := w.recv(b, n, socket.MsgPeek)
					if e != errno.OK || !bytes.Equal(peeked.Data, want) {
						t.Errorf("%v: %d bytes, message %d is another when peeked at: %v", typ, n, i, e)
					}
					m, _, e := w.recv(b, n, 0)
					if e != errno.OK || !bytes.Equal(m.Data, want) {
						t.Errorf("%v: %d bytes, message %d is another: %v", typ, n, i, e)
					}
				}
			}
		}
	}
}
