// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"fmt"
	"net/netip"
	"sync"
	"time"

	"dialtone/clock"
	"dialtone/unixdomain"
)

// Crash is the power of the host's machine going out: its interfaces go down, and it forgets its connections, listeners
// and bound sockets, those of AF_UNIX too, without a word to other hosts. Calls that wait on them fail: on its own sockets
// that live on in your program, ENETDOWN from connections and datagrams, EINVAL from listeners. Files stay. Hosts that are
// namespaces of the same machine crash with it. While it is down it is as silent as a host that is off. On a hub Linux's
// connects to it end with EHOSTUNREACH: after 3 s if it never was a neighbour of the caller's or counts as gone, after 14 s
// if the last contact was more than 30 s ago, after 70 s if it was a moment ago.
func (h *Host) Crash() {
	all := h.namespaces()
	var spaces []*unixdomain.Space
	for _, ns := range all {
		spaces = append(spaces, ns.unix)
		h.network.crashes.note(ns, false)
	}
	h.core.Lock()
	defer h.core.Unlock()
	for _, ns := range all {
		ns.stack.Crash()
	}
	unixdomain.Crash(spaces...)
}

// Restart brings a crashed machine back on the network, with its hosts' addresses and routes, their firewalls and files,
// and nothing that listens. Peers of the connections it had hear a reset when they speak next.
func (h *Host) Restart() {
	all := h.namespaces()
	for _, ns := range all {
		h.network.crashes.note(ns, true)
	}
	h.core.Lock()
	defer h.core.Unlock()
	for _, ns := range all {
		ns.stack.Restart()
	}
}

// namespaces returns the hosts of h's machine, sorted by name.
func (h *Host) namespaces() []*Host {
	var all []*Host
	for _, other := range h.network.Hosts() {
		if other.tree == h.tree { // the files are the machine's
			all = append(all, other)
		}
	}
	return all
}

// crashes are the addresses of hosts that have crashed, for trails to tell. It implements [inet.Crashes].
type crashes struct {
	clock clock.Clock
	mu    sync.Mutex // a leaf: taken with a host's lock held
	last  map[netip.Addr]crash
}

// crash is the last one of a host.
type crash struct {
	host string
	back bool
	at   time.Duration // when it crashed, or came back, by the network's clock
}

// note keeps that a host crashes now, or is back.
func (c *crashes) note(h *Host, back bool) {
	ips := h.Addresses()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last == nil {
		c.last = make(map[netip.Addr]crash)
	}
	for _, ip := range ips {
		if _, known := c.last[ip]; known || !back {
			c.last[ip] = crash{h.name, back, c.clock.Now()}
		}
	}
}

// Of implements [inet.Crashes].
func (c *crashes) Of(ip netip.Addr) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	last, ok := c.last[ip]
	since := (c.clock.Now() - last.at).Round(time.Millisecond)
	switch {
	case !ok:
		return ""
	case last.back:
		return fmt.Sprintf("%s came back %v ago from a crash, which ended all that listened", last.host, since)
	}
	return fmt.Sprintf("%s has been down for %v", last.host, since)
}
