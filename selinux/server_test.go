// SPDX-License-Identifier: Apache-2.0

package selinux

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
)

func compile(t testing.TB, text string) *Policy {
	t.Helper()
	p, err := CompileCIL("test.cil", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Initial SIDs have their classic numbers, others follow from 28 in order of first use, and a context has one SID.
func TestSIDs(t *testing.T) {
	s, _ := lab(t)
	for sid, want := range map[SID]string{
		InitialKernel: kernel, InitialUnlabeled: other, InitialAnySocket: "system:object_r:any_t:public",
		InitialPort: "system:object_r:port_t:public", InitialNode: "system:object_r:node_t:public",
	} {
		if got, err := s.SIDToContext(sid); got != want || err != nil {
			t.Errorf("SID %d: %s %v, want %s", sid, got, err, want)
		}
	}
	// Several initial SIDs have the context of "unlabeled": it stands for the lowest of them.
	for i, c := range []struct {
		context string
		want    SID
	}{{web, 28}, {shell, 29}, {web, 28}, {kernel, InitialKernel}, {other, InitialSecurity}, {http, 30}} {
		if got := mustSID(t, s, c.context); got != c.want {
			t.Errorf("%d: SID of %s is %d, want %d", i, c.context, got, c.want)
		}
	}
	for _, sid := range []SID{SIDNull, SIDWild, 13, 27, 31} {
		if text, err := s.SIDToContext(sid); err == nil || s.KnownSID(sid) {
			t.Errorf("SID %d is %s", sid, text)
		}
	}
	if sid, err := s.ContextToSID("alice:daemon_r:web_t:public"); err == nil || sid != SIDNull ||
		!strings.Contains(err.Error(), "the user may not have this role") {
		t.Errorf("%d %v", sid, err)
	}
}

func TestParseContextErrors(t *testing.T) {
	s, _ := lab(t)
	for text, want := range map[string]string{
		"system":                                       "not of the form user:role:type",
		"nobody:daemon_r:web_t:public":                 `the policy has no user "nobody"`,
		"system:no_r:web_t:public":                     `the policy has no role "no_r"`,
		"system:daemon_r:domain:public":                `the policy has no type "domain"`,
		"system:daemon_r:web_t":                        "the policy has MLS, so a range must follow",
		"system:daemon_r:web_t:top":                    `the policy has no sensitivity "top"`,
		"system:daemon_r:web_t:public:x":               `the policy has no category "x"`,
		"system:daemon_r:web_t:secret:blue.red":        `the categories "blue.red" do not rise`,
		"system:daemon_r:web_t:public:blue":            "the level is unknown, or has categories that do not go with its sensitivity",
		"system:daemon_r:web_t:secret-public":          "the high level does not dominate the low one",
		"alice:user_r:shell_t:public":                  "the range is outside the user's",
		"system:daemon_r:shell_t:public":               "the role may not have this type",
		"system:daemon_r:web_t:public:red,":            `the policy has no category ""`,
		"system:daemon_r:web_t:public-secret-internal": `the policy has no sensitivity "secret-internal"`,
	} {
		if _, err := s.Policy().ParseContext(text); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// A new policy keeps the SIDs. What it does not accept counts as unlabeled, until a later policy accepts it again
// (sidtab_convert in the kernel).
func TestLoadKeepsSIDs(t *testing.T) {
	s, _ := lab(t)
	first := s.Policy()
	a, b := mustSID(t, s, web), mustSID(t, s, shell)
	if err := s.SetBooleans(map[string]bool{"web_any": false}); err != nil {
		t.Fatal(err)
	}
	text := string(readFile(t, "testdata/lab.cil"))
	without := compile(t, strings.Replace(text, "(userrole alice user_r)", "", 1))
	if err := s.Load(without); err != nil {
		t.Fatal(err)
	}
	if c, _ := s.SIDToContext(a); c != web {
		t.Errorf("SID %d is now %s", a, c)
	}
	if c, _ := s.SIDToContext(b); c != other || !s.KnownSID(b) {
		t.Errorf("SID %d, which is not valid now, is %s", b, c)
	}
	if _, err := s.ContextToSID(shell); err == nil {
		t.Error("an invalid context has a SID")
	}
	audited := ""
	s.Audit = func(r Record) { audited = r.String() }
	s.HasPerm(b, a, ClassTCPSocket, SocketListen, nil)
	if want := "avc:  denied  { listen } for  scontext=" + other + " tcontext=" + web +
		` tclass=tcp_socket permissive=0 srawcon="` + shell + `"`; audited != want {
		t.Errorf("audited %s, want %s", audited, want)
	}
	if on, ok := s.Boolean("web_any"); on || !ok {
		t.Error("the boolean lost its state")
	}
	if err := s.Load(first); err != nil {
		t.Fatal(err)
	}
	if c, _ := s.SIDToContext(b); c != shell {
		t.Errorf("SID %d is %s after the first policy came back", b, c)
	}
}

// A policy that cannot be loaded changes nothing.
func TestLoadFails(t *testing.T) {
	s, _ := lab(t)
	a := mustSID(t, s, web)
	if err := s.LabelPorts(6, 1, 1, "alice:object_r:host_t:public"); err != nil {
		t.Fatal(err)
	}
	text := string(readFile(t, "testdata/lab.cil"))
	for want, p := range map[string]*Policy{
		"the initial SID unlabeled": compile(t, strings.Replace(text, "(sidcontext unlabeled other)", "", 1)),
		`no user "alice"`:           compile(t, cilBase),
	} {
		if err := s.Load(p); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if !s.HasPerm(a, mustSID(t, s, http), ClassTCPSocket, SocketNameConnect, nil) {
		t.Error("the old policy does not answer any more")
	}
	if err := s.SetBooleans(map[string]bool{"web_any": false, "none": true}); err == nil {
		t.Error("an unknown boolean was set")
	}
	if on, _ := s.Boolean("web_any"); !on {
		t.Error("a boolean was set beside an unknown one")
	}
}

// A host's own labels come before the policy's, the latest first.
func TestLabels(t *testing.T) {
	s, _ := lab(t)
	text := func(sid SID) string { c, _ := s.SIDToContext(sid); return c }
	if got := text(s.PortSID(6, 80)); got != http {
		t.Errorf("port 80 is %s", got)
	}
	for _, err := range []error{
		s.LabelPorts(6, 80, 90, smtp), s.LabelPorts(6, 80, 80, high),
		s.LabelNode(netip.MustParsePrefix("10.1.2.3/32"), web), s.LabelNode(netip.MustParsePrefix("fd00::/16"), http),
		s.LabelNetif("lo", web, smtp),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	netif, message := s.NetifSID("lo")
	for i, c := range []struct {
		got  SID
		want string
	}{
		{s.PortSID(6, 80), high},
		{s.PortSID(6, 81), smtp},
		{s.PortSID(17, 80), high},
		{s.PortSID(262, 81), smtp},
		{s.PortSID(17, 81), "system:object_r:port_t:public"}, // no rule: the initial SID's
		{s.NodeSID(netip.MustParseAddr("10.1.2.3")), web},
		{s.NodeSID(netip.MustParseAddr("10.1.2.4")), "system:object_r:node_t:public-secret:red.white"},
		{s.NodeSID(netip.MustParseAddr("fd00::1%eth0")), http},
		{s.NodeSID(netip.Addr{}), "system:object_r:node_t:public"},
		{netif, web},
		{message, smtp},
	} {
		if got := text(c.got); got != c.want {
			t.Errorf("%d: %s, want %s", i, got, c.want)
		}
	}
	for _, err := range []error{
		s.LabelPorts(6, 2, 1, http), s.LabelPorts(6, 1, 1, "no"), s.LabelNode(netip.Prefix{}, http),
		s.LabelNode(netip.MustParsePrefix("::/0"), "no"), s.LabelNetif("lo", http, "no"),
	} {
		if err == nil {
			t.Error("a bad label was taken")
		}
	}
}

// A socket has its maker's label, by the kernel's rule for classes whose names end in "socket", but for transitions.
func TestSocketSIDs(t *testing.T) {
	s, _ := lab(t)
	process := mustSID(t, s, shell)
	for class, want := range map[Class]string{
		ClassTCPSocket: shell,
		ClassUDPSocket: "alice:user_r:other_t:internal", // typetransition; the role may not have that type
		ClassNode:      "alice:object_r:shell_t:internal",
	} {
		sid, err := s.TransitionSID(process, process, class)
		var invalid *InvalidContextError
		if class == ClassUDPSocket {
			if !errors.As(err, &invalid) || invalid.Context != want {
				t.Errorf("%s: %v", class, err)
			}
			s.SetEnforcing(false)
			sid, err = s.TransitionSID(process, process, class)
			s.SetEnforcing(true)
		}
		if got, _ := s.SIDToContext(sid); err != nil || got != want {
			t.Errorf("%s: %s %v, want %s", class, got, err, want)
		}
	}
	// The rule under a condition, and its other branch.
	a, b := mustSID(t, s, web), mustSID(t, s, http)
	for _, c := range []struct {
		on   bool
		want string
	}{{true, "system:daemon_r:other_t:public"}, {false, "system:daemon_r:any_t:public"}} {
		if err := s.SetBooleans(map[string]bool{"web_any": c.on}); err != nil {
			t.Fatal(err)
		}
		s.SetEnforcing(false) // the role may not have these types
		sid, err := s.TransitionSID(a, b, ClassTCPSocket)
		if got, _ := s.SIDToContext(sid); err != nil || got != c.want {
			t.Errorf("%s %v, want %s", got, err, c.want)
		}
	}
	for name, f := range map[string]func(SID, SID, Class) (SID, error){"member": s.MemberSID, "change": s.ChangeSID} {
		sid, err := f(a, b, ClassNode)
		if got, _ := s.SIDToContext(sid); err != nil || got != http {
			t.Errorf("%s: %s %v", name, got, err)
		}
	}
}

// part_t is bounded by half_t, which is itself cut down by its bounds shell_t (type_attribute_bounds_av in the
// kernel; libsepol 3.4 crashes on it).
func TestNestedBounds(t *testing.T) {
	s, _ := lab(t)
	source, target := mustSID(t, s, "bob:user_r:part_t:public"), mustSID(t, s, http)
	if !s.HasPerm(source, target, ClassTCPSocket, SocketNameConnect, nil) {
		t.Error("what all bounding types may is denied")
	}
	if s.HasPerm(source, target, ClassTCPSocket, SocketNameBind, nil) {
		t.Error("what the outermost bounding type may not is allowed")
	}
	e := s.ExplainPerm(source, target, ClassTCPSocket, SocketNameBind)
	want := `bob:user_r:part_t:public -> system:object_r:http_port_t:public tcp_socket name_bind: denied
  allow part_t http_port_t:tcp_socket { name_bind name_connect };
  bounds: type part_t is bounded by half_t, which may not
    bob:user_r:half_t:public -> system:object_r:http_port_t:public tcp_socket name_bind: denied
      allow half_t port_type:tcp_socket { name_bind name_connect };
      bounds: type half_t is bounded by shell_t, which may not
        bob:user_r:shell_t:public -> system:object_r:http_port_t:public tcp_socket name_bind: denied
          no rule: no allow rule for any of 9 pairs of types and attributes
            would help: the rule allow shell_t http_port_t:tcp_socket name_bind;
        would help: the same permission for the bounding type
    would help: the same permission for the bounding type`
	if got := e.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// (defaultrange node glblub) gives no label where the ranges share no sensitivity (mls_context_glblub in the kernel).
func TestNoCommonRange(t *testing.T) {
	s, _ := lab(t)
	s.SetEnforcing(false)
	low, high := mustSID(t, s, web), mustSID(t, s, "alice:user_r:shell_t:internal-secret:red")
	if sid, err := s.TransitionSID(high, low, ClassNode); err == nil {
		c, _ := s.SIDToContext(sid)
		t.Errorf("a label between ranges that do not meet: %s", c)
	}
	both := mustSID(t, s, kernel)
	sid, err := s.TransitionSID(high, both, ClassNode)
	if c, _ := s.SIDToContext(sid); err != nil || c != "alice:object_r:kernel_t:internal-secret:red" {
		t.Errorf("%s %v", c, err)
	}
}

func TestNetifWildcard(t *testing.T) {
	text := string(readFile(t, "testdata/lab.cil"))
	text = strings.Replace(text, "(netifcon eth0 ", "(netifcon eth* ", 1)
	for _, c := range []struct {
		capability, name string
		matches          bool
	}{
		{"", "eth7", false}, {"", "eth*", true}, {"(policycap netif_wildcard)", "eth7", true}, {"(policycap netif_wildcard)", "wlan0", false},
	} {
		s := newServer(t, compile(t, text+c.capability))
		if netif, message := s.NetifSID(c.name); (netif != InitialNetif) != c.matches || message == SIDNull {
			t.Errorf("%q %s: SIDs %d %d", c.capability, c.name, netif, message)
		}
	}
}

// A socket made for a connection has the range of the client, where the listener's user may have it.
func TestMLSCopySID(t *testing.T) {
	s, _ := lab(t)
	for _, c := range []struct{ listener, client, want string }{
		{web, shell, "system:daemon_r:web_t:internal"},
		{web, web, web},
		{"bob:user_r:half_t:public", shell, ""}, // outside bob's clearance
	} {
		for range 2 { // computed, and remembered
			sid, err := s.MLSCopySID(mustSID(t, s, c.listener), mustSID(t, s, c.client))
			if got, _ := s.SIDToContext(sid); got != c.want || (err != nil) != (c.want == "") {
				t.Errorf("%s with the range of %s: %q %v, want %q", c.listener, c.client, got, err, c.want)
			}
		}
	}
	plain := newServer(t, compile(t, strings.Replace(cilBase, "(mls true)", "(mls false)", 1)))
	a, b := mustSID(t, plain, "u:r:a_t"), mustSID(t, plain, "u:object_r:b_t")
	if got, err := plain.MLSCopySID(a, b); got != a || err != nil {
		t.Errorf("without MLS: %d %v, want %d", got, err, a)
	}
}

// Servers share a policy without touching it: run with -race.
func TestServersShareAPolicy(t *testing.T) {
	p, err := Parse(readFile(t, "testdata/lab.33"))
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan int)
	for range 4 {
		go func() { asked <- exercise(p) }()
	}
	for range 4 {
		if n := <-asked; n == 0 {
			t.Error("nothing was asked")
		}
	}
}

func TestMatchWildcard(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"?", "", false},
		{"eth0", "eth0", true},
		{"eth0", "eth", false},
		{"eth*", "eth0", true},
		{"eth?", "eth10", false},
		{"e*h?0", "eth00", true},
		{"*0", "a0b0", true},
		{"a*b*c", "axbxbc", true},
		{"a*b*c", "axbxb", false},
		{"**", "x", true},
	} {
		if got := matchWildcard(c.pattern, c.name); got != c.want {
			t.Errorf("%q, %q: %v, want %v", c.pattern, c.name, got, c.want)
		}
	}
}

// A process of several threads may go to a type that its own bounds, at any remove.
func TestBounded(t *testing.T) {
	s, _ := lab(t)
	sid := func(typ string) SID { return mustSID(t, s, "alice:user_r:"+typ+":internal") }
	for _, c := range []struct {
		from, to string
		want     bool
	}{
		{"shell_t", "shell_t", true},
		{"shell_t", "half_t", true},
		{"shell_t", "part_t", true},
		{"half_t", "part_t", true},
		{"part_t", "half_t", false},
		{"half_t", "shell_t", false},
	} {
		if got := s.Bounded(sid(c.from), sid(c.to)); got != c.want {
			t.Errorf("%s to %s: %t", c.from, c.to, got)
		}
	}
}
