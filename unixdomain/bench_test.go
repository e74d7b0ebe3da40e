// SPDX-License-Identifier: Apache-2.0

package unixdomain_test

import (
	"testing"

	"dialtone/clock"
	"dialtone/errno"
	"dialtone/personality"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/unixdomain"
)

// ourWorld is one host on the real clock.
type ourWorld struct {
	tb      testing.TB
	core    *socket.Core
	tree    *unixdomain.Tree
	call    socket.Call
	message socket.Message
}

func newOurWorld(tb testing.TB) *ourWorld {
	w := &ourWorld{tb: tb, core: socket.NewCore(clock.NewReal(), personality.Linux), tree: unixdomain.NewTree()}
	unixdomain.New(w.core, w.tree)
	return w
}

// connect makes a socket and connects it to the address.
func (w *ourWorld) connect(typ socket.Type, to []byte) *socket.Socket {
	s, e := w.core.NewSocket(&w.call, sockaddr.Unix, typ, 0)
	if e != errno.OK {
		w.tb.Fatal(e)
	}
	if e := s.Connect(&w.call, to); e != errno.OK {
		w.tb.Fatal(e)
	}
	return s
}

// connectOnce connects, accepts and closes both ends.
func (w *ourWorld) connectOnce(l *socket.Socket, to []byte) {
	s := w.connect(l.Type, to)
	a, e := l.Accept(&w.call)
	if e != errno.OK {
		w.tb.Fatal(e)
	}
	s.Close(&w.call)
	a.Close(&w.call)
}

// pass sends data from one socket to the other, and receives it into room.
func (w *ourWorld) pass(from, to *socket.Socket, data, room []byte) {
	w.message = socket.Message{Data: data, Flags: socket.MsgDontWait}
	n, e := from.Send(&w.call, &w.message)
	if e != errno.OK || n != len(data) {
		w.tb.Fatal(n, e)
	}
	for n > 0 {
		w.message = socket.Message{Data: room, Flags: socket.MsgDontWait}
		got, e := to.Recv(&w.call, &w.message)
		if e != errno.OK {
			w.tb.Fatal(e)
		}
		n -= got
	}
}
