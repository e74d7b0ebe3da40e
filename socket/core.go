// SPDX-License-Identifier: Apache-2.0

package socket

import (
	"sync"
	"sync/atomic"
	"time"

	"dialtone/clock"
	"dialtone/link"
	"dialtone/personality"
	"dialtone/sockaddr"
	"dialtone/wire"
)

// Core is what all sockets of one host share: the lock, the clock, the inbox for packets, and the spaces.
type Core struct {
	Personality *personality.Personality
	Clock       clock.Clock
	// Somaxconn is the most that listen's backlog counts. The lock guards it.
	Somaxconn int
	// Faults makes calls fail; nil: none does. It changes with the lock held.
	Faults Faults

	spaces []familySpace // so few that a look is quicker than a hash
	cookie uint64
	*machine
}

// machine is what the hosts on one machine share: a host is one of its network namespaces, and most machines have one.
//
// Lock order: mu is taken first and alone (nobody holds two machines' locks); inboxMu is a leaf, taken with or without mu.
type machine struct {
	// Access is asked for every call; nil permits everything.
	Access Access

	mu       sync.Mutex
	now      time.Duration // what NowLocked returns; 0: to be asked for
	flushing bool          // somebody is sending out on behalf of everyone
	out      []departure   // packets that leave when the lock is let go
	spare    []departure   // out's other buffer
	releases []Releaser    // told at the end of the flush
	events   clock.Heap
	timer    clock.Timer
	armed    time.Duration // when timer fires; 0: it does not
	sleepers []*sleeper    // idle ones, for reuse

	inboxMu sync.Mutex
	inbox   []arrival
	arrived atomic.Int32 // length of inbox
	taken   []arrival    // inbox's other buffer; mu guards it
}

// Input takes packets in, with the host's lock held. p belongs to it.
type Input interface {
	Input(p *wire.Packet)
}

// Releaser is told when the call that it began in has let the lock go.
type Releaser interface {
	Released()
}

// Release tells r, under the lock, once everything that this call sent is sent and what came back at once is in.
func (c *Core) Release(r Releaser) { c.releases = append(c.releases, r) }

type departure struct {
	link     link.Link
	from, to link.Station
	packet   *wire.Packet
}

type arrival struct {
	at     time.Duration
	to     Input
	packet *wire.Packet
}

// lateArrival is a packet that waits for its time.
type lateArrival struct {
	arrival
	event clock.Event
}

// Due implements [clock.Task].
func (l *lateArrival) Due() { l.to.Input(l.packet) }

// NewCore returns the core of a host that has no space yet.
func NewCore(c clock.Clock, p *personality.Personality) *Core {
	both := &struct { // in one piece
		Core
		machine
	}{Core: Core{Personality: p, Clock: c, Somaxconn: p.Somaxconn}}
	both.Core.machine = &both.machine
	return &both.Core
}

// Beside returns the core of another host on the same machine, which has no space yet.
func (c *Core) Beside() *Core {
	return &Core{Personality: c.Personality, Clock: c.Clock, Somaxconn: c.Personality.Somaxconn, machine: c.machine}
}

// AddSpace makes a family known. It must not be called once there are sockets.
func (c *Core) AddSpace(f sockaddr.Family, s Space) { c.spaces = append(c.spaces, familySpace{f, s}) }

type familySpace struct {
	family sockaddr.Family
	space  Space
}

// space returns the space of a family, nil if there is none.
func (c *Core) space(f sockaddr.Family) Space {
	for _, s := range c.spaces {
		if s.family == f {
			return s.space
		}
	}
	return nil
}

// Now returns the time of the host's clock.
func (c *Core) Now() time.Duration { return c.Clock.Now() }

// NowLocked is [Core.Now] for who holds the lock. Under the lock time stands still: asking the clock is dear.
func (c *Core) NowLocked() time.Duration {
	if c.now == 0 {
		c.now = c.Clock.Now()
	}
	return c.now
}

// Lock takes the host's lock.
func (c *Core) Lock() {
	c.mu.Lock()
	c.now = 0
}

// tryLock takes the lock if nobody holds it.
func (c *Core) tryLock() bool {
	if !c.mu.TryLock() {
		return false
	}
	c.now = 0
	return true
}

// Transmit sends p on l once the lock is let go. The lock must be held; p belongs to the link from now on.
func (c *Core) Transmit(l link.Link, from, to link.Station, p *wire.Packet) {
	c.out = append(c.out, departure{l, from, to, p})
}

