// SPDX-License-Identifier: Apache-2.0

package selinux

import (
	"fmt"
	"sort"

	"dialtone/selinux/internal/policydb"
)

// InvalidContextError says that the label computed for an object is not valid under the policy. A host that
// enforces refuses the call with EACCES.
type InvalidContextError struct {
	Context string // the label computed
	Fault   string // the rule that it breaks
}

func (e *InvalidContextError) Error() string {
	return fmt.Sprintf("the new label %s is not valid: %s", e.Context, e.Fault)
}

// newContext computes the label of an object of class that source makes in relation to target: the kernel's
// security_compute_sid. With asSocket, which the kernel sets for socket classes and libsepol never, the object
// takes role, type and range from its maker as a process does. The result may be invalid: see checkNew.
func (p *Policy) newContext(kind policydb.RuleKind, source, target *Context, class ClassValue, live []bool, asSocket bool) Context {
	var defaults policydb.Class
	if class != 0 && int(class) <= len(p.db.Classes) {
		defaults = p.db.Classes[class-1]
	}
	fromSource := class == p.process && class != 0 || asSocket
	var c Context

	c.User = source.User
	if kind == policydb.TypeMember || defaults.DefaultUser == policydb.DefaultTarget {
		c.User = target.User
	}
	switch {
	case defaults.DefaultRole == policydb.DefaultTarget:
		c.Role = target.Role
	case defaults.DefaultRole == policydb.DefaultSource || fromSource:
		c.Role = source.Role
	default:
		c.Role = policydb.ObjectR
	}
	switch {
	case defaults.DefaultType == policydb.DefaultTarget:
		c.Type = target.Type
	case defaults.DefaultType == policydb.DefaultSource || fromSource:
		c.Type = source.Type
	default:
		c.Type = target.Type
	}
	if t := p.typeRule(kind, source.Type, target.Type, class, live); t != 0 {
		c.Type = t
	}
	if kind == policydb.TypeTransition {
		for _, rt := range p.db.RoleTransitions {
			if rt.Role == source.Role && rt.Type == target.Type && rt.Class == uint32(class) {
				c.Role = rt.New
				break
			}
		}
	}
	if p.db.MLS {
		c.Range = p.newRange(kind, source, target, class, defaults.DefaultRange, fromSource)
	}
	return c
}

// typeRule gives the new type of a type_transition, type_member or type_change, or 0. Type rules name types, never
// attributes. The unconditional one wins over conditional ones.
func (p *Policy) typeRule(kind policydb.RuleKind, source, target uint32, class ClassValue, live []bool) uint32 {
	key := func(r *policydb.Rule) uint64 {
		return uint64(r.Source)<<32 | uint64(r.Class)<<16 | uint64(r.Target)
	}
	want := uint64(source)<<32 | uint64(class)<<16 | uint64(target)
	rules := p.db.TypeRules
	for i := sort.Search(len(rules), func(i int) bool { return key(&rules[i]) >= want }); i < len(rules); i++ {
		r := &rules[i]
		if key(r) != want {
			return 0
		}
		if r.Kind == kind && (r.Cond == policydb.Unconditional || live[r.Cond]) {
			return r.Data
		}
	}
	return 0
}

// newRange is the kernel's mls_compute_sid.
func (p *Policy) newRange(kind policydb.RuleKind, source, target *Context, class ClassValue, def policydb.DefaultRange, fromSource bool) policydb.Range {
	low := func(l policydb.Level) policydb.Range { return policydb.Range{Low: l, High: l} }
	switch kind {
	case policydb.TypeTransition:
		key := policydb.RangeKey{Source: source.Type, Target: target.Type, Class: uint32(class)}
		if r, ok := p.db.RangeTransitions[key]; ok {
			return r
		}
		switch def {
		case policydb.RangeSourceLow:
			return low(source.Range.Low)
		case policydb.RangeSourceHigh:
			return low(source.Range.High)
		case policydb.RangeSourceLowHigh:
			return source.Range
		case policydb.RangeTargetLow:
			return low(target.Range.Low)
		case policydb.RangeTargetHigh:
			return low(target.Range.High)
		case policydb.RangeTargetLowHigh:
			return target.Range
		case policydb.RangeGLBLUB:
			return glblub(&source.Range, &target.Range)
		}
	case policydb.TypeMember:
		return low(source.Range.Low)
	}
	if fromSource {
		return source.Range
	}
	return low(source.Range.Low)
}

// glblub gives the range between the greater of the low and the lesser of the high levels. Ranges without a common
// sensitivity give none, which no policy accepts.
func glblub(a, b *policydb.Range) policydb.Range {
	if a.High.Sensitivity < b.Low.Sensitivity || b.High.Sensitivity < a.Low.Sensitivity {
		return policydb.Range{}
	}
	return policydb.Range{
		Low: policydb.Level{
			Sensitivity: max(a.Low.Sensitivity, b.Low.Sensitivity),
			Categories:  a.Low.Categories.And(b.Low.Categories),
		},
		High: policydb.Level{
			Sensitivity: min(a.High.Sensitivity, b.High.Sensitivity),
			Categories:  a.High.Categories.And(b.High.Categories),
		},
	}
}

// checkNew gives an *InvalidContextError if the policy does not accept c.
func (p *Policy) checkNew(c *Context) error {
	if fault := p.db.Fault(c); fault != policydb.FaultNone {
		return &InvalidContextError{p.db.FormatContext(c), string(fault)}
	}
	return nil
}
