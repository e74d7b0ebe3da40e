// SPDX-License-Identifier: Apache-2.0

package selinux

import "dialtone/selinux/internal/policydb"

// AccessVector is the policy's answer for a source, a target and a class. Bits are permissions in the policy's
// numbering: see Policy.PermissionNames.
type AccessVector struct {
	Allowed    uint32 // what is permitted
	AuditAllow uint32 // of this, what is to be audited when granted
	AuditDeny  uint32 // what is to be audited when denied; all ones, less the dontaudit rules
}

// accessVector is the kernel's context_struct_compute_av. live tells which branches of conditionals hold.
func (p *Policy) accessVector(s, t *Context, class ClassValue, live []bool) AccessVector {
	av := p.typeEnforcement(s.Type, t.Type, class, live)
	if class == 0 || int(class) > len(p.db.Classes) {
		return av
	}
	for i := range p.db.Classes[class-1].Constraints {
		c := &p.db.Classes[class-1].Constraints[i]
		if c.Permissions&av.Allowed != 0 && !p.constraintHolds(c, s, t) {
			av.Allowed &^= c.Permissions
		}
	}
	if class == p.process && av.Allowed&p.transitionPerms != 0 && !p.roleAllowed(s.Role, t.Role) {
		av.Allowed &^= p.transitionPerms
	}
	if av.Allowed != 0 {
		if bs, bt, ok := p.bounded(s, t); ok {
			av.Allowed &= p.accessVector(&bs, &bt, class, live).Allowed
		}
	}
	return av
}

// typeEnforcement joins the rules between any attribute of the source and any of the target.
func (p *Policy) typeEnforcement(source, target uint32, class ClassValue, live []bool) AccessVector {
	av := AccessVector{AuditDeny: ^uint32(0)}
	for r := range p.matching(source, target, class) {
		if r.Cond != policydb.Unconditional && !live[r.Cond] {
			continue
		}
		switch r.Kind {
		case policydb.Allow:
			av.Allowed |= r.Data
		case policydb.AuditAllow:
			av.AuditAllow |= r.Data
		case policydb.AuditDeny:
			av.AuditDeny &= r.Data
		}
	}
	return av
}

// matching gives every access rule between an attribute of source and one of target (a type counts as an
// attribute of itself), whether its condition holds or not.
func (p *Policy) matching(source, target uint32, class ClassValue) func(yield func(*policydb.Rule) bool) {
	return func(yield func(*policydb.Rule) bool) {
		targets := p.db.TypeAttributes[target-1]
		for _, a := range p.db.TypeAttributes[source-1] {
			// Both the row and the target's attributes are sorted: step through them side by side.
			row := p.rules(a, class)
			for i, j := 0, 0; i < len(row) && j < len(targets); {
				switch {
				case row[i].Target < targets[j]:
					i++
				case row[i].Target > targets[j]:
					j++
				default:
					if !yield(&row[i]) {
						return
					}
					i++
				}
			}
		}
	}
}

func (p *Policy) roleAllowed(from, to uint32) bool {
	if from == to {
		return true
	}
	for _, ra := range p.db.RoleAllows {
		if ra.Role == from && ra.New == to {
			return true
		}
	}
	return false
}

// bounded gives the pair whose access vector limits that of s and t, if the type of s has bounds.
func (p *Policy) bounded(s, t *Context) (bs, bt Context, ok bool) {
	bound := p.db.Types[s.Type-1].Bounds
	if bound == 0 {
		return bs, bt, false
	}
	bs, bt = *s, *t
	bs.Type = bound
	if b := p.db.Types[t.Type-1].Bounds; b != 0 {
		bt.Type = b
	}
	return bs, bt, true
}
