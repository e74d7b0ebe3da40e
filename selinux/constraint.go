// SPDX-License-Identifier: Apache-2.0

package selinux

import "dialtone/selinux/internal/policydb"

// constraintHolds evaluates a constraint for source s and target t (constraint_expr_eval in the kernel).
func (p *Policy) constraintHolds(c *policydb.Constraint, s, t *Context) bool {
	var stack [policydb.MaxConstraintDepth]bool
	n := 0
	for i := range c.Expr {
		term := &c.Expr[i]
		switch term.Kind {
		case policydb.ConstraintNot:
			stack[n-1] = !stack[n-1]
		case policydb.ConstraintAnd:
			n--
			stack[n-1] = stack[n-1] && stack[n]
		case policydb.ConstraintOr:
			n--
			stack[n-1] = stack[n-1] || stack[n]
		default:
			stack[n] = p.termHolds(term, s, t)
			n++
		}
	}
	return stack[0]
}

// termHolds evaluates a comparison.
func (p *Policy) termHolds(term *policydb.ConstraintTerm, s, t *Context) bool {
	if term.Kind == policydb.ConstraintNames {
		c := s
		if term.Attribute&policydb.ConstraintTarget != 0 {
			c = t
		}
		v := attributeValue(term.Attribute, c)
		return term.Names.Has(v-1) == (term.Op == policydb.ConstraintEq)
	}
	switch term.Attribute {
	case policydb.ConstraintUser, policydb.ConstraintType:
		a, b := attributeValue(term.Attribute, s), attributeValue(term.Attribute, t)
		return (a == b) == (term.Op == policydb.ConstraintEq)
	case policydb.ConstraintRole:
		return p.compareRoles(term.Op, s.Role, t.Role)
	}
	return compareLevels(term.Op, level(term.Attribute, s, t, false), level(term.Attribute, s, t, true))
}

// attributeValue gives the user, role or type of c.
func attributeValue(a policydb.ConstraintAttribute, c *Context) uint32 {
	switch {
	case a&policydb.ConstraintUser != 0:
		return c.User
	case a&policydb.ConstraintRole != 0:
		return c.Role
	}
	return c.Type
}

func (p *Policy) compareRoles(op policydb.ConstraintOp, a, b uint32) bool {
	aOverB := p.db.Roles[a-1].Dominates.Has(b - 1)
	bOverA := p.db.Roles[b-1].Dominates.Has(a - 1)
	switch op {
	case policydb.ConstraintEq:
		return a == b
	case policydb.ConstraintNeq:
		return a != b
	case policydb.ConstraintDom:
		return aOverB
	case policydb.ConstraintDomBy:
		return bOverA
	}
	return !aOverB && !bOverA
}

// level gives the first or the second level of a comparison.
func level(a policydb.ConstraintAttribute, s, t *Context, second bool) *policydb.Level {
	switch a {
	case policydb.ConstraintL1H1:
		t = s
	case policydb.ConstraintL2H2:
		s = t
	}
	if !second {
		if a == policydb.ConstraintH1L2 || a == policydb.ConstraintH1H2 {
			return &s.Range.High
		}
		return &s.Range.Low
	}
	if a == policydb.ConstraintL1L2 || a == policydb.ConstraintH1L2 {
		return &t.Range.Low
	}
	return &t.Range.High
}

func compareLevels(op policydb.ConstraintOp, a, b *policydb.Level) bool {
	switch op {
	case policydb.ConstraintEq:
		return a.Equal(b)
	case policydb.ConstraintNeq:
		return !a.Equal(b)
	case policydb.ConstraintDom:
		return a.Dominates(b)
	case policydb.ConstraintDomBy:
		return b.Dominates(a)
	}
	return !a.Dominates(b) && !b.Dominates(a)
}
