// SPDX-License-Identifier: Apache-2.0

package policydb

// MaxConstraintDepth is the kernel's CEXPR_MAXDEPTH: the stack that a constraint's expression may use.
const MaxConstraintDepth = 5

// Constraint takes Permissions away where its expression is false. An mlsconstrain is one, too.
type Constraint struct {
	Permissions uint32
	Expr        []ConstraintTerm // in reverse Polish notation
}

// ConstraintKind is what a term of a constraint is.
type ConstraintKind uint8

// The values of the file.
const (
	ConstraintNot        ConstraintKind = iota + 1
	ConstraintAnd                       // of the two results before it
	ConstraintOr                        // of the two results before it
	ConstraintAttributes                // compares an attribute of source and target
	ConstraintNames                     // compares an attribute with a set of names
)

// ConstraintAttribute is what a term compares.
type ConstraintAttribute uint16

// The values of the file. ConstraintTarget goes with ConstraintNames: the target's attribute, not the source's.
const (
	ConstraintUser   ConstraintAttribute = 0x1
	ConstraintRole   ConstraintAttribute = 0x2
	ConstraintType   ConstraintAttribute = 0x4
	ConstraintTarget ConstraintAttribute = 0x8
	constraintThird  ConstraintAttribute = 0x10 // the third context, in a validatetrans
	ConstraintL1L2   ConstraintAttribute = 0x20
	ConstraintL1H2   ConstraintAttribute = 0x40
	ConstraintH1L2   ConstraintAttribute = 0x80
	ConstraintH1H2   ConstraintAttribute = 0x100
	ConstraintL1H1   ConstraintAttribute = 0x200
	ConstraintL2H2   ConstraintAttribute = 0x400
)

// ConstraintOp is a comparison.
type ConstraintOp uint8

// The values of the file. Only roles and levels know the last three.
const (
	ConstraintEq ConstraintOp = iota + 1
	ConstraintNeq
	ConstraintDom
	ConstraintDomBy
	ConstraintIncomp
)

// ConstraintTerm is one step of a constraint's expression.
type ConstraintTerm struct {
	Kind      ConstraintKind
	Attribute ConstraintAttribute
	Op        ConstraintOp
	Names     Bitmap // ConstraintNames: the values, bit value-1, with attributes replaced by their types
	Written   Bitmap // of these, types and attributes as the policy's author wrote them; may be empty
}

// constraints takes n constraints. Those of a validatetrans may name a third context.
func (r *reader) constraints(n int, third bool) []Constraint {
	if n == 0 {
		return nil
	}
	cs := make([]Constraint, n)
	for i := range cs {
		cs[i].Permissions = r.u32("a constraint's permissions")
		off := r.off
		terms := r.count(12, "terms of a constraint")
		if terms > MaxTerms {
			r.failAt(off, "a constraint of %d terms is longer than %d", terms, MaxTerms)
		}
		if r.err != nil {
			return nil
		}
		cs[i].Expr = make([]ConstraintTerm, terms)
		depth := 0
		for j := range cs[i].Expr {
			depth += r.constraintTerm(&cs[i].Expr[j], depth, third)
			if r.err != nil {
				return nil
			}
		}
		if depth != 1 {
			r.failAt(off, "a constraint leaves %d results, not 1", depth)
		}
	}
	return cs
}

// constraintTerm takes a term and gives by how much it makes the stack grow.
func (r *reader) constraintTerm(t *ConstraintTerm, depth int, third bool) int {
	off := r.off
	kind, attribute, op := r.u32("a term's kind"), r.u32("a term's attribute"), r.u32("a term's operator")
	if r.err != nil {
		return 0
	}
	needs, grows := 0, 1
	valid := true
	switch ConstraintKind(min(kind, 255)) {
	case ConstraintNot:
		needs, grows = 1, 0
	case ConstraintAnd, ConstraintOr:
		needs, grows = 2, -1
	case ConstraintAttributes:
		valid = comparable(attribute, op)
	case ConstraintNames:
		valid = nameable(attribute, op, third)
		t.Names = r.bitmap(MaxSymbols, "the names of a constraint")
		t.Written = r.bitmap(MaxSymbols, "the types of a constraint")
		r.bitmap(MaxSymbols, "the excluded types of a constraint")
		r.u32("the flags of a constraint's types")
	default:
		valid = false
	}
	switch {
	case !valid:
		r.failAt(off, "the constraint term %d, %#x, %d is not known", kind, attribute, op)
	case depth < needs:
		r.failAt(off, "a constraint's operator lacks an operand")
	case depth+grows > MaxConstraintDepth:
		r.failAt(off, "a constraint is deeper than %d", MaxConstraintDepth)
	}
	t.Kind, t.Attribute, t.Op = ConstraintKind(kind), ConstraintAttribute(attribute), ConstraintOp(op)
	return grows
}

// comparable tells if the attributes of source and target can be compared by op.
func comparable(attribute, op uint32) bool {
	switch ConstraintAttribute(min(attribute, 0xFFFF)) {
	case ConstraintUser, ConstraintType:
		return op == uint32(ConstraintEq) || op == uint32(ConstraintNeq)
	case ConstraintRole, ConstraintL1L2, ConstraintL1H2, ConstraintH1L2, ConstraintH1H2, ConstraintL1H1, ConstraintL2H2:
		return op >= uint32(ConstraintEq) && op <= uint32(ConstraintIncomp)
	}
	return false
}

// nameable tells if an attribute can be compared with names by op.
func nameable(attribute, op uint32, third bool) bool {
	a := ConstraintAttribute(min(attribute, 0xFFFF))
	side := a & (ConstraintTarget | constraintThird)
	if side == ConstraintTarget|constraintThird || side == constraintThird && !third {
		return false
	}
	switch a &^ side {
	case ConstraintUser, ConstraintRole, ConstraintType:
		return op == uint32(ConstraintEq) || op == uint32(ConstraintNeq)
	}
	return false
}
