// SPDX-License-Identifier: Apache-2.0

package link

import (
	"fmt"
	"sync/atomic"
	"time"

	"dialtone/wire"
)

// Impaired is a link that wraps a link and does to packets what its rules say: of the rules that match a packet, the
// first one decides; a packet that none matches passes. Rules are by direction (From, To), so a link can be asymmetric,
// and a partition one-way. Without rules it is the link that it wraps.
type Impaired struct {
	Link
	seed  uint64
	rules atomic.Pointer[[]*active] // nil: none
}

// NewImpaired wraps a link. seed decides what is left to chance.
func NewImpaired(l Link, seed uint64) *Impaired { return &Impaired{Link: l, seed: seed} }

// SetRules replaces all rules, with what they remembered (the draws of their flows, what waits for a rate), from the next
// packet on; no rules mend the link. Packets under way still arrive. An error says which rule makes no sense; then
// nothing has changed.
func (l *Impaired) SetRules(rules ...Rule) error {
	if len(rules) == 0 {
		l.rules.Store(nil)
		return nil
	}
	all := make([]*active, len(rules))
	for i, r := range rules {
		if err := r.Check(); err != nil {
			return fmt.Errorf("link: rule %d: %w", i+1, err)
		}
		all[i] = newActive(r, l.seed, i)
	}
	l.rules.Store(&all)
	return nil
}

// Rules returns the rules, and what each has done since it was set.
func (l *Impaired) Rules() ([]Rule, []Counts) {
	all := l.rules.Load()
	if all == nil {
		return nil, nil
	}
	var rules []Rule
	var counts []Counts
	for _, a := range *all {
		a.mu.Lock()
		rules, counts = append(rules, a.rule), append(counts, a.counts)
		a.mu.Unlock()
	}
	return rules, counts
}

// Counts is what a rule has done: packets that it matched, and what became of them.
type Counts struct {
	Matched    uint64
	Lost       uint64 // dropped, rejected, lost by chance, or corrupted beyond recognition
	Overflowed uint64 // of those lost: found no room in the queue
	Corrupted  uint64 // whether or not they were lost by it
	Duplicated uint64
	Reordered  uint64
}

// Send implements [Link].
func (l *Impaired) Send(now time.Duration, from, to Station, p *wire.Packet) {
	rules := l.rules.Load()
	if rules == nil {
		l.Link.Send(now, from, to, p)
		return
	}
	for _, a := range *rules {
		if !a.rule.matches(p) {
			continue
		}
		if a.rule.Effect.byPacket() {
			cut(p, l.MTU(), func(p *wire.Packet) { l.carry(a, now, from, to, p) })
		} else {
			l.carry(a, now, from, to, p)
		}
		return
	}
	l.Link.Send(now, from, to, p)
}

// carry does what a rule says.
func (l *Impaired) carry(a *active, now time.Duration, from, to Station, p *wire.Packet) {
	f := a.decide(now, p)
	if f.lost {
		if answer := answerTo(a.rule.Action, p); answer != nil {
			from.Deliver(now, answer)
		}
		p.Free()
		return
	}
	if f.twice {
		l.Link.Send(f.at, from, to, p.Clone())
	}
	l.Link.Send(f.at, from, to, p)
}
