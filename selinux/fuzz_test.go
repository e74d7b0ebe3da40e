// SPDX-License-Identifier: Apache-2.0

package selinux

import (
	"errors"
	"net/netip"
	"testing"
)

// exercise asks a policy, which may be a hostile one, what a host would, and gives how many questions that were.
func exercise(p *Policy) int {
	s, err := NewServer(p)
	if err != nil {
		return 0 // it may lack what every server needs
	}
	s.Audit = func(r Record) { _ = r.String() }
	sids := []SID{InitialKernel, s.PortSID(6, 80), s.NodeSID(netip.MustParseAddr("10.1.2.3"))}
	netif, message := s.NetifSID("lo")
	sids = append(sids, netif, message)
	for name := range p.Booleans() {
		if err := s.SetBooleans(map[string]bool{name: true}); err != nil {
			panic(err)
		}
	}
	n := 0
	for _, a := range sids {
		for _, b := range sids {
			for _, class := range []Class{ClassTCPSocket, ClassProcess, ClassNode, ClassUDPSocket, ClassPeer} {
				n++
				if s.HasPerm(a, b, class, SocketNameConnect, &AuditData{PID: 1}) {
					continue
				}
				e := s.ExplainPerm(a, b, class, 1)
				_ = e.String()
				sid, err := s.TransitionSID(a, b, class)
				if err != nil {
					continue
				}
				if text, err := s.SIDToContext(sid); err != nil || text == "" {
					panic("a SID without a context")
				}
			}
		}
	}
	return n
}

func FuzzParse(f *testing.F) {
	f.Add(readFile(f, "testdata/lab.33"))
	f.Add(readFile(f, "testdata/lab.30"))
	f.Add(readFile(f, "testdata/full.33"))
	f.Add(readFile(f, "testdata/conf.33"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Parse(data)
		if err != nil {
			var pe *ParseError
			if !errors.As(err, &pe) || pe.Section == "" || pe.Offset < 0 || pe.Offset > len(data) {
				t.Fatalf("an error without section and offset: %v", err)
			}
			return
		}
		exercise(p)
	})
}

func FuzzCompileCIL(f *testing.F) {
	f.Add(readFile(f, "testdata/lab.cil"))
	f.Add([]byte("(type a) (allow a self (process (fork)))"))
	f.Add([]byte("(block b (type a))"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := CompileCIL("fuzz.cil", text)
		if err == nil {
			exercise(p)
		}
	})
}

func FuzzParseContext(f *testing.F) {
	p, err := Parse(readFile(f, "testdata/lab.33"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add("alice:user_r:shell_t:internal:red-secret:red.blue,white")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := p.ParseContext(text)
		if err != nil {
			return
		}
		canonical := p.FormatContext(&c)
		d, err := p.ParseContext(canonical)
		if err != nil || p.FormatContext(&d) != canonical {
			t.Errorf("%q is %q, which is %q (%v)", text, canonical, p.FormatContext(&d), err)
		}
	})
}
