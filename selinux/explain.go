// SPDX-License-Identifier: Apache-2.0

package selinux

import (
	"fmt"

	"dialtone/selinux/internal/policydb"
)

// Explanation tells why a permission is allowed or denied.
type Explanation struct {
	Source     string `json:"source"`
	Target     string `json:"target"`
	Class      string `json:"class"`
	Permission string `json:"permission"`

	Allowed    bool `json:"allowed"`    // by the policy
	Permissive bool `json:"permissive"` // what is denied is granted all the same: the mode, or a permissive source type
	Audited    bool `json:"audited"`    // the decision is audited

	Rules      []ExplainedRule `json:"rules,omitempty"`       // the allow rules on it that hold
	AuditRules []ExplainedRule `json:"audit_rules,omitempty"` // the auditallow or, if it is denied, dontaudit rules that hold
	Unknown    bool            `json:"unknown,omitempty"`     // the policy lacks class or permission: handle_unknown decides
	Obstacles  []Obstacle      `json:"obstacles,omitempty"`   // all that denies it; none if it is allowed
}

// ObstacleKind is a way in which a policy denies.
type ObstacleKind string

// The ways, in the order in which they are looked at.
const (
	ObstacleUnknown    ObstacleKind = "unknown permission" // or class, and handle_unknown is deny or reject
	ObstacleNoRule     ObstacleKind = "no rule"
	ObstacleBoolean    ObstacleKind = "boolean" // there are rules, but under conditions that do not hold
	ObstacleConstraint ObstacleKind = "constraint"
	ObstacleRole       ObstacleKind = "role"
	ObstacleBounds     ObstacleKind = "bounds"
)

// Obstacle is one thing that denies a permission, and what would remove it.
type Obstacle struct {
	Kind       ObstacleKind         `json:"kind"`
	Reason     string               `json:"reason"`
	Remedy     string               `json:"remedy"`
	Rules      []ExplainedRule      `json:"rules,omitempty"`      // ObstacleBoolean: the rules whose conditions do not hold
	Constraint *ExplainedConstraint `json:"constraint,omitempty"` // ObstacleConstraint
	Bounds     *Explanation         `json:"bounds,omitempty"`     // ObstacleBounds: why the bounding types may not
}

// ExplainedRule is a rule of the policy, with the attributes or types that it is written with.
type ExplainedRule struct {
	Kind        string   `json:"kind"` // allow, auditallow or dontaudit
	Source      string   `json:"source"`
	Target      string   `json:"target"`
	Class       string   `json:"class"`
	Permissions []string `json:"permissions"`
	Condition   string   `json:"condition,omitempty"` // over booleans; empty for a rule that always holds
	Holds       bool     `json:"holds"`
}

// Explain tells why a permission of class, both by name, is allowed or denied.
func (s *Server) Explain(source, target *Context, class, permission string) Explanation {
	p := s.policy
	e := Explanation{
		Source: p.FormatContext(source), Target: p.FormatContext(target), Class: class, Permission: permission,
		Permissive: s.permissive || p.db.Permissive.Has(source.Type),
	}
	value, known := p.Class(class)
	bit, ok := p.Permission(value, permission)
	if !ok {
		s.explainUnknown(&e, known)
		return e
	}
	s.explainRules(&e, source, target, value, bit)
	e.Obstacles = append(e.Obstacles, s.failedConstraints(source, target, value, bit)...)
	if value == p.process && p.transitionPerms&bit != 0 && !p.roleAllowed(source.Role, target.Role) {
		rule := fmt.Sprintf("allow %s %s;", p.db.RoleName(source.Role), p.db.RoleName(target.Role))
		e.Obstacles = append(e.Obstacles, Obstacle{
			Kind: ObstacleRole, Reason: "no role rule " + rule, Remedy: "the role rule " + rule,
		})
	}
	if bs, bt, ok := p.bounded(source, target); ok && s.ComputeAV(&bs, &bt, value).Allowed&bit == 0 {
		bound := s.Explain(&bs, &bt, class, permission)
		e.Obstacles = append(e.Obstacles, Obstacle{
			Kind: ObstacleBounds, Bounds: &bound,
			Reason: fmt.Sprintf("type %s is bounded by %s, which may not", p.db.TypeName(source.Type), p.db.TypeName(bs.Type)),
			Remedy: "the same permission for the bounding type",
		})
	}
	e.Allowed = len(e.Obstacles) == 0
	s.explainAudit(&e, source, target, value, bit)
	return e
}

