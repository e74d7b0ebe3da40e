// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"net/netip"

	"dialtone/inet"

	"golang.org/x/sys/unix"
)

// Priorities of the rules that every host has, and of the last one added
// without a priority (ip-rule(8)).
const (
	ruleAdded   = 32765
	ruleMain    = 32766
	ruleDefault = 32767
)

// Actions of a rule (FR_ACT_ of linux/fib_rules.h).
const (
	ruleToTable     = 1
	ruleBlackhole   = 6
	ruleUnreachable = 7
	ruleProhibit    = 8
)

// tellRules answers RTM_GETRULE: the table local is asked first, then the
// host's rules, then the table main.
func (h *hosted) tellRules(q *netlinkQuestion) unix.Errno {
	if !q.dump() {
		return unix.EOPNOTSUPP
	}
	for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
		if !q.asks(family) {
			continue
		}
		q.m.rule(family, netip.Prefix{}, unix.RT_TABLE_LOCAL, ruleToTable, 0)
		var own []inet.Rule
		for _, r := range h.stack.Rules() {
			if netlinkFamily(r.Prefix.Addr()) == family {
				own = append(own, r)
			}
		}
		for k, r := range own {
			action := byte(ruleUnreachable)
			switch r.Type {
			case inet.Blackhole:
				action = ruleBlackhole
			case inet.Prohibit:
				action = ruleProhibit
			}
			q.m.rule(family, r.Prefix, unix.RT_TABLE_UNSPEC, action, uint32(ruleAdded-len(own)+1+k))
		}
		q.m.rule(family, netip.Prefix{}, unix.RT_TABLE_MAIN, ruleToTable, ruleMain)
		if family == unix.AF_INET {
			q.m.rule(family, netip.Prefix{}, unix.RT_TABLE_DEFAULT, ruleToTable, ruleDefault)
		}
	}
	return 0
}

// rule appends RTM_NEWRULE: struct fib_rule_hdr and attributes.
func (m *netlinkMessages) rule(family byte, to netip.Prefix, table, action byte, priority uint32) {
	m.begin(unix.RTM_NEWRULE)
	m.b = append(m.b, family, byte(max(to.Bits(), 0)), 0, 0, table, 0, 0, action)
	m.uint32(0) // flags
	m.number(unix.FRA_TABLE, uint32(table))
	if priority != 0 {
		m.number(unix.FRA_PRIORITY, priority)
	}
	if to.IsValid() && to.Bits() > 0 {
		m.ip(unix.FRA_DST, to.Addr())
	}
	m.end()
}
