// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"maps"
	"net/netip"
	"slices"

	"dialtone/errno"
	"dialtone/socket"
	"dialtone/tcp"
)

// Crashes tells what trails say of hosts that have crashed.
type Crashes interface {
	// Of returns what is to be said of the host that has an address: that it is down, or has come back; empty: nothing.
	// It is called with the core locked.
	Of(ip netip.Addr) string
}

// crashOf returns what there is to say of the host that has an address, to be put behind what happened.
func (s *Stack) crashOf(ip netip.Addr) string {
	if s.Crashes == nil {
		return ""
	}
	text := s.Crashes.Of(ip)
	if text == "" {
		return ""
	}
	return "; " + text
}

// ownCrash is crashOf of this host itself while it is down.
func (s *Stack) ownCrash() string {
	for _, i := range s.interfaces {
		if !i.up && !i.loopback && len(i.prefixes) > 0 {
			return s.crashOf(i.prefixes[0].Addr())
		}
	}
	return ""
}

// Crash is the host's power going out, as far as the network sees it: all interfaces are down, and nothing is known any
// more of connections, listeners and ports; nobody is told. Who uses one of its sockets, and lives on, gets ENETDOWN
// from connections and datagrams, EINVAL from a listener. The core must be locked.
func (s *Stack) Crash() {
	s.setAllUp(false) // first: so nothing leaves
	for _, all := range []map[neighbourKey]*neighbour{s.silent4, s.silent6} {
		for _, n := range all {
			s.core.Cancel(&n.expiry)
			for _, p := range n.waiting {
				p.Free()
			}
		}
		clear(all)
	}
	s.pathMTUs = nil
	for _, i := range s.interfaces {
		i.members = nil
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
// next. The core must be locked.
func (s *Stack) Restart() { s.setAllUp(true) }

func (s *Stack) setAllUp(up bool) {
	for _, i := range s.interfaces {
		i.up = up
		i.publish()
	}
}
