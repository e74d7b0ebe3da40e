// SPDX-License-Identifier: Apache-2.0

package packet

import (
	"bytes"
	"testing"

	"dialtone/clock"
	"dialtone/errno"
	"dialtone/personality"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// FuzzBind puts any bytes to bind: the name of a bound socket tells the interface that was asked for, if there is one. The
// calls' errnos are in the conformance cases (others/netlink-and-kin.txt).
func FuzzBind(f *testing.F) {
	f.Add([]byte{17, 0, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{17, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{17})
	f.Fuzz(func(t *testing.T, b []byte) {
		core, c := socket.NewCore(clock.NewManual(), personality.Linux), &socket.Call{}
		New(core, func(index uint32) (loopback, ok bool) { return index == 1, index == 1 || index == 2 })
		s, e := core.NewSocket(c, sockaddr.Packet, socket.Raw, 0)
		if e != errno.OK {
			t.Fatal(e)
		}
		if socket.Bind(c, core.Personality, s, sockaddr.Raw{Mem: b, Len: len(b)}) != errno.OK {
			return
		}
		a, e := s.Name(c)
		name := a.Append(nil)
		if e != errno.OK || !bytes.Equal(name[:8], b[:8]) {
			t.Fatalf("bound to % x, and the name is % x, %s", b, name, e.Name())
		}
		if index := name[4]; index > 2 || len(name) != lenBare && len(name) != lenBare+lenHardware {
			t.Fatalf("% x", name)
		}
	})
}
