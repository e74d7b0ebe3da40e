// SPDX-License-Identifier: Apache-2.0

package netlink

import (
	"testing"

	"dialtone/clock"
	"dialtone/errno"
	"dialtone/personality"
	"dialtone/sockaddr"
	"dialtone/socket"
)

func newSocket(t testing.TB) *socket.Socket {
	t.Helper()
	core := socket.NewCore(clock.NewManual(), personality.Linux)
	New(core)
	s, e := core.NewSocket(&socket.Call{}, sockaddr.Netlink, socket.Raw, protoRoute)
	if e != errno.OK {
		t.Fatal(e)
	}
	return s
}

// A queue is bounded: what does not fit is lost, and the kernel never waits.
func TestAsk_answersAreBounded(t *testing.T) {
	s, c := newSocket(t), &socket.Call{NonBlocking: true}
	ping := []byte{16, 0, 0, 0, 2, 0, flagRequest | flagAck, 0, 1, 0, 0, 0, 0, 0, 0, 0}
	for range 10000 {
		if n, e := s.Send(c, &socket.Message{Data: ping}); n != len(ping) || e != errno.OK {
			t.Fatal(n, e)
		}
	}
	got := 0
	for {
		if _, e := s.Recv(c, &socket.Message{Data: make([]byte, 64)}); e == errno.EAGAIN {
			break
		}
		got++
	}
	if least, most := s.ReceiveBuffer()/(overhead+36)-1, s.ReceiveBuffer()/(overhead+36)+1; got < least || got > most {
		t.Errorf("%d answers, want %d to %d", got, least, most)
	}
}

// FuzzAsk puts any bytes to the kernel: each answer is one message, as long as it says.
func FuzzAsk(f *testing.F) {
	f.Add([]byte{16, 0, 0, 0, 2, 0, 5, 0, 1, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{17, 0, 0, 0, 18, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 16, 0, 0, 0})
	f.Add([]byte{255, 255, 255, 255, 18, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		s := newSocket(t)
		e := s.Endpoint.(*endpoint)
		e.ask(b)
		if len(e.queue) > len(b)/lenHeader {
			t.Fatalf("%d answers to %d bytes", len(e.queue), len(b))
		}
		for _, d := range e.queue {
			if n := len(d.data); n < lenHeader+4+lenHeader || int(d.data[0])|int(d.data[1])<<8|int(d.data[2])<<16 != n {
				t.Fatalf("an answer of %d bytes: % x", n, d.data[:4])
			}
		}
	})
}
