// SPDX-License-Identifier: Apache-2.0

package selinux

import (
	"fmt"
	"strings"
)

// Summary gives the verdict and its first reason in one line, without the contexts.
func (e *Explanation) Summary() string {
	switch {
	case e.Allowed && e.Unknown:
		return "allowed: unknown to the policy, and handle_unknown is allow"
	case e.Allowed:
		return "allowed by " + e.Rules[0].String()
	}
	verdict := "denied: "
	if e.Permissive {
		verdict = "denied, but permissive: "
	}
	return verdict + e.Obstacles[0].summary()
}

func (o *Obstacle) summary() string {
	switch {
	case len(o.Rules) > 0:
		return "the rule is off: " + o.Rules[0].String()
	case o.Constraint != nil:
		return o.Constraint.Text + " fails: " + strings.Join(o.Constraint.Failing, "; ")
	}
	return o.Reason
}

// String tells everything, in lines.
func (e *Explanation) String() string {
	var b strings.Builder
	e.write(&b, "")
	return strings.TrimSuffix(b.String(), "\n")
}

func (e *Explanation) write(b *strings.Builder, indent string) {
	line := func(depth int, format string, args ...any) {
		b.WriteString(indent + strings.Repeat("  ", depth))
		fmt.Fprintf(b, format, args...)
		b.WriteByte('\n')
	}
	verdict := "denied"
	switch {
	case e.Allowed:
		verdict = "allowed"
	case e.Permissive:
		verdict = "denied, but permissive and so granted"
	}
	line(0, "%s -> %s %s %s: %s", e.Source, e.Target, e.Class, e.Permission, verdict)
	if e.Allowed && e.Unknown {
		line(1, "the policy does not know it, and handle_unknown is allow")
	}
	for _, r := range e.Rules {
		line(1, "%s", r)
	}
	for _, o := range e.Obstacles {
		line(1, "%s: %s", o.Kind, o.Reason)
		for _, r := range o.Rules {
			line(2, "%s", r)
		}
		if o.Constraint != nil {
			line(2, "%s", o.Constraint.Text)
			for _, f := range o.Constraint.Failing {
				line(2, "%s", f)
			}
		}
		if o.Bounds != nil {
			o.Bounds.write(b, indent+"    ")
		}
		line(2, "would help: %s", o.Remedy)
	}
	for _, r := range e.AuditRules {
		line(1, "%s", r)
	}
	if !e.Allowed && !e.Audited {
		line(1, "the denial is not audited")
	}
}

// String writes the rule in the policy language, with its condition as a comment.
func (r ExplainedRule) String() string {
	perms := strings.Join(r.Permissions, " ")
	if len(r.Permissions) != 1 {
		perms = "{ " + perms + " }"
	}
	text := fmt.Sprintf("%s %s %s:%s %s;", r.Kind, r.Source, r.Target, r.Class, perms)
	if r.Condition != "" {
		state := "holds"
		if !r.Holds {
			state = "does not hold"
		}
		text += fmt.Sprintf(" # if %s, which %s", r.Condition, state)
	}
	return text
}
