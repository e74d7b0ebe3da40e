// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"net/netip"
	"slices"
	"testing"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// What comes for a port that sockets share by SO_REUSEPORT is spread over them (socket(7)), all of a conversation to the
// same; sockets bound to the address itself come before those bound to any, and connected ones before all.
func TestSharedPort(t *testing.T) {
	const peers = 400
	here, any4 := netip.MustParseAddr("127.0.0.1"), netip.IPv4Unspecified()
	s := newTestStack(t)
	lo := s.interfaces[0]
	call := &socket.Call{}
	for _, typ := range []socket.Type{socket.Stream, socket.Dgram} {
		bind := func(ip netip.Addr) *socket.Socket {
			sock, e := s.core.NewSocket(call, sockaddr.Inet, typ, 0)
			if e == errno.OK {
				e = sock.SetOption(call, socket.SolSocket, socket.SoReusePort, socket.Bool(true))
			}
			if e == errno.OK {
				e = socket.Bind(call, s.core.Personality, sock, sockaddr.Of(netip.AddrPortFrom(ip, 7000)).Raw())
			}
			if e == errno.OK && typ == socket.Stream {
				e = sock.Listen(call, 1)
			}
			if e != errno.OK {
				t.Fatal(e)
			}
			return sock
		}
		chosen := func(peer uint16) *socket.Socket {
			local, remote := netip.AddrPortFrom(here, 7000), netip.AddrPortFrom(here, peer)
			if typ == socket.Stream {
				return s.listenerFor(local, remote, lo).sock
			}
			return s.udpPorts.receiver(local, remote, lo).sock
		}
		spread := func(over ...*socket.Socket) {
			t.Helper()
			got := map[*socket.Socket]int{}
			for peer := uint16(1); peer <= peers; peer++ {
				sock := chosen(peer)
				if !slices.Contains(over, sock) || sock != chosen(peer) {
					t.Fatalf("%v: peer %d has another socket, or another each time", typ, peer)
				}
				got[sock]++
			}
			for _, sock := range over {
				if n := got[sock]; n < peers/len(over)/2 {
					t.Errorf("%v: one of %d sockets got %d of %d peers", typ, len(over), n, peers)
				}
			}
		}
		all := []*socket.Socket{bind(any4)}
		spread(all...)
		for range 3 {
			all = append(all, bind(any4))
		}
		spread(all...)
		itself := []*socket.Socket{bind(here), bind(here)}
		spread(itself...)
		for _, sock := range itself {
			sock.Close(call)
		}
		if typ == socket.Dgram {
			to := sockaddr.Of(netip.AddrPortFrom(here, 1)).Raw()
			if e := socket.Connect(call, s.core.Personality, all[2], to); e != errno.OK {
				t.Fatal(e)
			}
			if chosen(1) != all[2] {
				t.Error("a datagram from a socket's peer went to another socket")
			}
		}
		for _, sock := range all {
			sock.Close(call)
		}
	}
}
