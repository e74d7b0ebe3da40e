// SPDX-License-Identifier: Apache-2.0

package personality

import (
	"strings"
	"testing"
)

func TestNamed_findsEachByItsName(t *testing.T) {
	seen := map[string]bool{}
	for i, name := range Names() {
		p, ok := Named(name)
		if !ok || p != All[i] || seen[name] || name != strings.ToLower(name) {
			t.Errorf("personality %d: Named(%q) is %p, %v, want %p", i, name, p, ok, All[i])
		}
		seen[name] = true
	}
	if p, ok := Named("linus"); ok || p != nil {
		t.Error("there is a personality linus")
	}
}

// A cell that nobody filled in refuses with no error: connect would return 0 and do nothing.
func TestConnectTables_haveAnAnswerForEachStateThatIsReached(t *testing.T) {
	for _, p := range All {
		inet := []State{Fresh, Listening, Connecting, Deferred, Unreported, Connected}
		if p.Stream.FailedIsDead {
			inet = append(inet, Dead)
		} else {
			inet = append(inet, Failed)
		}
		check := func(family string, table *ConnectTable, states []State) {
			for _, s := range states {
				for _, r := range []Rule{table[s].Blocking, table[s].NonBlocking} {
					says := r.Errno
					if r.Action == Examine {
						says = p.TCP.WhenDead
					}
					if r.Action != Attempt && r.Action != Succeed && says == 0 {
						t.Errorf("%s, %s, %v: action %d with errno %d", p.Name, family, s, r.Action, says)
					}
				}
			}
		}
		check("inet", &p.Stream.Inet, inet)
		check("unix", &p.Stream.Unix, []State{Fresh, Listening, Connected})
	}
}

// What one personality is made from another may change without the other noticing.
func TestPersonalities_shareNothingThatDiffers(t *testing.T) {
	if Linux.UDP.UnspecDissolves == Linux20.UDP.UnspecDissolves || FreeBSD.Stream.Inet[Dead] == BSD44.Stream.Inet[Dead] {
		t.Error("a personality has changed the one it was made from")
	}
}

// Admission never shrinks as the backlog grows, and lets at least one in.
func TestAdmits_growsWithTheBacklog(t *testing.T) {
	for _, p := range All {
		before := 0
		for n := range 200 {
			admits := p.Stream.Admits(n)
			if admits < max(before, 1) {
				t.Errorf("%s: a backlog of %d admits %d, one of %d %d", p.Name, n, admits, n-1, before)
			}
			before = admits
		}
	}
}

// An ICMP error that means something has an errno, and a soft one is about an attempt.
func TestICMPTables_areWhole(t *testing.T) {
	for _, p := range All {
		for k := range 1 << 16 {
			typ, code := uint8(k>>8), uint8(k)
			for name, table := range map[string]func(typ, code uint8) (ICMPError, bool){"ICMP": p.ICMP4, "ICMPv6": p.ICMP6} {
				m, ok := table(typ, code)
				if ok && m.Errno == 0 || m.Soft && !m.TCP {
					t.Errorf("%s, %s %d/%d: %+v, %v", p.Name, name, typ, code, m, ok)
				}
			}
		}
	}
}
