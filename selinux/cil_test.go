// SPDX-License-Identifier: Apache-2.0

package selinux

import (
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"dialtone/selinux/internal/policydb"
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
	return newServer(t, p)
}

// sampleRanges are some ranges, valid or not, made from the policy's own sensitivities and categories.
func sampleRanges(p *Policy) []string {
	if !p.MLS() {
		return []string{""}
	}
	var levels []string
	for _, s := range p.db.Sensitivities {
		levels = append(levels, s.Name, s.Name+":"+p.db.Categories[0])
		if !s.Categories.Empty() {
			levels = append(levels, p.db.FormatLevel(&policydb.Level{Sensitivity: p.db.SensitivityValues[s.Name], Categories: s.Categories}))
		}
	}
	var ranges []string
	for _, l := range levels {
		ranges = append(ranges, ":"+l)
	}
	last := levels[len(levels)-1]
	return append(ranges, ":"+levels[0]+"-"+last, ":"+levels[1]+"-"+last)
}

// sampleContexts are all combinations of user, role, type and sample ranges that the policy accepts.
func sampleContexts(p *Policy) []string {
	var all []string
	for _, u := range p.db.Users {
		for _, r := range p.db.Roles {
			for _, ty := range p.db.Types {
				for _, rg := range sampleRanges(p) {
					text := u.Name + ":" + r.Name + ":" + ty.Name + rg
					if _, err := p.ParseContext(text); err == nil {
						all = append(all, text)
					}
				}
			}
		}
	}
	slices.Sort(all)
	return all
}

// answers are all that a server says on a pair of contexts and a class, as texts, so that two policies that number
// their symbols differently can be compared.
type answers struct {
	AccessVector
	transition, member, change string
}

func (s *Server) allAnswers(source, target string, class ClassValue) answers {
	a, _ := s.policy.ParseContext(source)
	b, _ := s.policy.ParseContext(target)
	text := func(c Context, err error) string {
		if err != nil {
			return "invalid"
		}
		return s.policy.FormatContext(&c)
	}
	return answers{
		s.ComputeAV(&a, &b, class), text(s.Transition(&a, &b, class)), text(s.Member(&a, &b, class)),
		text(s.Change(&a, &b, class)),
	}
}

// sameAnswers compares two servers for every class on about n questions, from a sample of all contexts to all.
func sameAnswers(t *testing.T, ours, theirs *Server, n int) {
	t.Helper()
	contexts := sampleContexts(theirs.policy)
	if other := sampleContexts(ours.policy); !slices.Equal(other, contexts) {
		t.Fatalf("%d valid contexts, want %d", len(other), len(contexts))
	}
	step := 1 + len(contexts)*len(contexts)*len(theirs.policy.db.Classes)/n
	asked := 0
	for name, value := range theirs.policy.db.ClassValues {
		class := ClassValue(value)
		if other, _ := ours.policy.Class(name); other != class {
			t.Fatalf("class %s is %d, want %d", name, other, class)
		}
		for i := asked % step; i < len(contexts); i += step {
			for j := range contexts {
				asked++
				got, want := ours.allAnswers(contexts[i], contexts[j], class), theirs.allAnswers(contexts[i], contexts[j], class)
				if got != want {
					t.Fatalf("%s -> %s %s: %+v, want %+v", contexts[i], contexts[j], name, got, want)
				}
			}
		}
	}
	t.Logf("%d contexts, %d questions", len(contexts), asked)
}

// sameLabels compares two servers on the labels of objects.
func sameLabels(t *testing.T, ours, theirs *Server) {
	t.Helper()
	text := func(s *Server, sid SID) string {
		context, err := s.SIDToContext(sid)
		if err != nil {
			return err.Error()
		}
		return context
	}
	check := func(what string, label func(*Server) SID) {
		t.Helper()
		if got, want := text(ours, label(ours)), text(theirs, label(theirs)); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	for sid := SID(1); sid <= initialLast; sid++ {
		check("initial SID", func(*Server) SID { return sid })
	}
	for _, proto := range []int{6, 17, 33, 132, 262} {
		for port := range 1 << 16 {
			check("port", func(s *Server) SID { return s.PortSID(proto, uint16(port)) })
		}
	}
	for _, a := range []string{"10.1.2.3", "10.1.2.4", "10.2.0.1", "192.0.2.1", "fd00::1", "fd00::2", "::1", "::ffff:10.1.2.3"} {
		check("node "+a, func(s *Server) SID { return s.NodeSID(netip.MustParseAddr(a)) })
	}
	for _, name := range []string{"lo", "eth0", "eth1"} {
		check("netif "+name, func(s *Server) SID { sid, _ := s.NetifSID(name); return sid })
		check("netif message "+name, func(s *Server) SID { _, sid := s.NetifSID(name); return sid })
	}
}

func compareAll(t *testing.T, ours, theirs *Server) {
	t.Helper()
	if x, y := ours.policy, theirs.policy; x.MLS() != y.MLS() || x.HandleUnknown() != y.HandleUnknown() ||
		!reflect.DeepEqual(x.Booleans(), y.Booleans()) || !x.db.Capabilities.Equal(y.db.Capabilities) {
		t.Error("the policies differ in MLS, handle_unknown, booleans or capabilities")
	}
	for name := range theirs.policy.db.TypeValues {
		a, b := ours.policy.db.TypeValues[name], theirs.policy.db.TypeValues[name]
		if ours.policy.db.Permissive.Has(a) != theirs.policy.db.Permissive.Has(b) {
			t.Errorf("%s is permissive in one policy only", name)
		}
	}
	sameLabels(t, ours, theirs)
	var names []string
	for name := range theirs.policy.Booleans() {
		names = append(names, name)
	}
	for states := range 1 << len(names) {
		set := map[string]bool{}
		for i, name := range names {
			set[name] = states>>i&1 != 0
		}
		for _, s := range []*Server{ours, theirs} {
			if err := s.SetBooleans(set); err != nil {
				t.Fatal(err)
			}
		}
		sameAnswers(t, ours, theirs, 100_000>>len(names))
	}
}

// secilc 3.4 made the binaries from the texts, that of lab.cil with -N since it goes beyond its bounds.
func TestCompileCILAnswersAsSecilc(t *testing.T) {
	for _, name := range []string{"testdata/lab", "defaultpolicy/default"} {
		t.Run(name, func(t *testing.T) {
			compareAll(t, compileServer(t, name+".cil"), loadServer(t, readFile(t, name+".33")))
		})
	}
}

func TestCompileCILAnswersAsSecilcShared(t *testing.T) {
	for _, name := range []string{"proxy-mls", "proxy-nomls"} {
		t.Run(name, func(t *testing.T) {
			compareAll(t, compileServer(t, shared(t, name+".cil")), loadServer(t, readShared(t, name+".33")))
		})
	}
}
