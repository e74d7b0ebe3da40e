// SPDX-License-Identifier: Apache-2.0

// Package firewall decides whether a host's packets pass: an ordered list of rules for what comes in and one for what
// goes out, where the first rule that matches decides. It is pure: it neither answers nor drops a packet, it says what is
// to be done. It keeps no state: a rule sees one packet, never a connection.
package firewall

import "dialtone/wire"

// Direction is the way a packet takes, seen from the host.
type Direction uint8

// The directions: Input is on arrival at the host, Output on leaving it.
const (
	Input Direction = iota
	Output
)

// String returns "input" or "output".
func (d Direction) String() string {
	if d == Input {
		return "input"
	}
	return "output"
}

// Action is what a verdict does with a packet.
type Action uint8

// The actions: let pass; lose without a word; lose and answer.
const (
	Accept Action = iota
	Drop
	Reject
)

// Verdict is a decision on a packet; the zero value accepts. With is the answer, meaningful with Reject alone.
type Verdict struct {
	Action Action
	With   Rejection
}

// String returns "accept", "drop" or "reject with REJECTION".
func (v Verdict) String() string {
	switch v.Action {
	case Accept:
		return "accept"
	case Drop:
		return "drop"
	default:
		return "reject with " + v.With.String()
	}
}

// Chain is the list of rules of one direction. Policy decides on the packets that no rule matches; it should accept or
// drop, since a rejection can't answer every packet (those it can't, it drops).
type Chain struct {
	Rules  []Rule
	Policy Verdict
}

// Firewall has the rules of a host. Its zero value accepts everything. It must not change while Decide runs.
type Firewall struct {
	Input, Output Chain
}

// Decide returns what becomes of p, which comes in or goes out by the interface named iface, and the rule that says so:
// nil if it is the policy. It doesn't allocate.
func (f *Firewall) Decide(d Direction, p *wire.Packet, iface string) (Verdict, *Rule) {
	chain := &f.Input
	if d == Output {
		chain = &f.Output
	}
	for i := range chain.Rules {
		if r := &chain.Rules[i]; r.matches(p, iface) {
			return r.Verdict, r
		}
	}
	if chain.Policy.Action == Reject && !chain.Policy.With.canAnswer(p) {
		return Verdict{Action: Drop}, nil
	}
	return chain.Policy, nil
}
