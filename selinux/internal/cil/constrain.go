// SPDX-License-Identifier: Apache-2.0

package cil

import (
	"slices"

	"dialtone/selinux/internal/policydb"
)

func (c *compiler) constrain(args []node) { c.constraint(args, false) }

// mlsConstrain adds a constraint that may compare levels. A policy without MLS ignores it, as secilc does.
func (c *compiler) mlsConstrain(args []node) { c.constraint(args, true) }

func (c *compiler) constraint(args []node, mls bool) {
	class, perms := c.permissions(args[0])
	var expr []policydb.ConstraintTerm
	if depth := c.constraintExpr(args[1], mls, &expr); depth > policydb.MaxConstraintDepth {
		c.fail("the constraint is deeper than %d", policydb.MaxConstraintDepth)
	}
	if mls && !c.db.MLS {
		return
	}
	cl := &c.db.Classes[class-1]
	cl.Constraints = append(cl.Constraints, policydb.Constraint{Permissions: perms, Expr: expr})
}

var constraintOps = map[string]policydb.ConstraintOp{
	"eq": policydb.ConstraintEq, "neq": policydb.ConstraintNeq, "dom": policydb.ConstraintDom,
	"domby": policydb.ConstraintDomBy, "incomp": policydb.ConstraintIncomp,
}

// attributePairs are the comparisons of two attributes.
var attributePairs = map[[2]string]policydb.ConstraintAttribute{
	{"u1", "u2"}: policydb.ConstraintUser, {"r1", "r2"}: policydb.ConstraintRole, {"t1", "t2"}: policydb.ConstraintType,
	{"l1", "l2"}: policydb.ConstraintL1L2, {"l1", "h2"}: policydb.ConstraintL1H2, {"h1", "l2"}: policydb.ConstraintH1L2,
	{"h1", "h2"}: policydb.ConstraintH1H2, {"l1", "h1"}: policydb.ConstraintL1H1, {"l2", "h2"}: policydb.ConstraintL2H2,
}

// constraintExpr appends an expression in reverse Polish notation and gives the stack it needs.
func (c *compiler) constraintExpr(n node, mls bool, expr *[]policydb.ConstraintTerm) int {
	list := c.listOf(n, "a constraint's expression")
	if len(list) == 0 {
		c.failAt(n.line, "a constraint's expression is empty")
	}
	var kind policydb.ConstraintKind
	want := 3
	switch list[0].word {
	case "and":
		kind = policydb.ConstraintAnd
	case "or":
		kind = policydb.ConstraintOr
	case "not":
		kind, want = policydb.ConstraintNot, 2
	}
	if len(list) != want {
		c.failAt(n.line, "%s in a constraint has %d operands, not %d", list[0].word, len(list)-1, want-1)
	}
	if kind == 0 {
		*expr = append(*expr, c.constraintTerm(list, mls))
		return 1
	}
	depth := c.constraintExpr(list[1], mls, expr)
	if kind != policydb.ConstraintNot {
		depth = max(depth, 1+c.constraintExpr(list[2], mls, expr))
	}
	*expr = append(*expr, policydb.ConstraintTerm{Kind: kind})
	return depth
}

func (c *compiler) constraintTerm(list []node, mls bool) policydb.ConstraintTerm {
	op, ok := constraintOps[list[0].word]
	if !ok {
		c.failAt(list[0].line, "%q is no operator of a constraint", list[0].word)
	}
	left, right := c.wordOf(list[1], "the left side of a comparison"), list[2]
	var t policydb.ConstraintTerm
	if pair, ok := attributePairs[[2]string{left, right.word}]; ok {
		t = policydb.ConstraintTerm{Kind: policydb.ConstraintAttributes, Attribute: pair, Op: op}
		if pair >= policydb.ConstraintL1L2 && !mls {
			c.fail("only an mlsconstrain may compare levels")
		}
		if (pair == policydb.ConstraintUser || pair == policydb.ConstraintType) && op > policydb.ConstraintNeq {
			c.fail("%s compares roles and levels only", list[0].word)
		}
		return t
	}
	if op > policydb.ConstraintNeq {
		c.fail("%s does not compare with names", list[0].word)
	}
	t = policydb.ConstraintTerm{Kind: policydb.ConstraintNames, Op: op}
	names := []node{right}
	if right.isList() {
		names = right.list
	}
	switch left {
	case "u1", "u2":
		t.Attribute = policydb.ConstraintUser
		t.Names = c.valueSet(names, "user", c.db.UserValues)
	case "r1", "r2":
		t.Attribute = policydb.ConstraintRole
		t.Names = c.valueSet(names, "role", c.db.RoleValues)
	case "t1", "t2":
		t.Attribute = policydb.ConstraintType
		for _, name := range names {
			t.Written.Set(c.typeOrAttribute(name) - 1)
			for _, v := range c.typesOf(name) {
				t.Names.Set(v - 1)
			}
		}
	default:
		c.failAt(list[1].line, "%s cannot be compared with %s", left, right.word)
	}
	if slices.Contains([]string{"u2", "r2", "t2"}, left) {
		t.Attribute |= policydb.ConstraintTarget
	}
	return t
}

func (c *compiler) valueSet(names []node, what string, values map[string]uint32) policydb.Bitmap {
	var set policydb.Bitmap
	for _, n := range names {
		set.Set(c.find(values, n, what) - 1)
	}
	return set
}
