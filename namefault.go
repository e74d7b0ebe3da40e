// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"context"
	"errors"
	"net"
	"slices"
	"time"
)

// NameFault is how looking up a name fails. 0: it does not.
type NameFault uint8

// The faults.
const (
	// NameServFail: the name server answers that it has failed (SERVFAIL; RFC 1035, 4.1.1).
	NameServFail NameFault = iota + 1
	// NameSilent: no answer comes.
	NameSilent
	// NameNotFound: the name server answers that there is no such name (NXDOMAIN; RFC 1035, 4.1.1).
	NameNotFound
)

// FaultName makes looking up a name fail, whatever the network knows of it; every name but localhost, if name is empty.
// Of several faults the first that was added for the name, or for all, decides. remove ends it.
//
// Errors are those of package net's own resolver, a *[net.DNSError]. With NameNotFound it says so, at once. Else it is
// temporary: with NameServFail at once, with NameSilent after 10 s, in which that asks twice (timeout and attempts of
// resolv.conf(5)), or when the dial's own time is over; then it is a timeout, too. An address in writing is not looked up.
func (n *Network) FaultName(name string, f NameFault) (remove func()) {
	r := &nameRule{key(name), f}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.changeNameFaults(func(all []*nameRule) []*nameRule { return append(slices.Clone(all), r) })
	return func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.changeNameFaults(func(all []*nameRule) []*nameRule {
			return slices.DeleteFunc(slices.Clone(all), func(x *nameRule) bool { return x == r })
		})
	}
}

// NameFault returns how looking up a name fails now.
func (n *Network) NameFault(name string) NameFault {
	rules := n.nameFaults.Load()
	if rules == nil {
		return 0
	}
	name = key(name)
	for _, r := range *rules {
		if r.name == name || r.name == "" && name != "localhost" { // which is not asked for (RFC 6761, 6.3)
			return r.fault
		}
	}
	return 0
}

// nameRule is a fault at work.
type nameRule struct {
	name  string // a key; empty: every name
	fault NameFault
}

// changeNameFaults replaces the rules, which others may be reading. n.mu must be held.
func (n *Network) changeNameFaults(how func([]*nameRule) []*nameRule) {
	var all []*nameRule
	if old := n.nameFaults.Load(); old != nil {
		all = *old
	}
	all = how(all)
	n.nameFaults.Store(&all)
}

// lookUpPatience is how long package net's resolver waits for the one name server: two attempts of 5 s (resolv.conf(5)).
const lookUpPatience = 10 * time.Second

// faultedLookUp returns how looking up a name fails for who waits until ctx is done or the network's clock at the
// deadline; nil if it does not.
func (n *Network) faultedLookUp(ctx context.Context, name string, deadline time.Duration) error {
	switch n.NameFault(name) {
	case NameServFail:
		return &net.DNSError{Err: "server misbehaving", Name: name, IsTemporary: true}
	case NameSilent:
		return dnsError(n.awaitNothing(ctx, deadline), name)
	case NameNotFound:
		return notFound(name)
	}
	return nil
}

// errNoAnswer is the resolver's own time running out, which is no context's.
var errNoAnswer = errors.New("i/o timeout")

// awaitNothing returns why who waits for an answer gives up.
func (n *Network) awaitNothing(ctx context.Context, deadline time.Duration) error {
	now := n.clock.Now()
	if ctx.Err() == nil && deadline > now {
		wake := n.clock.NewWaiter()
		timer := n.clock.AfterFunc(min(deadline-now, lookUpPatience), wake.Wake)
		defer timer.Stop()
		if ctx.Done() != nil {
			defer context.AfterFunc(ctx, wake.Wake)()
		}
		wake.Wait()
	}
	switch {
	case ctx.Err() != nil:
		return ended(ctx.Err())
	case deadline <= later(now, lookUpPatience):
		return timeoutError{}
	}
	return errNoAnswer
}

// dnsError is what package net makes of an error in a look-up.
func dnsError(err error, name string) error {
	e := &net.DNSError{Err: err.Error(), Name: name, IsTimeout: true, IsTemporary: true}
	switch {
	case errors.Is(err, context.Canceled):
		e.IsTimeout, e.IsTemporary = false, false
		e.UnwrapErr = err
	case errors.Is(err, context.DeadlineExceeded):
		e.UnwrapErr = err
	}
	return e
}