// Arrive hands over a packet for this host that arrives at the given time. Anyone may call it, holding no host's lock.
// It is taken in at once if nobody holds the lock and nothing came before it.
func (c *Core) Arrive(at time.Duration, to Input, p *wire.Packet) {
	if c.arrived.Load() == 0 && c.tryLock() {
		if recent := c.Clock.Recent(); at <= recent { // it was sent a moment ago
			c.now = recent
		}
		c.takeIn(arrival{at, to, p})
		c.Unlock()
		return
	}
	c.inboxMu.Lock()
	c.inbox = append(c.inbox, arrival{at, to, p})
	c.arrived.Store(int32(len(c.inbox)))
	c.inboxMu.Unlock()
	// Whoever holds the lock looks at the inbox after he has let it go.
	if c.tryLock() {
		c.Unlock()
	}
}

// Unlock lets the host's lock go; it is the only way to. Before it returns, what the calls under the lock had to send
// has been sent, and what came back for this host meanwhile has been taken in: so a handshake on a link without latency
// runs to its end in its caller's goroutine. One goroutine at a time does this for a host, and the others leave their
// packets to it; so packets leave in the order they were made.
func (c *Core) Unlock() {
	for {
		if c.flushing { // by another goroutine, which looks again at everything before it is done
			c.mu.Unlock()
			return
		}
		c.flush()
		c.mu.Unlock()
		// A packet that came after the last look, while the lock was still held, was left to its holder.
		if c.arrived.Load() == 0 || !c.tryLock() {
			return
		}
	}
}

// settle sends what there is to send, and takes in what comes back at once, before the caller goes on under the lock: on
// a link without latency nobody needs to wait for the end of a handshake.
func (c *Core) settle() {
	c.Unlock()
	c.Lock()
}

// flush sends and takes in until nothing is left. It lets the lock go while it sends.
func (c *Core) flush() {
	for {
		c.receive()
		if len(c.out) == 0 {
			break
		}
		c.flushing = true
		out := c.out
		c.out = c.spare[:0]
		now := c.NowLocked()
		c.mu.Unlock()
		for i := range out {
			d := &out[i]
			d.link.Send(now, d.from, d.to, d.packet)
			*d = departure{}
		}
		c.mu.Lock() // the time of whoever had the lock last will do
		c.spare = out
		c.flushing = false
	}
	for _, r := range c.releases {
		r.Released()
	}
	c.releases = c.releases[:0]
	c.arm()
}

// receive takes in what the inbox holds.
func (c *Core) receive() {
	for c.arrived.Load() > 0 {
		c.inboxMu.Lock()
		in := c.inbox
		c.inbox = c.taken[:0]
		c.arrived.Store(0)
		c.inboxMu.Unlock()
		for i := range in {
			a := in[i]
			in[i] = arrival{}
			c.takeIn(a)
		}
		c.taken = in
	}
}

// takeIn takes a packet in. What is still on its way, or must not overtake that, becomes an event.
func (c *Core) takeIn(a arrival) {
	if a.at > c.NowLocked() { // it may have been sent after our time stood still
		c.now = 0
	}
	if next, ok := c.events.Next(); a.at > c.NowLocked() || ok && next <= a.at {
		late := &lateArrival{arrival: a}
		late.event.Task = late
		c.After(&late.event, a.at)
		c.runDue()
	} else {
		a.to.Input(a.packet)
	}
}

// runDue makes happen what is due.
func (c *Core) runDue() {
	now := c.NowLocked()
	for ev := c.events.Due(now); ev != nil; ev = c.events.Due(now) {
		ev.Task.Due()
	}
}

// After makes ev due at the given time, or moves it there. The lock must be held; ev.Task is called with it held.
func (c *Core) After(ev *clock.Event, at time.Duration) { c.events.Set(ev, at) }

// Cancel makes ev not due. The lock must be held.
func (c *Core) Cancel(ev *clock.Event) { c.events.Remove(ev) }

// arm sees to it that the timer fires no later than the next event.
func (c *Core) arm() {
	at, ok := c.events.Next()
	if !ok || c.armed != 0 && c.armed <= at {
		return
	}
	c.armed = max(at, 1)
	d := at - c.NowLocked()
	if c.timer == nil {
		c.timer = c.Clock.AfterFunc(d, c.tick)
	} else {
		c.timer.Reset(d)
	}
}

// tick does what is due. It may come early, when an event was moved since.
func (c *Core) tick() {
	c.Lock()
	c.armed = 0
	c.runDue()
	c.Unlock()
}
