// SPDX-License-Identifier: Apache-2.0

package selinux

import (
	"fmt"
	"strings"

	"dialtone/selinux/internal/policydb"
)

// ExplainedConstraint is a constraint that is not met.
type ExplainedConstraint struct {
	Text    string   `json:"text"`    // in the policy language
	Failing []string `json:"failing"` // the comparisons, with the values compared, that would have to come out otherwise
}

// failedConstraints gives an obstacle for each constraint on a permission that is not met.
func (s *Server) failedConstraints(source, target *Context, class ClassValue, bit uint32) []Obstacle {
	var obstacles []Obstacle
	constraints := s.policy.db.Classes[class-1].Constraints
	for i := range constraints {
		c := &constraints[i]
		if c.Permissions&bit == 0 || s.policy.constraintHolds(c, source, target) {
			continue
		}
		x := &constraintExplainer{p: s.policy, s: source, t: target}
		root := x.tree(c)
		x.blame(root, true)
		keyword := "constrain"
		if x.mls {
			keyword = "mlsconstrain"
		}
		names := s.policy.PermissionNames(class, c.Permissions)
		text := fmt.Sprintf("%s %s { %s } %s;", keyword, s.policy.ClassName(class), strings.Join(names, " "), root.text)
		obstacles = append(obstacles, Obstacle{
			Kind: ObstacleConstraint, Reason: fmt.Sprintf("constraint %d of the class is not met", i+1),
			Remedy:     "contexts for which " + root.text,
			Constraint: &ExplainedConstraint{Text: text, Failing: x.failing},
		})
	}
	return obstacles
}

// constraintNode is a subexpression of a constraint.
type constraintNode struct {
	term        *policydb.ConstraintTerm
	left, right *constraintNode // not has only the left one
	text        string
	value       bool
}

type constraintExplainer struct {
	p       *Policy
	s, t    *Context
	mls     bool // levels are compared
	failing []string
}

// tree builds the expression from its reverse Polish notation.
func (x *constraintExplainer) tree(c *policydb.Constraint) *constraintNode {
	var stack []*constraintNode
	pop := func() *constraintNode {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		return n
	}
	for i := range c.Expr {
		n := &constraintNode{term: &c.Expr[i]}
		switch n.term.Kind {
		case policydb.ConstraintNot:
			n.left = pop()
			n.value, n.text = !n.left.value, "not "+n.left.text
		case policydb.ConstraintAnd:
			n.right, n.left = pop(), pop()
			n.value, n.text = n.left.value && n.right.value, fmt.Sprintf("(%s and %s)", n.left.text, n.right.text)
		case policydb.ConstraintOr:
			n.right, n.left = pop(), pop()
			n.value, n.text = n.left.value || n.right.value, fmt.Sprintf("(%s or %s)", n.left.text, n.right.text)
		default:
			n.value, n.text = x.p.termHolds(n.term, x.s, x.t), "("+x.termText(n.term)+")"
		}
		stack = append(stack, n)
	}
	return stack[0]
}

// blame collects the comparisons because of which n is not as wanted.
func (x *constraintExplainer) blame(n *constraintNode, want bool) {
	if n.value == want {
		return
	}
	switch n.term.Kind {
	case policydb.ConstraintNot:
		x.blame(n.left, !want)
	case policydb.ConstraintAnd, policydb.ConstraintOr:
		x.blame(n.left, want)
		x.blame(n.right, want)
	default:
		verdict := "is false"
		if n.value {
			verdict = "is true"
		}
		x.failing = append(x.failing, fmt.Sprintf("%s %s: %s", n.text, verdict, x.values(n.term)))
	}
}

var constraintOps = map[policydb.ConstraintOp]string{
	policydb.ConstraintEq: "==", policydb.ConstraintNeq: "!=", policydb.ConstraintDom: "dom",
	policydb.ConstraintDomBy: "domby", policydb.ConstraintIncomp: "incomp",
}

var constraintPairs = map[policydb.ConstraintAttribute][2]string{
	policydb.ConstraintUser: {"u1", "u2"}, policydb.ConstraintRole: {"r1", "r2"}, policydb.ConstraintType: {"t1", "t2"},
	policydb.ConstraintL1L2: {"l1", "l2"}, policydb.ConstraintL1H2: {"l1", "h2"}, policydb.ConstraintH1L2: {"h1", "l2"},
	policydb.ConstraintH1H2: {"h1", "h2"}, policydb.ConstraintL1H1: {"l1", "h1"}, policydb.ConstraintL2H2: {"l2", "h2"},
}

func (x *constraintExplainer) termText(t *policydb.ConstraintTerm) string {
	pair := constraintPairs[t.Attribute&^policydb.ConstraintTarget]
	if t.Kind == policydb.ConstraintAttributes {
		if t.Attribute >= policydb.ConstraintL1L2 {
			x.mls = true
		}
		return fmt.Sprintf("%s %s %s", pair[0], constraintOps[t.Op], pair[1])
	}
	side := pair[0]
	if t.Attribute&policydb.ConstraintTarget != 0 {
		side = pair[1]
	}
	return fmt.Sprintf("%s %s %s", side, constraintOps[t.Op], x.names(t))
}

// maxNames bounds how many names of a set are written out.
const maxNames = 8

// names writes the set of names as its author did, by attributes where they are known.
func (x *constraintExplainer) names(t *policydb.ConstraintTerm) string {
	set := t.Written
	if set.Empty() {
		set = t.Names
	}
	var names []string
	for bit := range set.All() {
		if len(names) == maxNames {
			names = append(names, fmt.Sprintf("and %d more", set.Len()-maxNames))
			break
		}
		names = append(names, x.nameOf(t.Attribute, bit+1))
	}
	if len(names) == 1 {
		return names[0]
	}
	return "{ " + strings.Join(names, " ") + " }"
}

func (x *constraintExplainer) nameOf(a policydb.ConstraintAttribute, v uint32) string {
	switch {
	case a&policydb.ConstraintUser != 0:
		return x.p.db.UserName(v)
	case a&policydb.ConstraintRole != 0:
		return x.p.db.RoleName(v)
	}
	return x.p.db.TypeName(v)
}

// values gives what a comparison compared.
func (x *constraintExplainer) values(t *policydb.ConstraintTerm) string {
	pair := constraintPairs[t.Attribute&^policydb.ConstraintTarget]
	if t.Kind == policydb.ConstraintNames {
		if t.Attribute&policydb.ConstraintTarget != 0 {
			return pair[1] + " is " + x.nameOf(t.Attribute, attributeValue(t.Attribute, x.t))
		}
		return pair[0] + " is " + x.nameOf(t.Attribute, attributeValue(t.Attribute, x.s))
	}
	var a, b string
	if t.Attribute >= policydb.ConstraintL1L2 {
		a = x.p.db.FormatLevel(level(t.Attribute, x.s, x.t, false))
		b = x.p.db.FormatLevel(level(t.Attribute, x.s, x.t, true))
	} else {
		a, b = x.nameOf(t.Attribute, attributeValue(t.Attribute, x.s)), x.nameOf(t.Attribute, attributeValue(t.Attribute, x.t))
	}
	return fmt.Sprintf("%s is %s, %s is %s", pair[0], a, pair[1], b)
}
