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

// checkAudited compares what explanations say on auditing with the access vector.
func (s *Server) checkAudited(t *testing.T, source, target *Context, class ClassValue) {
	t.Helper()
	av := s.ComputeAV(source, target, class)
	for i, name := range s.policy.db.Classes[class-1].Permissions {
		want := av.AuditDeny>>i&1 != 0
		if av.Allowed>>i&1 != 0 {
			want = av.AuditAllow>>i&1 != 0
		}
		if e := s.Explain(source, target, s.policy.ClassName(class), name); e.Audited != want {
			t.Errorf("audited %v, want %v: %s", e.Audited, want, &e)
		}
	}
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
			},
			) {
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

func TestExplain(t *testing.T) {
	for _, c := range []struct {
		name                       string
		source, target, class, per string
		booleans                   map[string]bool
		want, summary              string
	}{
		{
			"two rules allow", web, http, "tcp_socket", "name_connect", nil,
			web + " -> " + http + ` tcp_socket name_connect: allowed
  allow web_t http_port_t:tcp_socket name_connect;
  allow web_t port_type:tcp_socket name_connect; # if (web_any && !(web_mail ^ quiet)), which holds`,
			"allowed by allow web_t http_port_t:tcp_socket name_connect;",
		},
		{
			"behind booleans: the fewest to set", web, smtp, "tcp_socket", "name_connect",
			map[string]bool{"web_any": false, "quiet": true},
			web + " -> " + smtp + ` tcp_socket name_connect: denied
  boolean: the rules that would allow it are under conditions that do not hold
    allow web_t smtp_port_t:tcp_socket name_connect; # if web_mail, which does not hold
    allow web_t port_type:tcp_socket name_connect; # if (web_any && !(web_mail ^ quiet)), which does not hold
    would help: the boolean web_mail on
  dontaudit web_t port_type:tcp_socket { name_bind name_connect };
  the denial is not audited`,
			"denied: the rule is off: allow web_t smtp_port_t:tcp_socket name_connect; # if web_mail, which does not hold",
		},
		{
			"behind two booleans", web, high, "tcp_socket", "name_connect",
			map[string]bool{"web_any": false, "quiet": true},
			web + " -> " + high + ` tcp_socket name_connect: denied
  boolean: the rules that would allow it are under conditions that do not hold
    allow web_t port_type:tcp_socket name_connect; # if (web_any && !(web_mail ^ quiet)), which does not hold
    would help: the boolean web_any on and the boolean web_mail on
  dontaudit web_t port_type:tcp_socket { name_bind name_connect };
  the denial is not audited`,
			"denied: the rule is off: allow web_t port_type:tcp_socket name_connect; # if (web_any && !(web_mail ^ quiet)), which does not hold",
		},
		{
			"no rule", web, other, "tcp_socket", "name_connect", nil,
			web + " -> " + other + ` tcp_socket name_connect: denied
  no rule: no allow rule for any of 8 pairs of types and attributes
    would help: the rule allow web_t other_t:tcp_socket name_connect;`,
			"denied: no allow rule for any of 8 pairs of types and attributes",
		},
		{
			"a permissive type", loose, other, "tcp_socket", "name_connect", nil,
			loose + " -> " + other + ` tcp_socket name_connect: denied, but permissive and so granted
  no rule: no allow rule for any of 6 pairs of types and attributes
    would help: the rule allow loose_t other_t:tcp_socket name_connect;`,
			"denied, but permissive: no allow rule for any of 6 pairs of types and attributes",
		},
		{
			"a constraint and a missing role rule", shell, "bob:daemon_r:mail_t:public", "process", "transition", nil,
			shell + ` -> bob:daemon_r:mail_t:public process transition: denied
  allow shell_t domain:process { transition sigchld dyntransition };
  constraint: constraint 1 of the class is not met
    constrain process { transition } ((u1 == u2) or ((r1 == admin_r) and (t2 != server)));
    (u1 == u2) is false: u1 is alice, u2 is bob
    (r1 == admin_r) is false: r1 is user_r
    (t2 != server) is false: t2 is mail_t
    would help: contexts for which ((u1 == u2) or ((r1 == admin_r) and (t2 != server)))
  role: no role rule allow user_r daemon_r;
    would help: the role rule allow user_r daemon_r;`,
			"denied: constrain process { transition } ((u1 == u2) or ((r1 == admin_r) and (t2 != server))); fails: " +
				"(u1 == u2) is false: u1 is alice, u2 is bob; (r1 == admin_r) is false: r1 is user_r; (t2 != server) is false: t2 is mail_t",
		},
		{
			"a negated term of a constraint", web, shell, "unix_stream_socket", "connectto", nil,
			web + " -> " + shell + ` unix_stream_socket connectto: denied
  allow domain domain:unix_stream_socket connectto;
  constraint: constraint 1 of the class is not met
    constrain unix_stream_socket { connectto } ((r1 == r2) or not ((t1 == t2) or (u1 != alice)));
    (r1 == r2) is false: r1 is daemon_r, r2 is user_r
    (u1 != alice) is true: u1 is system
    would help: contexts for which ((r1 == r2) or not ((t1 == t2) or (u1 != alice)))`,
			"denied: constrain unix_stream_socket { connectto } ((r1 == r2) or not ((t1 == t2) or (u1 != alice))); fails: " +
				"(r1 == r2) is false: r1 is daemon_r, r2 is user_r; (u1 != alice) is true: u1 is system",
		},
		{
			"auditallow", shell, smtp, "tcp_socket", "name_connect", nil,
			shell + " -> " + smtp + ` tcp_socket name_connect: allowed
  allow shell_t everything:tcp_socket { name_connect connectto };
  auditallow shell_t smtp_port_t:tcp_socket name_connect;`,
			"allowed by allow shell_t everything:tcp_socket { name_connect connectto };",
		},
		{
			"an unknown permission", web, http, "tcp_socket", "frob", nil,
			web + " -> " + http + ` tcp_socket frob: allowed
  the policy does not know it, and handle_unknown is allow`,
			"allowed: unknown to the policy, and handle_unknown is allow",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _ := lab(t)
			if err := s.SetBooleans(c.booleans); err != nil {
				t.Fatal(err)
			}
			source, target := mustContext(t, s.Policy(), c.source), mustContext(t, s.Policy(), c.target)
			e := s.Explain(&source, &target, c.class, c.per)
			if got := e.String(); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
			if got := e.Summary(); got != c.summary {
				t.Errorf("got\n%s\nwant\n%s", got, c.summary)
			}
		})
	}
}

// Explanations say what the decisions are, for all pairs of some contexts and under all booleans.
func TestExplainAgreesWithDecisions(t *testing.T) {
	s, _ := lab(t)
	contexts := sampleContexts(s.Policy())
	n := 0
	for states := range 8 {
		if err := s.SetBooleans(map[string]bool{"web_mail": states&1 != 0, "web_any": states&2 != 0, "quiet": states&4 != 0}); err != nil {
			t.Fatal(err)
		}
		for i := states; i < len(contexts); i += 127 {
			for j := 0; j < len(contexts); j += 37 {
				source, target := mustContext(t, s.Policy(), contexts[i]), mustContext(t, s.Policy(), contexts[j])
				for class := ClassValue(1); int(class) <= len(s.policy.db.Classes); class++ {
					n++
					_, allowed := s.reasons(t, &source, &target, class)
					s.checkAudited(t, &source, &target, class)
					if av := s.ComputeAV(&source, &target, class); allowed != av.Allowed {
						t.Fatalf("%s -> %s %s: explained %#x, computed %#x", contexts[i], contexts[j], s.policy.ClassName(class), allowed, av.Allowed)
					}
				}
			}
		}
	}
	t.Logf("%d vectors", n)
}
