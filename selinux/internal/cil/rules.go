// SPDX-License-Identifier: Apache-2.0

package cil

import (
	"dialtone/selinux/internal/policydb"
)

func (c *compiler) classValue(n node) uint32 { return c.find(c.db.ClassValues, n, "class") }

// permissions reads (class (permission…)).
func (c *compiler) permissions(n node) (class, perms uint32) {
	list := c.listOf(n, "a class with permissions")
	if len(list) != 2 {
		c.failAt(n.line, "a class with permissions is not of the form (class (permission ...))")
	}
	class = c.classValue(list[0])
	names := c.db.Classes[class-1].Permissions
next:
	for _, p := range c.listOf(list[1], "permissions") {
		name := c.wordOf(p, "a permission")
		for i := range names {
			if names[i] == name {
				perms |= 1 << i
				continue next
			}
		}
		c.failAt(p.line, "class %s has no permission %s", list[0].word, name)
	}
	return class, perms
}

func (c *compiler) allow(args []node) { c.accessRule(policydb.Allow, args) }

func (c *compiler) auditAllow(args []node) { c.accessRule(policydb.AuditAllow, args) }

func (c *compiler) dontAudit(args []node) { c.accessRule(policydb.AuditDeny, args) }

// accessRule adds a rule. Attributes stay in it, except under "self": there each type goes with itself.
func (c *compiler) accessRule(kind policydb.RuleKind, args []node) {
	class, perms := c.permissions(args[2])
	if kind == policydb.AuditDeny {
		perms = ^perms
	}
	add := func(source, target uint32) {
		c.db.Access = append(c.db.Access, policydb.Rule{
			Source: uint16(source), Target: uint16(target), Class: uint16(class), Kind: kind, Data: perms, Cond: c.cond,
		})
	}
	source := c.typeOrAttribute(args[0])
	if args[1].word != "self" {
		add(source, c.typeOrAttribute(args[1]))
		return
	}
	for _, t := range c.typesOf(args[0]) {
		add(t, t)
	}
}

// typeTransition adds a rule for every type of source and target.
func (c *compiler) typeTransition(args []node) {
	class, result := c.classValue(args[2]), c.find(c.db.TypeValues, args[3], "type")
	for _, s := range c.typesOf(args[0]) {
		for _, t := range c.typesOf(args[1]) {
			rule := policydb.Rule{
				Source: uint16(s), Target: uint16(t), Class: uint16(class),
				Kind: policydb.TypeTransition, Data: result, Cond: c.cond,
			}
			c.db.TypeRules = append(c.db.TypeRules, rule)
			c.typeRules[rule] = c.line
		}
	}
}

// checkTypeRules refuses transitions that differ in the result alone. Those under conditions that are never true
// together would be sound, but secilc does not look that far either.
func (c *compiler) checkTypeRules() {
	for i := 1; i < len(c.db.TypeRules); i++ {
		a, b := c.db.TypeRules[i-1], c.db.TypeRules[i]
		sameKey := a.Source == b.Source && a.Target == b.Target && a.Class == b.Class
		branches := a.Cond != policydb.Unconditional && a.Cond^1 == b.Cond // the true and the false one of a condition
		if sameKey && a.Data != b.Data && !branches {
			c.failAt(c.typeRules[b], "type transitions from %s by %s to both %s and %s", c.db.TypeName(uint32(a.Source)),
				c.db.TypeName(uint32(a.Target)), c.db.TypeName(a.Data), c.db.TypeName(b.Data))
		}
	}
}

func (c *compiler) roleAllow(args []node) {
	c.db.RoleAllows = append(c.db.RoleAllows, policydb.RoleAllow{
		Role: c.find(c.db.RoleValues, args[0], "role"), New: c.find(c.db.RoleValues, args[1], "role"),
	})
}

func (c *compiler) roleTransition(args []node) {
	role, class := c.find(c.db.RoleValues, args[0], "role"), c.classValue(args[2])
	result := c.find(c.db.RoleValues, args[3], "role")
	for _, t := range c.typesOf(args[1]) {
		for _, rt := range c.db.RoleTransitions {
			if rt.Role == role && rt.Type == t && rt.Class == class && rt.New != result {
				c.fail("two role transitions from %s by %s differ", args[0].word, c.db.TypeName(t))
			}
		}
		c.db.RoleTransitions = append(c.db.RoleTransitions, policydb.RoleTransition{Role: role, Type: t, Class: class, New: result})
	}
}

// booleanIf adds the rules of (booleanif condition (true rule…) (false rule…)).
func (c *compiler) booleanIf(args []node) {
	var expr []policydb.BoolTerm
	c.condition(args[0], &expr)
	if policydb.ConditionDepth(expr) > policydb.MaxConditionDepth {
		c.fail("the condition is deeper than %d", policydb.MaxConditionDepth)
	}
	index := int32(2 * len(c.db.Conditionals))
	c.db.Conditionals = append(c.db.Conditionals, policydb.Conditional{Expr: expr})
	seen := map[bool]bool{}
	for _, branch := range args[1:] {
		list := c.listOf(branch, "a branch")
		if len(list) == 0 {
			c.failAt(branch.line, "a branch begins with true or false")
		}
		truth := c.truth(list[0])
		if seen[truth] {
			c.failAt(branch.line, "the condition has two branches for %s", list[0].word)
		}
		seen[truth] = true
		c.cond = index
		if !truth {
			c.cond++
		}
		for _, rule := range list[1:] {
			c.conditionalRule(rule)
		}
		c.cond = policydb.Unconditional
	}
}

func (c *compiler) conditionalRule(n node) {
	rules := map[string]struct {
		args int
		do   func([]node)
	}{
		"allow": {3, c.allow}, "auditallow": {3, c.auditAllow}, "dontaudit": {3, c.dontAudit},
		"typetransition": {4, c.typeTransition},
	}
	if !n.isList() || len(n.list) == 0 {
		c.failAt(n.line, "a branch of a condition holds rules")
	}
	keyword := n.list[0].word
	rule, ok := rules[keyword]
	if !ok {
		c.failAt(n.line, "the statement %s in booleanif is not supported, compile it with secilc", keyword)
	}
	c.count(n, rule.args, rule.args)
	c.line = n.line
	rule.do(n.list[1:])
}

// condition appends an expression in reverse Polish notation.
func (c *compiler) condition(n node, expr *[]policydb.BoolTerm) {
	if !n.isList() {
		*expr = append(*expr, policydb.BoolTerm{Op: policydb.BoolValue, Boolean: c.find(c.db.BooleanValues, n, "boolean")})
		return
	}
	ops := map[string]policydb.BoolOp{
		"not": policydb.BoolNot, "or": policydb.BoolOr, "and": policydb.BoolAnd, "xor": policydb.BoolXor,
		"eq": policydb.BoolEq, "neq": policydb.BoolNeq,
	}
	operands := n.list
	op := policydb.BoolValue
	if len(n.list) > 1 {
		op, operands = ops[n.list[0].word], n.list[1:]
	}
	if want := map[bool]int{true: 1, false: 2}[op == policydb.BoolNot || op == policydb.BoolValue]; op == 0 || len(operands) != want {
		c.failAt(n.line, "the condition is not an operator with its operands")
	}
	for _, o := range operands {
		c.condition(o, expr)
	}
	if op != policydb.BoolValue {
		*expr = append(*expr, policydb.BoolTerm{Op: op})
	}
}
