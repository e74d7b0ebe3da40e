// SPDX-License-Identifier: Apache-2.0

package link

import (
	"errors"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"dialtone/wire"
)

// DefaultMTU is Ethernet's, in bytes (RFC 894).
const DefaultMTU = 1500

// ErrCableFull says that a cable has both its ends.
var ErrCableFull = errors.New("link: a cable has two ends, and both are taken")

// Shared is a link all of whose stations hear each other: a hub, or with a limit of two stations a cable. Every packet
// takes the same time to cross it, so packets arrive in the order they were sent.
type Shared struct {
	limit    int // stations; 0: any number
	latency  atomic.Int64
	cut      atomic.Bool
	mu       sync.Mutex                // held while stations change
	stations atomic.Pointer[[]Station] // replaced, or appended to, never changed
	answered sync.Map                  // netip.Addr -> Station: who answered for it last, of more than a few
}

// NewCable returns a link for two stations, with the given latency each way.
func NewCable(latency time.Duration) *Shared { return newShared(cableEnds, latency) }

const cableEnds = 2

// NewHub returns a link for any number of stations, with the given latency from each to each.
func NewHub(latency time.Duration) *Shared { return newShared(0, latency) }

func newShared(limit int, latency time.Duration) *Shared {
	l := &Shared{limit: limit}
	l.stations.Store(&[]Station{})
	l.SetLatency(latency)
	return l
}

// SetLatency changes how long packets sent from now on take to cross the link, one way.
func (l *Shared) SetLatency(d time.Duration) { l.latency.Store(int64(max(d, 0))) }

// Latency returns how long a packet takes to cross the link, one way.
func (l *Shared) Latency() time.Duration { return time.Duration(l.latency.Load()) }

// Cut breaks the link: what is sent from now on is lost without a word, as when a cable is pulled beyond the next switch.
// Who is on the link is still known.
func (l *Shared) Cut() { l.cut.Store(true) }

// Heal mends what Cut broke.
func (l *Shared) Heal() { l.cut.Store(false) }

// Attach implements [Link].
func (l *Shared) Attach(s Station) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	old := *l.stations.Load()
	if l.limit > 0 && len(old) >= l.limit {
		return ErrCableFull
	}
	now := append(old, s) // whoever reads old does not see what is behind its end
	l.stations.Store(&now)
	return nil
}

// Detach implements [Link].
func (l *Shared) Detach(s Station) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := slices.DeleteFunc(slices.Clone(*l.stations.Load()), func(x Station) bool { return x == s })
	l.stations.Store(&now)
	l.answered.Clear()
}

// Neighbour implements [Link].
func (l *Shared) Neighbour(from Station, ip netip.Addr) (Station, bool) {
	all := l.stations.Load()
	if len(*all) <= few {
		return ask(*all, from, ip)
	}
	// As with ARP, who answered once is asked first: a hub of 10,000 stations would be long to go through.
	if known, ok := l.answered.Load(ip); ok {
		if s := known.(Station); s != from && s.Answers(ip) {
			return s, true
		}
	}
	s, ok := ask(*all, from, ip)
	if ok {
		l.remember(all, ip, s)
	}
	return s, ok
}

// few is how many stations are asked sooner than a map is.
const few = 4

// ask returns the station among all that answers for ip to another.
func ask(all []Station, from Station, ip netip.Addr) (Station, bool) {
	for _, s := range all {
		if s != from && s.Answers(ip) {
			return s, true
		}
	}
	return nil, false
}

// remember keeps who answered, of the stations there were, unless they have changed since.
func (l *Shared) remember(all *[]Station, ip netip.Addr, s Station) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stations.Load() == all {
		l.answered.Store(ip, s)
	}
}

// Send implements [Link].
func (l *Shared) Send(now time.Duration, from, to Station, p *wire.Packet) {
	if l.cut.Load() {
		p.Free()
		return
	}
	at := now + l.Latency()
	if to != nil {
		to.Deliver(at, p)
		return
	}
	for _, s := range *l.stations.Load() {
		if s != from {
			s.Deliver(at, p.Clone())
		}
	}
	p.Free()
}

// MTU implements [Link].
func (l *Shared) MTU() int { return DefaultMTU }

// Loopback is the link of a host to itself (lo): what is sent on it comes back at once.
type Loopback struct{}

// LoopbackMTU is Linux's for lo, in bytes.
const LoopbackMTU = 65536

// Attach implements [Link]; one loopback serves any number of hosts.
func (Loopback) Attach(Station) error { return nil }

// Detach implements [Link].
func (Loopback) Detach(Station) {}

// Neighbour implements [Link]: whoever asks is its own neighbour.
func (Loopback) Neighbour(from Station, _ netip.Addr) (Station, bool) { return from, true }

// Send implements [Link].
func (Loopback) Send(now time.Duration, from, _ Station, p *wire.Packet) { from.Deliver(now, p) }

// MTU implements [Link].
func (Loopback) MTU() int { return LoopbackMTU }
