// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"cmp"
	"net/netip"
	"slices"

	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/tcp"
	"dialtone/wire"
)

// SocketInfo is what ss(8) tells of a socket, or of a connection that has none any more or none yet.
type SocketInfo struct {
	Family   sockaddr.Family
	Protocol wire.Protocol // of a raw socket [wire.Protocol] of what it hears, which is its port, too
	Raw      bool
	State    int // Linux's number (net/tcp_states.h): TCP_LISTEN is 10; UDP has TCP_ESTABLISHED and TCP_CLOSE alone
	// Local and Remote are its ends, IPv4 never mapped; Remote is the unspecified address and port 0 if there is none.
	Local, Remote netip.AddrPort
	Device        string // SO_BINDTODEVICE
	UID           uint32 // of who bound it, or made it
	// Received and Sent are the bytes that wait to be read and to be acknowledged; of a listener, how many connections
	// wait to be accepted, and its backlog.
	Received, Sent int
	V6Only         bool
	Socket         *socket.Socket // nil: none
	TCPInfo        []byte         // struct tcp_info (tcp(7)); nil if it is not TCP's, or over
}

// Sockets returns all that a host's internet families have: listeners, connections, and the bound sockets of UDP, UDP-Lite
// and raw(7), by protocol and ends. Sockets of TCP that are neither connected nor listen are not among them, as on Linux.
// The core need not be locked.
func (s *Stack) Sockets() []SocketInfo {
	s.core.Lock()
	defer s.core.Unlock()
	var all []SocketInfo
	for _, c := range s.connections.all() {
		all = append(all, c.describe())
	}
	for _, same := range s.listeners {
		for _, c := range same {
			all = append(all, c.describe())
		}
	}
	for _, t := range []*datagrams{&s.udpPorts, &s.udpLite} {
		for _, same := range t.bound {
			for _, d := range same {
				all = append(all, d.describe())
			}
		}
	}
	for _, r := range s.raws {
		i := r.describe()
		i.Raw, i.Protocol = true, wire.Protocol(r.sock.Protocol)
		i.Local, i.Remote = netip.AddrPortFrom(i.Local.Addr(), uint16(r.sock.Protocol)), netip.AddrPortFrom(i.Remote.Addr(), 0)
		all = append(all, i)
	}
	slices.SortStableFunc(all, func(a, b SocketInfo) int {
		return cmp.Or(cmp.Compare(a.Protocol, b.Protocol), a.Local.Compare(b.Local), a.Remote.Compare(b.Remote))
	})
	return all
}

func (c *stream) describe() SocketInfo {
	i := SocketInfo{
		Family: c.family, Protocol: wire.TCP, State: int(linuxStates[c.conn.State()]), Local: c.local, Remote: c.remote,
		Device: c.device(), UID: c.hold.uid, Socket: c.sock, V6Only: c.hold.v6only,
		Received: c.conn.Buffered(), Sent: c.conn.Unsent(),
	}
	switch {
	case c.queue != nil:
		i.State, i.Received, i.Sent = linuxListen, c.queue.ready.len(), c.queue.backlog
		i.Remote = netip.AddrPortFrom(wildcard(c.family), 0)
		i.TCPInfo = c.info()
	case c.conn.State() != tcp.TimeWait:
		i.TCPInfo = c.info()
	}
	return i
}

func (d *datagram) describe() SocketInfo {
	i := SocketInfo{
		Family: d.family, Protocol: wire.Protocol(d.sock.Protocol), State: int(linuxStates[tcp.Closed]),
		Local: d.local, Remote: netip.AddrPortFrom(wildcard(d.family), 0),
		Device: d.sock.Options().Device(), UID: d.hold.uid, Socket: d.sock, V6Only: d.hold.v6only, Received: d.bytes,
	}
	if d.remote.IsValid() {
		i.State, i.Remote = int(linuxStates[tcp.Established]), d.remote
	}
	return i
}
