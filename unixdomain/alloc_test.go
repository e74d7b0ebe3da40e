// SPDX-License-Identifier: Apache-2.0

//go:build !race

// Not under the race detector, which makes sync.Pool forget at random.

package unixdomain_test

import (
	"testing"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// TestAllocations holds what calls allocate, for both ends together.
func TestAllocations(t *testing.T) {
	check := func(name string, most float64, f func()) {
		t.Helper()
		if got := testing.AllocsPerRun(500, f); got > most {
			t.Errorf("%s: %v allocations, want %v at most", name, got, most)
		}
	}
	w := newOurWorld(t)
	for _, typ := range []socket.Type{socket.Stream, socket.SeqPacket} {
		for _, name := range []string{"\x00abstract", "/a/path/of/some/length"} {
			l, to := newSocket(t, w.core, typ), sockaddr.OfUnix(name).Append(nil)
			if e := w.tree.MkdirAll("/a/path/of/some", 0o755); e != nil {
				t.Fatal(e)
			}
			listenAt(t, l, name, 1)
			check(typ.String()+" connect+accept+close", 4, func() { w.connectOnce(l, to) }) // a socket and an endpoint each
			l.Close(&w.call)
			if name[0] == '/' {
				if e := w.tree.Remove(name); e != nil {
					t.Fatal(e)
				}
			}
		}
	}
	for _, typ := range []socket.Type{socket.Stream, socket.SeqPacket, socket.Dgram} {
		x, y, e := w.core.NewPair(&w.call, sockaddr.Unix, typ, 0)
		if e != errno.OK {
			t.Fatal(e)
		}
		for _, size := range []int{1, 1400, 16 << 10, 64 << 10, 200_000} {
			data, room := make([]byte, size), make([]byte, size)
			check(typ.String()+" data", 0, func() { w.pass(x, y, data, room) })
		}
	}
	other, to := newSocket(t, w.core, socket.Dgram), sockaddr.OfUnix("\x00other").Append(nil)
	if e := other.Endpoint.Bind(&w.call, to); e != errno.OK {
		t.Fatal(e)
	}
	check("connect and close of a datagram socket", 2, func() { w.connect(socket.Dgram, to).Close(&w.call) })
}
