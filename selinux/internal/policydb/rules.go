// SPDX-License-Identifier: Apache-2.0

package policydb

import (
	"cmp"
	"slices"
)

// MaxTerms bounds the terms of a condition or a constraint, so that writing one out stays cheap. The bound is ours,
// not the kernel's; the longest constraint of Debian's policy has 17.
const MaxTerms = 4096

// MaxConditionDepth is the kernel's COND_EXPR_MAXDEPTH: the stack that a condition may use.
const MaxConditionDepth = 10

// Bits of a rule's "specified" field beside the kinds of RuleKind.
const (
	xpermAllow      = 0x100
	xpermAuditAllow = 0x200
	xpermDontAudit  = 0x400
	ruleEnabled     = 0x8000 // the rule's branch was live when the file was written
)

// Sizes in the file, in bytes.
const (
	ruleSize      = 8 + 4         // key and data
	xpermDataSize = 2 + 8*4       // kind, driver, 256 bits
	conditionSize = 4 + 4 + 4 + 4 // state, three counts
)

func (r *reader) rules(db *DB) {
	r.section = "access vector rules"
	n := r.count(ruleSize, "rules")
	db.Access = make([]Rule, 0, n)
	for range n {
		r.rule(db, Unconditional)
	}

	r.section = "conditional rules"
	n = r.count(conditionSize, "conditionals")
	if r.err != nil {
		return
	}
	db.Conditionals = make([]Conditional, n)
	for i := range db.Conditionals {
		r.u32("a conditional's state")
		db.Conditionals[i].Expr = r.condition(len(db.Booleans))
		for branch := range int32(2) {
			for range r.count(ruleSize, "rules") {
				r.rule(db, int32(2*i)+branch)
			}
		}
		if r.err != nil {
			return
		}
	}
	db.SortRules()
}

// rule takes one entry of the access vector table. Rules on extended permissions (of ioctl commands) are left out:
// they refine ioctl and grant nothing by themselves.
func (r *reader) rule(db *DB, cond int32) {
	off := r.off
	b := r.take(8, "a rule")
	if b == nil {
		return
	}
	u16 := func(i int) uint16 { return uint16(b[i]) | uint16(b[i+1])<<8 }
	rule := Rule{Source: u16(0), Target: u16(2), Class: u16(4), Cond: cond}
	specified := u16(6) &^ ruleEnabled
	r.checkValue(off, uint32(rule.Source), len(db.Types), "a rule's source type")
	r.checkValue(off, uint32(rule.Target), len(db.Types), "a rule's target type")
	r.checkValue(off, uint32(rule.Class), len(db.Classes), "a rule's class")
	rule.Kind = RuleKind(specified)
	switch specified {
	case uint16(Allow), uint16(AuditAllow), uint16(AuditDeny):
		rule.Data = r.u32("a rule's permissions")
		db.Access = append(db.Access, rule)
	case uint16(TypeTransition), uint16(TypeMember), uint16(TypeChange):
		rule.Data = r.value(len(db.Types), "a rule's new type")
		db.TypeRules = append(db.TypeRules, rule)
	case xpermAllow, xpermAuditAllow, xpermDontAudit:
		r.take(xpermDataSize, "extended permissions")
	default:
		r.failAt(off, "a rule of the unknown kind %#x", specified)
	}
}

func (r *reader) condition(booleans int) []BoolTerm {
	off := r.off
	n := r.count(8, "terms of a condition")
	if r.err != nil {
		return nil
	}
	if n > MaxTerms {
		r.failAt(off, "a condition of %d terms is longer than %d", n, MaxTerms)
		return nil
	}
	expr := make([]BoolTerm, n)
	for i := range expr {
		at := r.off
		op, boolean := r.enum(uint32(BoolNeq), "a condition's operator"), r.u32("a condition's boolean")
		if BoolOp(op) == BoolValue {
			r.checkValue(at, boolean, booleans, "a condition's boolean")
		}
		expr[i] = BoolTerm{BoolOp(op), boolean}
	}
	if depth := ConditionDepth(expr); depth == 0 || depth > MaxConditionDepth {
		r.failAt(off, "a condition's operands do not fit its operators, or are deeper than %d", MaxConditionDepth)
	}
	return expr
}

// ConditionDepth gives the stack that a condition needs, and 0 if its operands do not fit its operators.
func ConditionDepth(expr []BoolTerm) int {
	depth, deepest := 0, 0
	for _, t := range expr {
		switch t.Op {
		case BoolValue:
			depth++
		case BoolNot:
			if depth < 1 {
				return 0
			}
		case BoolOr, BoolAnd, BoolXor, BoolEq, BoolNeq:
			if depth < 2 {
				return 0
			}
			depth--
		default:
			return 0
		}
		deepest = max(deepest, depth)
	}
	if depth != 1 {
		return 0
	}
	return deepest
}

// SortRules puts the rules into the order that the look-ups need. Rules of one key keep the order of the policy,
// with the unconditional ones first.
func (db *DB) SortRules() {
	slices.SortStableFunc(db.TypeRules, compareRules)
	slices.SortFunc(db.Access, compareRules) // equal ones are joined by or: their order says nothing
}

func compareRules(a, b Rule) int {
	ka := uint64(a.Source)<<48 | uint64(a.Class)<<32 | uint64(a.Target)<<16
	kb := uint64(b.Source)<<48 | uint64(b.Class)<<32 | uint64(b.Target)<<16
	if ka != kb {
		return cmp.Compare(ka, kb)
	}
	return cmp.Compare(a.Cond, b.Cond)
}
