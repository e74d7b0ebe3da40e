// SPDX-License-Identifier: Apache-2.0

package selinux

import (
	"slices"
	"testing"

	"dialtone/selinux/internal/policydb"
)

// naiveTypeEnforcement looks at every rule of the policy.
func naiveTypeEnforcement(p *Policy, source, target uint32, class ClassValue, live []bool) AccessVector {
	av := AccessVector{AuditDeny: ^uint32(0)}
	for _, r := range p.db.Access {
		if r.Class != uint16(class) || !slices.Contains(p.db.TypeAttributes[source-1], r.Source) ||
			!slices.Contains(p.db.TypeAttributes[target-1], r.Target) || r.Cond != policydb.Unconditional && !live[r.Cond] {
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

// The index over rules finds what a search through all of them finds, for every pair of types and every class.
func TestTypeEnforcementAgainstAllRules(t *testing.T) {
	for _, path := range []string{"testdata/lab.33", "testdata/full.33", "testdata/conf.33", "defaultpolicy/default.33"} {
		s := loadServer(t, readFile(t, path))
		p := s.policy
		for source := range uint32(len(p.db.Types)) {
			for target := range uint32(len(p.db.Types)) {
				for class := range ClassValue(len(p.db.Classes)) {
					got := p.typeEnforcement(source+1, target+1, class+1, s.live)
					if want := naiveTypeEnforcement(p, source+1, target+1, class+1, s.live); got != want {
						t.Fatalf("%s: %s -> %s %s: %#x, want %#x", path, p.db.TypeName(source+1), p.db.TypeName(target+1),
							p.ClassName(class+1), got, want)
					}
				}
			}
		}
	}
}
