// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"maps"
	"slices"

	"dialtone/errno"
	"dialtone/socket"
	"dialtone/tcp"
)

// Crash is the host's power going out, as far as the network sees it: all interfaces are down, and nothing is known any
// more of connections, listeners and ports; nobody is told. Who uses one of its sockets, and lives on, gets ENETDOWN
// from connections and datagrams, EINVAL from a listener.
func (s *Stack) Crash() {
	s.core.Lock()
	defer s.core.Unlock()
	s.setAllUp(false) // first: so nothing leaves
	for key, n := range s.neighbours {
		s.core.Cancel(&n.expiry)
		for _, p := range n.waiting {
			p.Free()
		}
		delete(s.neighbours, key)
	}
	for _, port := range slices.Sorted(maps.Keys(s.listeners)) {
		for _, l := range slices.Clone(s.listeners[port]) {
			l.Disconnect(&socket.Call{})
			s.tcpPorts.drop(&l.hold)
			l.sock.Dissolved("the host crashed")
			l.wakeAll()
		}
	}
	for _, c := range s.connections.sorted() {
		if !c.known {
			continue // it ended with another
		}
		if c.conn.State() == tcp.Closed {
			c.forget()
			continue
		}
		c.final = errno.ENETDOWN
		c.conn.Fail()
		c.ended()
	}
	for _, ports := range []*datagrams{&s.udpPorts, &s.udpLite, &s.pings} {
		for _, port := range slices.Sorted(maps.Keys(ports.bound)) {
			for _, d := range slices.Clone(ports.bound[port]) {
				ports.remove(d)
				d.empty()
				d.sock.SetError(errno.ENETDOWN)
			}
		}
	}
	for _, r := range slices.Clone(s.raws) {
		r.leaveTable()
		r.empty()
		r.sock.SetError(errno.ENETDOWN)
	}
}

// Restart takes all interfaces of a crashed host up again. Peers of the connections it had hear a reset when they speak
// next.
func (s *Stack) Restart() {
	s.core.Lock()
	defer s.core.Unlock()
	s.setAllUp(true)
}

func (s *Stack) setAllUp(up bool) {
	for _, i := range s.interfaces {
		i.up = up
		i.publish()
	}
}
