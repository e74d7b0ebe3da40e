// SPDX-License-Identifier: Apache-2.0

package selinux

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// shared gives the path of a file made by others' engines, which lies beside the module and not in it.
func shared(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join("..", "..", "shared", "mac", name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the golden answers are not beside the module: %v", err)
	}
	return path
}

func readShared(t testing.TB, name string) []byte { return readFile(t, shared(t, name)) }

// eachLine decodes each line of a golden file and fails the test if there are fewer than want.
func eachLine[T any](t *testing.T, path string, want int, f func(T)) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	n := 0
	for sc := bufio.NewScanner(file); sc.Scan(); n++ {
		var v T
		if err := json.Unmarshal(sc.Bytes(), &v); err != nil {
			t.Fatalf("%s: line %d: %v", path, n+1, err)
		}
		f(v)
	}
	if n < want {
		t.Errorf("%s: %d lines, want at least %d", path, n, want)
	}
}

func mustContext(t testing.TB, p *Policy, text string) Context {
	t.Helper()
	c, err := p.ParseContext(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

type goldenAV struct {
	S, T, C                        string
	ClassValue                     ClassValue `json:"class_value"`
	Allowed, AuditAllow, AuditDeny uint32
	Perms                          []string
}

func checkAV(t *testing.T, s *Server, g goldenAV) {
	t.Helper()
	p := s.Policy()
	class, ok := p.Class(g.C)
	if !ok || g.ClassValue != 0 && class != g.ClassValue {
		t.Fatalf("class %s has the number %d, want %d", g.C, class, g.ClassValue)
	}
	source, target := mustContext(t, p, g.S), mustContext(t, p, g.T)
	got := s.ComputeAV(&source, &target, class)
	if want := (AccessVector{g.Allowed, g.AuditAllow, g.AuditDeny}); got != want {
		t.Errorf("%s -> %s %s: %#x, want %#x", g.S, g.T, g.C, got, want)
	}
	if names := strings.Join(p.PermissionNames(class, got.Allowed), " "); names != strings.Join(g.Perms, " ") {
		t.Errorf("%s -> %s %s: permissions %s, want %s", g.S, g.T, g.C, names, g.Perms)
	}
}

func TestGoldenAccessVectors(t *testing.T) {
	for _, f := range []struct {
		policy, golden string
		lines          int
	}{
		{"debian-default.33", "av.jsonl", 5000},
		{"proxy-nomls.33", "golden-proxy-nomls.jsonl", 2000},
	} {
		t.Run(f.golden, func(t *testing.T) {
			s := loadServer(t, readShared(t, f.policy))
			eachLine(t, shared(t, f.golden), f.lines, func(g goldenAV) { checkAV(t, s, g) })
		})
	}
}

func TestGoldenContexts(t *testing.T) {
	for _, f := range []struct {
		policy, golden string
		lines          int
	}{
		{"debian-default.33", "contexts.jsonl", 1000},
		{"proxy-nomls.33", "golden-proxy-nomls-contexts.jsonl", 300},
	} {
		t.Run(f.golden, func(t *testing.T) {
			p := loadServer(t, readShared(t, f.policy)).Policy()
			eachLine(t, shared(t, f.golden), f.lines, func(g struct {
				Context, Canonical string
				Valid              bool
			},
			) {
				c, err := p.ParseContext(g.Context)
				if (err == nil) != g.Valid {
					t.Errorf("%s: valid %v, want %v (%v)", g.Context, err == nil, g.Valid, err)
				}
				if err == nil && p.FormatContext(&c) != g.Canonical {
					t.Errorf("%s: canonical %s, want %s", g.Context, p.FormatContext(&c), g.Canonical)
				}
			})
		})
	}
}

func TestGoldenPorts(t *testing.T) {
	for _, f := range []struct {
		policy, golden string
		lines          int
	}{
		{"debian-default.33", "ports.jsonl", 200},
		{"proxy-nomls.33", "golden-proxy-nomls-ports.jsonl", 150},
	} {
		t.Run(f.golden, func(t *testing.T) {
			s := loadServer(t, readShared(t, f.policy))
			eachLine(t, shared(t, f.golden), f.lines, func(g struct {
				Proto          int
				Port           uint16
				InitialSIDPort bool `json:"initial_sid_port"`
				Context        string
			},
			) {
				sid := s.PortSID(g.Proto, g.Port)
				if got, _ := s.SIDToContext(sid); got != g.Context || (sid == InitialPort) != g.InitialSIDPort {
					t.Errorf("%d/%d: SID %d %s, want %s", g.Proto, g.Port, sid, got, g.Context)
				}
			})
		})
	}
}

func TestGoldenTransitions(t *testing.T) {
	for _, f := range []struct {
		policy, golden string
		lines          int
	}{
		{"debian-default.33", "transitions.jsonl", 1000},
		{"proxy-nomls.33", "golden-proxy-nomls-transitions.jsonl", 300},
	} {
		t.Run(f.golden, func(t *testing.T) {
			s := loadServer(t, readShared(t, f.policy))
			eachLine(t, shared(t, f.golden), f.lines, func(g struct{ S, T, C, Transition, Member, Change string }) {
				source, target := mustContext(t, s.Policy(), g.S), mustContext(t, s.Policy(), g.T)
				class, _ := s.Policy().Class(g.C)
				for _, q := range []struct {
					what, want string
					f          func(_, _ *Context, _ ClassValue) (Context, error)
				}{
					{"transition", g.Transition, s.Transition}, {"member", g.Member, s.Member}, {"change", g.Change, s.Change},
				} {
					got := ""
					if c, err := q.f(&source, &target, class); err == nil {
						got = s.Policy().FormatContext(&c)
					}
					if got != q.want {
						t.Errorf("%s of %s -> %s %s: %q, want %q", q.what, g.S, g.T, g.C, got, q.want)
					}
				}
			})
		})
	}
}

func TestGoldenSocketLabels(t *testing.T) {
	servers := map[string]*Server{}
	eachLine(t, shared(t, "socket-labels.jsonl"), 118, func(g struct{ Policy, Process, Class, Socket string }) {
		s := servers[g.Policy]
		if s == nil {
			s = loadServer(t, readShared(t, g.Policy))
			servers[g.Policy] = s
		}
		process := mustContext(t, s.Policy(), g.Process)
		class, ok := s.Policy().Class(g.Class)
		if !ok {
			t.Fatalf("no class %s", g.Class)
		}
		c, err := s.SocketContext(&process, class)
		if got := s.Policy().FormatContext(&c); err != nil || got != g.Socket {
			t.Errorf("%s %s: %s %v, want %s", g.Process, g.Class, got, err, g.Socket)
		}
	})
}
