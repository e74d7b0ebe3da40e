// SPDX-License-Identifier: Apache-2.0

package link

import (
	"encoding/binary"
	"sync"
	"time"

	"dialtone/wire"
)

// active is a rule at work: what it remembers of each flow, and of the queue before its rate.
type active struct {
	rule Rule
	seed uint64

	mu     sync.Mutex // a leaf: nothing is called with it held
	flows  flows
	free   time.Duration // when all that waits for the rate has left
	bytes  []byte        // room for a packet
	counts Counts
}

// newActive begins with nothing remembered. Two rules of one link draw differently, by their places.
func newActive(r Rule, seed uint64, place int) *active {
	return &active{rule: r, seed: mix(seed, uint64(place)), flows: flows{keep: flowsKept}}
}

// fate is what becomes of a packet: it is lost, or leaves for the wrapped link at a time, perhaps twice.
type fate struct {
	lost, twice bool
	at          time.Duration
}

// What draws are for: each has its own, so that a rule changed in one respect draws the same in the others.
const (
	drawLoss = iota
	drawState
	drawBurst
	drawCorrupt
	drawBit
	drawReorder
	drawDuplicate
	drawJitter
)

// decide says what becomes of p, which it changes if it is corrupted.
func (a *active) decide(now time.Duration, p *wire.Packet) fate {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.counts.Matched++
	e := &a.rule.Effect
	f := a.flow(p)
	f.packets++
	if a.rule.Action != Pass || a.hit(f, drawLoss, e.Loss) || a.lostInBurst(f) || !a.intact(f, p) {
		a.counts.Lost++
		return fate{lost: true}
	}
	at, ok := a.queued(now, p)
	if !ok {
		a.counts.Lost++
		a.counts.Overflowed++
		return fate{lost: true}
	}
	at += e.Latency
	if e.Jitter > 0 {
		at += time.Duration(a.draw(f, drawJitter) % uint64(e.Jitter+1))
	}
	if a.hit(f, drawReorder, e.Reorder) {
		a.counts.Reordered++
		at += e.ReorderBy
	} else {
		at = max(at, f.last)
		f.last = at
	}
	twice := a.hit(f, drawDuplicate, e.Duplicate)
	if twice {
		a.counts.Duplicated++
	}
	return fate{at: at, twice: twice}
}

// lostInBurst moves the flow's Gilbert-Elliott state on, and says whether the packet is lost in it.
func (a *active) lostInBurst(f *flow) bool {
	g := &a.rule.Effect.Bursts
	leave, loss := g.ToBad, g.LossGood
	if f.bad {
		leave = g.ToGood
	}
	if a.hit(f, drawState, leave) {
		f.bad = !f.bad
	}
	if f.bad {
		loss = g.LossBad
	}
	return a.hit(f, drawBurst, loss)
}

// intact flips a bit of p if it is p's turn, and reports whether p still is a packet.
func (a *active) intact(f *flow, p *wire.Packet) bool {
	if !a.hit(f, drawCorrupt, a.rule.Effect.Corrupt) {
		return true
	}
	a.counts.Corrupted++
	b, err := wire.Append(a.bytes[:0], p)
	if err != nil {
		return false // it has no bytes, so nobody would get it
	}
	a.bytes = b
	bit := a.draw(f, drawBit) % uint64(8*len(b))
	b[bit/8] ^= 1 << (bit % 8)
	// A packet keeps parts of the bytes it was read from.
	q, err := wire.Parse(append([]byte(nil), b...))
	if err != nil {
		return false
	}
	q.Context, q.Secure = p.Context, p.Secure // labels travel beside the bytes
	p.TCP.Buffer.Release()
	p.UDP.Buffer.Release()
	*p = q
	return true
}

// queued returns when p has gone through the rate's queue; ok is false if it finds no room.
func (a *active) queued(now time.Duration, p *wire.Packet) (at time.Duration, ok bool) {
	e := &a.rule.Effect
	if e.Rate == 0 {
		return now, true
	}
	b, err := wire.Append(a.bytes[:0], p)
	if err != nil {
		return 0, false // it has no bytes, so nobody would get it
	}
	a.bytes = b
	begin := max(now, a.free)
	room := e.Queue
	if room == 0 {
		room = DefaultQueue
	}
	// The packet that is being sent is out of the queue; what waits behind it is not.
	if waiting := e.bytesIn(begin - now); begin > now && waiting+len(b) > room {
		return 0, false
	}
	a.free = begin + e.timeOf(len(b))
	return a.free, true
}

// timeOf returns how long n bytes take at the rate.
func (e *Effect) timeOf(n int) time.Duration {
	return time.Duration(float64(n) * 8 * float64(time.Second) / float64(e.Rate))
}

// bytesIn returns how many bytes leave in a time.
func (e *Effect) bytesIn(d time.Duration) int {
	return int(float64(d) / float64(time.Second) * float64(e.Rate) / 8)
}

// flow returns what is remembered of p's flow.
func (a *active) flow(p *wire.Packet) *flow {
	id := mix(a.seed, uint64(p.Proto), uint64(p.SrcPort())<<16|uint64(p.DstPort()))
	for _, ip := range [...][16]byte{p.Src.As16(), p.Dst.As16()} {
		id = mix(id, binary.BigEndian.Uint64(ip[:8]), binary.BigEndian.Uint64(ip[8:]))
	}
	return a.flows.of(id)
}

// draw returns a number that looks random, for one purpose, from the flow and the number of its packet.
func (a *active) draw(f *flow, purpose uint64) uint64 { return mix(f.id, f.packets, purpose) }

// hit reports whether a draw falls into a share.
func (a *active) hit(f *flow, purpose uint64, share float64) bool {
	if share == 0 {
		return false
	}
	const one = 1 << 53 // the numbers that a float64 tells apart
	return float64(a.draw(f, purpose)>>11)/one < share
}

// mix folds words into a number: the finalizer of SplitMix64 (Steele, Lea, Flood 2014), over each.
func mix(h uint64, words ...uint64) uint64 {
	for _, w := range words {
		h += w + 0x9e3779b97f4a7c15
		h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
		h = (h ^ h>>27) * 0x94d049bb133111eb
		h ^= h >> 31
	}
	return h
}
