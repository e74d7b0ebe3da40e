// SPDX-License-Identifier: Apache-2.0

package selinux

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func compileServer(t testing.TB, path string) *Server {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p, err := CompileCIL(filepath.Base(path), text)
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewServer(p)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// allContexts are all combinations of user, role, type and some ranges that the policy accepts.
func allContexts(p *Policy) []string {
	ranges := []string{""}
	if p.MLS() {
		ranges = []string{":s0", ":s1:c0,c2", ":s0-s2:c0.c3", ":s2:c1.c3", ":s0:c1-s1:c0.c2"}
	}
	var all []string
	for u := range p.db.UserValues {
		for r := range p.db.RoleValues {
			for ty := range p.db.TypeValues {
				for _, rg := range ranges {
					if c := u + ":" + r + ":" + ty + rg; valid(p, c) {
						all = append(all, c)
					}
				}
			}
		}
	}
	return all
}

func valid(p *Policy, c string) bool { _, err := p.ParseContext(c); return err == nil }

// sameAnswers compares two servers on all that can be asked with the contexts of the first.
func sameAnswers(t *testing.T, a, b *Server) {
	t.Helper()
	contexts := allContexts(a.Policy())
	if other := allContexts(b.Policy()); len(other) != len(contexts) {
		t.Fatalf("%d valid contexts, want %d", len(contexts), len(other))
	}
	t.Logf("%d contexts", len(contexts))
	text := func(p *Policy, c Context, err error) string {
		if err != nil {
			return "invalid"
		}
		return p.FormatContext(&c)
	}
	type pair struct{ a, b Context }
	pairs := make([]pair, len(contexts))
	for i, c := range contexts {
		pairs[i] = pair{mustContext(t, a.Policy(), c), mustContext(t, b.Policy(), c)}
		if x, y := a.Policy().FormatContext(&pairs[i].a), b.Policy().FormatContext(&pairs[i].b); x != y {
			t.Errorf("%s is %s and %s", c, x, y)
		}
	}
	for name, value := range a.Policy().db.ClassValues {
		class := ClassValue(value)
		if other, _ := b.Policy().Class(name); other != class {
			t.Fatalf("class %s is %d and %d", name, class, other)
		}
		for i := range pairs {
			for j := range pairs {
				s, u := &pairs[i], &pairs[j]
				if x, y := a.ComputeAV(&s.a, &u.a, class), b.ComputeAV(&s.b, &u.b, class); x != y {
					t.Fatalf("%s -> %s %s: %#x and %#x", contexts[i], contexts[j], name, x, y)
				}
				ca, errA := a.Transition(&s.a, &u.a, class)
				cb, errB := b.Transition(&s.b, &u.b, class)
				if x, y := text(a.Policy(), ca, errA), text(b.Policy(), cb, errB); x != y {
					t.Fatalf("transition %s -> %s %s: %s and %s", contexts[i], contexts[j], name, x, y)
				}
			}
		}
	}
}

func TestCompileCILAnswersAsSecilc(t *testing.T) {
	for _, name := range []string{"proxy-mls", "proxy-nomls"} {
		t.Run(name, func(t *testing.T) {
			ours := compileServer(t, shared(t, name+".cil"))
			theirs := loadServer(t, fixture(t, name+".33"))
			sameAnswers(t, ours, theirs)
			_ = strings.TrimSpace
		})
	}
}