// ExplainPerm tells why one permission of a Class is allowed or denied to SIDs. Of a set it takes the lowest.
func (s *Server) ExplainPerm(source, target SID, class Class, perm Perm) Explanation {
	name := fmt.Sprintf("0x%x", uint32(perm))
	if names := class.PermissionNames(perm); len(names) > 0 {
		name = names[0]
	}
	return s.Explain(&s.sids.lookup(source).context, &s.sids.lookup(target).context, class.String(), name)
}

func (s *Server) explainUnknown(e *Explanation, knownClass bool) {
	e.Unknown = true
	e.Allowed = s.policy.allowsUnknown()
	if e.Allowed {
		return
	}
	e.Audited = true
	o := Obstacle{
		Kind:   ObstacleUnknown,
		Reason: fmt.Sprintf("the policy has no class %s, and handle_unknown is %s", e.Class, s.policy.HandleUnknown()),
		Remedy: "a policy that declares it, or has handle_unknown allow",
	}
	if knownClass {
		o.Reason = fmt.Sprintf("class %s has no permission %s, and handle_unknown is %s", e.Class, e.Permission, s.policy.HandleUnknown())
	}
	e.Obstacles = []Obstacle{o}
}

// explainRules finds the rules of type enforcement.
func (s *Server) explainRules(e *Explanation, source, target *Context, class ClassValue, bit uint32) {
	var off []ExplainedRule
	var conditions []int32
	for r := range s.policy.matching(source.Type, target.Type, class) {
		if r.Kind != policydb.Allow || r.Data&bit == 0 {
			continue
		}
		rule := s.explainedRule(r)
		if rule.Holds {
			e.Rules = append(e.Rules, rule)
		} else {
			off = append(off, rule)
			conditions = append(conditions, r.Cond)
		}
	}
	switch {
	case len(e.Rules) > 0:
	case len(off) > 0:
		e.Obstacles = append(e.Obstacles, Obstacle{
			Kind: ObstacleBoolean, Reason: "the rules that would allow it are under conditions that do not hold",
			Remedy: s.switches(conditions), Rules: off,
		})
	default:
		attributes := len(s.policy.db.TypeAttributes[source.Type-1]) * len(s.policy.db.TypeAttributes[target.Type-1])
		e.Obstacles = append(e.Obstacles, Obstacle{
			Kind:   ObstacleNoRule,
			Reason: fmt.Sprintf("no allow rule for any of %d pairs of types and attributes", attributes),
			Remedy: fmt.Sprintf("the rule allow %s %s:%s %s;", s.policy.db.TypeName(source.Type),
				s.policy.db.TypeName(target.Type), e.Class, e.Permission),
		})
	}
}

// explainAudit finds the rules that audit what is allowed, or do not audit what is denied.
func (s *Server) explainAudit(e *Explanation, source, target *Context, class ClassValue, bit uint32) {
	for r := range s.policy.matching(source.Type, target.Type, class) {
		concerns := e.Allowed && r.Kind == policydb.AuditAllow && r.Data&bit != 0 ||
			!e.Allowed && r.Kind == policydb.AuditDeny && r.Data&bit == 0
		if concerns && s.ruleHolds(r) {
			e.AuditRules = append(e.AuditRules, s.explainedRule(r))
		}
	}
	e.Audited = e.Allowed == (len(e.AuditRules) > 0)
}

func (s *Server) ruleHolds(r *policydb.Rule) bool {
	return r.Cond == policydb.Unconditional || s.live[r.Cond]
}

func (s *Server) explainedRule(r *policydb.Rule) ExplainedRule {
	p := s.policy
	x := ExplainedRule{
		Source: p.db.TypeName(uint32(r.Source)), Target: p.db.TypeName(uint32(r.Target)),
		Class: p.ClassName(ClassValue(r.Class)), Holds: s.ruleHolds(r), Condition: p.conditionText(r.Cond),
	}
	data := r.Data
	switch r.Kind {
	case policydb.Allow:
		x.Kind = "allow"
	case policydb.AuditAllow:
		x.Kind = "auditallow"
	default:
		x.Kind, data = "dontaudit", ^data
	}
	x.Permissions = p.PermissionNames(ClassValue(r.Class), data)
	return x
}
