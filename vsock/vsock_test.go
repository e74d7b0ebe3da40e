// SPDX-License-Identifier: Apache-2.0

package vsock

import (
	"testing"

	"dialtone/clock"
	"dialtone/errno"
	"dialtone/personality"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// FuzzAddress puts any bytes to bind and connect: a bound socket's name can be bound to by another once it is closed, and
// not before. The calls' errnos are in the conformance cases (others/netlink-and-kin.txt).
func FuzzAddress(f *testing.F) {
	f.Add([]byte{40, 0, 0, 0, 0, 8, 0, 0, 255, 255, 255, 255, 0, 0, 0, 0})
	f.Add([]byte{40, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0})
	f.Add([]byte{40})
	f.Fuzz(func(t *testing.T, b []byte) {
		core, c := socket.NewCore(clock.NewManual(), personality.Linux), &socket.Call{}
		New(core)
		fresh := func() *socket.Socket {
			s, e := core.NewSocket(c, sockaddr.Vsock, socket.Stream, 0)
			if e != errno.OK {
				t.Fatal(e)
			}
			return s
		}
		bind := func(s *socket.Socket, b []byte) errno.Errno {
			return socket.Bind(c, core.Personality, s, sockaddr.Raw{Mem: b, Len: len(b)})
		}
		first, second := fresh(), fresh()
		if e := first.Connect(c, b); e == errno.OK {
			t.Fatal("there is nobody to connect to")
		}
		if bind(first, b) != errno.OK {
			return
		}
		name, e := first.Name(c)
		if e != errno.OK || name.Family != sockaddr.Vsock {
			t.Fatalf("bound to %v, %s", name, e.Name())
		}
		if e := bind(second, name.Append(nil)); e != errno.EADDRINUSE {
			t.Fatalf("the second: %s", e.Name())
		}
		first.Close(c)
		if e := bind(second, name.Append(nil)); e != errno.OK {
			t.Fatalf("after close: %s", e.Name())
		}
	})
}
