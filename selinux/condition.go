// SPDX-License-Identifier: Apache-2.0

package selinux

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"dialtone/selinux/internal/policydb"
)

var conditionOps = map[policydb.BoolOp]string{
	policydb.BoolOr: "||", policydb.BoolAnd: "&&", policydb.BoolXor: "^", policydb.BoolEq: "==", policydb.BoolNeq: "!=",
}

// conditionText writes the condition of a rule in the policy language, and "" for a rule that always holds.
func (p *Policy) conditionText(cond int32) string {
	if cond == policydb.Unconditional {
		return ""
	}
	var stack []string
	expr := p.db.Conditionals[cond/2].Expr
	for _, t := range expr {
		n := len(stack)
		switch t.Op {
		case policydb.BoolValue:
			stack = append(stack, p.db.BooleanName(t.Boolean))
		case policydb.BoolNot:
			stack[n-1] = "!" + stack[n-1]
		default:
			stack[n-2] = fmt.Sprintf("(%s %s %s)", stack[n-2], conditionOps[t.Op], stack[n-1])
			stack = stack[:n-1]
		}
	}
	if cond%2 == 1 {
		return "!" + stack[0]
	}
	return stack[0]
}

// maxSwitches bounds the booleans of a condition for which every combination is tried.
const maxSwitches = 10

// switches tells which booleans to set, as few as can be, for one of the conditions to hold.
func (s *Server) switches(conditions []int32) string {
	best := ""
	fewest := maxSwitches + 1
	for _, cond := range conditions {
		c := &s.policy.db.Conditionals[cond/2]
		var used []uint32
		for _, t := range c.Expr {
			if t.Op == policydb.BoolValue && !slices.Contains(used, t.Boolean) {
				used = append(used, t.Boolean)
			}
		}
		if len(used) > maxSwitches {
			continue
		}
		for flips := range 1 << len(used) {
			if n := bits.OnesCount(uint(flips)); n < fewest && s.holdsAfter(c, used, flips) == (cond%2 == 0) {
				fewest, best = n, s.describeFlips(used, flips)
			}
		}
	}
	if best == "" {
		return "no setting of the booleans of one condition alone"
	}
	return best
}

// holdsAfter evaluates a condition with some of the booleans it uses turned over.
func (s *Server) holdsAfter(c *policydb.Conditional, used []uint32, flips int) bool {
	states := slices.Clone(s.booleans)
	for i, b := range used {
		if flips>>i&1 != 0 {
			states[b-1] = !states[b-1]
		}
	}
	return c.Eval(states)
}

func (s *Server) describeFlips(used []uint32, flips int) string {
	var parts []string
	for i, b := range used {
		if flips>>i&1 != 0 {
			to := "on"
			if s.booleans[b-1] {
				to = "off"
			}
			parts = append(parts, fmt.Sprintf("the boolean %s %s", s.policy.db.BooleanName(b), to))
		}
	}
	return strings.Join(parts, " and ")
}
