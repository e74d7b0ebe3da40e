// SPDX-License-Identifier: Apache-2.0

package selinux

import (
	"strings"
	"testing"
)

// libsepol's reasons for a denial, as bits.
const (
	reasonTE         = 1
	reasonConstraint = 2
	reasonRole       = 4
	reasonBounds     = 8
)

// reasons joins what explanations say of all permissions of a class.
func (s *Server) reasons(t *testing.T, source, target *Context, class ClassValue) (reasons int, allowed uint32) {
	t.Helper()
	for i, name := range s.policy.db.Classes[class-1].Permissions {
		e := s.Explain(source, target, s.policy.ClassName(class), name)
		if e.Allowed {
			allowed |= 1 << i
		}
		for _, o := range e.Obstacles {
			switch o.Kind {
			case ObstacleNoRule, ObstacleBoolean:
				reasons |= reasonTE
			case ObstacleConstraint:
				if len(e.Rules) > 0 { // libsepol looks at constraints on what rules allow
					reasons |= reasonConstraint
				}
			case ObstacleRole:
				if len(e.Obstacles) == 1 {
					reasons |= reasonRole
				}
			case ObstacleBounds:
				if len(e.Obstacles) == 1 {
					reasons |= reasonBounds
				}
			}
			if o.Reason == "" || o.Remedy == "" || e.Summary() == "" {
				t.Errorf("%s: an obstacle without words: %+v", &e, o)
			}
		}
		if strings.Contains(e.String(), "#") && !strings.Contains(e.String(), "# if ") {
			t.Errorf("a value without a name in: %s", &e)
		}
	}
	return reasons, allowed
}

// Explanations agree with the decisions and with libsepol's reasons for them.
func TestExplainAgreesWithGoldenReasons(t *testing.T) {
	for _, f := range []struct {
		policy, golden string
	}{
		{"debian-default.33", "av.jsonl"}, {"proxy-nomls.33", "golden-proxy-nomls.jsonl"},
	} {
		t.Run(f.golden, func(t *testing.T) {
			s := loadServer(t, readShared(t, f.policy))
			eachLine(t, shared(t, f.golden), 2000, func(g struct {
				S, T, C string
				Allowed uint32
				Reason  int
			}) {
				source, target := mustContext(t, s.Policy(), g.S), mustContext(t, s.Policy(), g.T)
				class, _ := s.Policy().Class(g.C)
				reasons, allowed := s.reasons(t, &source, &target, class)
				if allowed != g.Allowed || reasons != g.Reason {
					t.Errorf("%s -> %s %s: allowed %#x reasons %d, want %#x %d", g.S, g.T, g.C, allowed, reasons, g.Allowed, g.Reason)
				}
			})
		})
	}
}
