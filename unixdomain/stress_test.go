// SPDX-License-Identifier: Apache-2.0

package unixdomain_test

import (
	"encoding/binary"
	"fmt"
	"sync"
	"testing"

	"dialtone/clock"
	"dialtone/errno"
	"dialtone/personality"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/unixdomain"
)

// TestManyClientsOneListener has goroutines connect to a listener with a small backlog while others accept, and each
// connection echo; it is for the race detector, and to see that nobody sleeps for ever.
func TestManyClientsOneListener(t *testing.T) {
	const clients, each, servers = 16, 30, 4
	for _, typ := range []socket.Type{socket.Stream, socket.SeqPacket} {
		core := socket.NewCore(clock.NewReal(), personality.Linux)
		tree := unixdomain.NewTree()
		unixdomain.New(core, tree)
		l := newSocket(t, core, typ)
		listenAt(t, l, "/s", 2)
		var wg sync.WaitGroup
		for range servers {
			wg.Go(func() {
				for range clients * each / servers {
					echo(t, l)
				}
			})
		}
		for n := range clients {
			wg.Go(func() {
				for i := range each {
					ask(t, core, typ, uint64(n*each+i))
				}
			})
		}
		wg.Go(func() { // somebody moves the file about meanwhile
			for i := range 200 {
				name := fmt.Sprintf("/link%d", i)
				if err := tree.Link("/s", name); err != nil {
					t.Error(err)
				}
				if err := tree.Remove(name); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Wait()
		l.Close(&socket.Call{})
	}
}

func newSocket(t testing.TB, core *socket.Core, typ socket.Type) *socket.Socket {
	s, e := core.NewSocket(&socket.Call{}, sockaddr.Unix, typ, 0)
	if e != errno.OK {
		t.Fatal(e)
	}
	return s
}

func listenAt(t testing.TB, l *socket.Socket, name string, backlog int) {
	if e := socket.Bind(&socket.Call{}, personality.Linux, l, sockaddr.OfUnix(name).Raw()); e != errno.OK {
		t.Fatal(e)
	}
	if e := l.Listen(&socket.Call{}, backlog); e != errno.OK {
		t.Fatal(e)
	}
}

func echo(t *testing.T, l *socket.Socket) {
	c := &socket.Call{}
	s, e := l.Accept(c)
	if e != errno.OK {
		t.Error("accept:", e)
		return
	}
	defer s.Close(c)
	m := &socket.Message{Data: make([]byte, 8)}
	if n, e := s.Recv(c, m); n != 8 || e != errno.OK {
		t.Error("server's recv:", n, e)
	}
	if n, e := s.Send(c, &socket.Message{Data: m.Data}); n != 8 || e != errno.OK {
		t.Error("server's send:", n, e)
	}
}

func ask(t *testing.T, core *socket.Core, typ socket.Type, x uint64) {
	c := &socket.Call{}
	s := newSocket(t, core, typ)
	defer s.Close(c)
	if e := socket.Connect(c, personality.Linux, s, sockaddr.OfUnix("/s").Raw()); e != errno.OK {
		t.Error("connect:", e)
		return
	}
	if n, e := s.Send(c, &socket.Message{Data: binary.LittleEndian.AppendUint64(nil, x)}); n != 8 || e != errno.OK {
		t.Error("client's send:", n, e)
	}
	m := &socket.Message{Data: make([]byte, 8)}
	if n, e := s.Recv(c, m); n != 8 || e != errno.OK || binary.LittleEndian.Uint64(m.Data) != x {
		t.Error("client's recv:", n, e, m.Data)
	}
	if n, e := s.Recv(c, m); n != 0 || e != errno.OK {
		t.Error("client's end:", n, e)
	}
}

// TestManyDatagramSenders has goroutines send more than the receiver's queue holds.
func TestManyDatagramSenders(t *testing.T) {
	const senders, each = 8, 200
	core := socket.NewCore(clock.NewReal(), personality.Linux)
	unixdomain.New(core, unixdomain.NewTree())
	r := newSocket(t, core, socket.Dgram)
	to := sockaddr.OfUnix("\x00r")
	if e := socket.Bind(&socket.Call{}, personality.Linux, r, to.Raw()); e != errno.OK {
		t.Fatal(e)
	}
	var wg sync.WaitGroup
	for n := range senders {
		wg.Go(func() {
			c := &socket.Call{}
			s := newSocket(t, core, socket.Dgram)
			defer s.Close(c)
			for i := range each {
				m := &socket.Message{Data: []byte{byte(n), byte(i)}, To: to.Append(nil)}
				if _, e := s.Send(c, m); e != errno.OK {
					t.Error("send:", e)
				}
			}
		})
	}
	var next [senders]int
	m := &socket.Message{Data: make([]byte, 8)}
	for range senders * each {
		n, e := r.Recv(&socket.Call{}, m)
		if n != 2 || e != errno.OK {
			t.Fatal("recv:", n, e)
		}
		if from, i := m.Data[0], int(m.Data[1]); next[from] != i {
			t.Fatalf("sender %d: datagram %d came when %d was next", from, i, next[from])
		}
		next[m.Data[0]]++
	}
	wg.Wait()
}
