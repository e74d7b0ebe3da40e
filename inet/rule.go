// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"fmt"
	"net/netip"

	"dialtone/errno"
	"dialtone/sockaddr"
)

// Rule is an entry of the routing policy database that refuses to look any route up (ip-rule(8)): it comes after the
// host's own addresses and before the routes.
type Rule struct {
	Type   RouteType // Unreachable, Blackhole or Prohibit
	Prefix netip.Prefix
}

// AddRule adds a rule behind those there are. It errs if the rule would route.
func (s *Stack) AddRule(r Rule) error {
	switch r.Type {
	case Unreachable, Blackhole, Prohibit:
	default:
		return fmt.Errorf("inet: a rule is unreachable, blackhole or prohibit, not %v", r.Type)
	}
	r.Prefix = r.Prefix.Masked()
	s.core.Lock()
	s.changes++
	s.rules = append(s.rules, Route{Type: r.Type, Prefix: r.Prefix})
	s.core.Unlock()
	return nil
}

// Rules returns the rules in the order they are asked.
func (s *Stack) Rules() []Rule {
	s.core.Lock()
	defer s.core.Unlock()
	rules := make([]Rule, len(s.rules))
	for i, r := range s.rules {
		rules[i] = Rule{r.Type, r.Prefix}
	}
	return rules
}

// DenyConnect makes connect(2) on sockets of the family fail with EPERM from now on, where it would look at the address:
// what a program at a control group's hook connect4 or connect6 can do (BPF_CGROUP_INET4_CONNECT). Dissolving an
// association is not concerned.
func (s *Stack) DenyConnect(f sockaddr.Family) {
	s.core.Lock()
	s.denied = append(s.denied, f)
	s.core.Unlock()
}

// mayConnect asks the control group's hook.
func (s *Stack) mayConnect(f sockaddr.Family) errno.Errno {
	for _, d := range s.denied {
		if d == f {
			return errno.EPERM
		}
	}
	return errno.OK
}
