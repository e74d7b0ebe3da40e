// SPDX-License-Identifier: Apache-2.0

// Package link carries packets between interfaces. A [Link] decides who is on it, who answers for an address, and when
// (or whether) a packet arrives.
//
// There are cables, hubs, and the loopback; a [TUN] device puts the running machine on one of them. Faults are links that
// wrap a link: [Impaired] delays, loses, changes or rejects packets by rules. Who only looks on taps the hosts (inet.Tap).
package link

import (
	"net/netip"
	"time"

	"dialtone/wire"
)

// Station is an interface of a host, as a link sees it. Its methods are called without the host's lock, from any
// goroutine.
type Station interface {
	// Answers reports whether the station would answer for ip if asked who has it (ARP, neighbour discovery).
	Answers(ip netip.Addr) bool
	// Deliver hands over p, which arrives at the given time of the network's clock; that may lie ahead. p belongs to
	// the station from then on.
	Deliver(at time.Duration, p *wire.Packet)
}

// Link carries packets between the stations attached to it. It is safe for concurrent use.
type Link interface {
	// Attach puts s on the link; an error says why it can't be.
	Attach(s Station) error
	// Detach takes s off it again. Packets under way still arrive.
	Detach(s Station)
	// Neighbour returns the station other than from that answers for ip; ok is false if nobody does.
	Neighbour(from Station, ip netip.Addr) (s Station, ok bool)
	// Send carries p, which leaves from's host now, to a station; nil is everyone but from. p belongs to the link.
	Send(now time.Duration, from, to Station, p *wire.Packet)
	// MTU returns the largest packet the link takes, in bytes with its IP header.
	MTU() int
}
