// SPDX-License-Identifier: Apache-2.0

package selinux

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// lab gives a server with testdata/lab.33 and the list of its records.
func lab(t testing.TB) (*Server, *[]Record) {
	t.Helper()
	s := loadServer(t, readFile(t, "testdata/lab.33"))
	records := &[]Record{}
	s.Audit = func(r Record) { *records = append(*records, r) }
	return s, records
}

const (
	web    = "system:daemon_r:web_t:public"
	shell  = "alice:user_r:shell_t:internal"
	loose  = "system:daemon_r:loose_t:public"
	http   = "system:object_r:http_port_t:public"
	smtp   = "system:object_r:smtp_port_t:public"
	high   = "system:object_r:high_port_t:public"
	other  = "system:object_r:other_t:public"
	kernel = "system:daemon_r:kernel_t:public-secret:red.white"
)

func TestHasPerm(t *testing.T) {
	for _, c := range []struct {
		name           string
		source, target string
		class          Class
		perms          Perm
		booleans       map[string]bool
		permissive     bool
		want           bool
		audit          string // "" if nothing is audited
	}{
		{"allowed by a rule", web, http, ClassTCPSocket, SocketNameConnect, nil, false, true, ""},
		{"allowed by a rule under a boolean", web, smtp, ClassTCPSocket, SocketNameConnect, nil, false, true, ""},
		{
			"denied without the boolean, and dontaudit", web, high, ClassTCPSocket, SocketNameConnect,
			map[string]bool{"web_any": false},
			false, false, "",
		},
		{
			"denied", web, other, ClassTCPSocket, SocketNameConnect, nil, false, false,
			"avc:  denied  { name_connect } for  scontext=" + web + " tcontext=" + other + " tclass=tcp_socket permissive=0",
		},
		{
			"only what is denied is named", web, http, ClassTCPSocket, SocketNameConnect | SocketAccept | SocketListen, nil, false, false,
			"avc:  denied  { listen accept } for  scontext=" + web + " tcontext=" + http + " tclass=tcp_socket permissive=0",
		},
		{
			"permissive mode", web, other, ClassTCPSocket, SocketNameConnect, nil, true, true,
			"avc:  denied  { name_connect } for  scontext=" + web + " tcontext=" + other + " tclass=tcp_socket permissive=1",
		},
		{
			"permissive type", loose, http, ClassTCPSocket, SocketNameConnect, nil, false, true,
			"avc:  denied  { name_connect } for  scontext=" + loose + " tcontext=" + http + " tclass=tcp_socket permissive=1",
		},
		{"dontaudit holds in permissive mode", web, other, ClassTCPSocket, SocketConnectto, nil, true, true, ""},
		{
			"auditallow", shell, smtp, ClassTCPSocket, SocketNameConnect, nil, false, true,
			"avc:  granted  { name_connect } for  scontext=" + shell + " tcontext=" + smtp + " tclass=tcp_socket",
		},
		{"unknown permission: handle_unknown allow", web, other, ClassTCPSocket, SocketRecvMsg, nil, false, true, ""},
		{"unknown class: handle_unknown allow", web, other, ClassPacket, PacketSend, nil, false, true, ""},
		{
			"constraint", "bob:user_r:half_t:public", "system:object_r:smtp_port_t:internal", ClassTCPSocket, SocketNameConnect, nil, false, false,
			"avc:  denied  { name_connect } for  scontext=bob:user_r:half_t:public tcontext=system:object_r:smtp_port_t:internal tclass=tcp_socket permissive=0",
		},
		{
			"role", shell, kernel, ClassProcess, ProcessDyntransition, nil, false, false,
			"avc:  denied  { dyntransition } for  scontext=" + shell + " tcontext=" + kernel + " tclass=process permissive=0",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, records := lab(t)
			if err := s.SetBooleans(c.booleans); err != nil {
				t.Fatal(err)
			}
			s.SetEnforcing(!c.permissive)
			source, target := mustSID(t, s, c.source), mustSID(t, s, c.target)
			if got := s.HasPerm(source, target, c.class, c.perms, nil); got != c.want {
				t.Errorf("%v, want %v: %s", got, c.want, new(s.ExplainPerm(source, target, c.class, c.perms)))
			}
			switch {
			case c.audit == "" && len(*records) != 0:
				t.Errorf("audited %s", &(*records)[0])
			case c.audit != "" && (len(*records) != 1 || (*records)[0].String() != c.audit):
				t.Errorf("audited %v, want %s", *records, c.audit)
			}
			if e := s.ExplainPerm(source, target, c.class, c.perms); c.perms&(c.perms-1) == 0 &&
				(e.Allowed || e.Permissive) != c.want || e.Audited != (c.audit != "") {
				t.Errorf("the explanation differs from the decision: %s", &e)
			}
		})
	}
}

// "reject" and "deny" for what the policy lacks (map_decision and selinux_set_mapping in the kernel).
func TestHandleUnknown(t *testing.T) {
	text := string(readFile(t, "testdata/lab.cil"))
	with := func(unknown string) *Policy {
		p, err := CompileCIL("lab.cil", []byte(strings.Replace(text, "(handleunknown allow)", "(handleunknown "+unknown+")", 1)))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if _, err := NewServer(with("reject")); err == nil || !strings.Contains(err.Error(), "the policy lacks class socket") {
		t.Errorf("reject: %v", err)
	}
	s := newServer(t, with("deny"))
	n := 0
	s.Audit = func(Record) { n++ }
	a, b := mustSID(t, s, web), mustSID(t, s, other)
	if s.HasPerm(a, b, ClassTCPSocket, SocketRecvMsg, nil) || s.HasPerm(a, b, ClassPacket, PacketSend, nil) {
		t.Error("an unknown permission or class is granted")
	}
	if n != 2 {
		t.Errorf("%d denials audited, want 2", n)
	}
	if e := s.ExplainPerm(a, b, ClassPacket, PacketSend); e.Allowed || !e.Unknown || e.Obstacles[0].Kind != ObstacleUnknown {
		t.Errorf("%s", &e)
	}
}

// A permissive denial is audited once, until the cache is flushed (AVC_CALLBACK_GRANT in the kernel).
func TestPermissiveAuditsOnce(t *testing.T) {
	s, records := lab(t)
	a, b := mustSID(t, s, loose), mustSID(t, s, other)
	ask := func(want int) {
		t.Helper()
		if !s.HasPerm(a, b, ClassTCPSocket, SocketNameConnect, nil) || len(*records) != want {
			t.Errorf("%d records, want %d", len(*records), want)
		}
	}
	ask(1)
	ask(1)
	s.SetEnforcing(true)
	ask(2)
	if err := s.SetBooleans(map[string]bool{"quiet": true}); err != nil {
		t.Fatal(err)
	}
	ask(3)
}

// The cached answers are those of a server that caches nothing, whatever is asked and changed.
func TestCacheAgainstNoCache(t *testing.T) {
	p, err := Parse(readFile(t, "testdata/lab.33"))
	if err != nil {
		t.Fatal(err)
	}
	contexts := sampleContexts(p)
	rapid.Check(t, func(t *rapid.T) {
		cached, plain := &Server{}, &Server{}
		for _, s := range []*Server{cached, plain} {
			if err := s.Load(p); err != nil {
				t.Fatal(err)
			}
		}
		hits := cached.CacheStats()
		for range rapid.IntRange(1, 300).Draw(t, "steps") {
			if rapid.IntRange(0, 40).Draw(t, "change") == 0 {
				name := rapid.SampledFrom([]string{"web_mail", "web_any", "quiet"}).Draw(t, "boolean")
				state := map[string]bool{name: rapid.Bool().Draw(t, "state")}
				if cached.SetBooleans(state) != nil || plain.SetBooleans(state) != nil {
					t.Fatal("cannot set a boolean")
				}
			}
			source := rapid.SampledFrom(contexts[:40]).Draw(t, "source")
			target := rapid.SampledFrom(contexts).Draw(t, "target")
			class := Class(rapid.IntRange(1, int(numClasses)-1).Draw(t, "class"))
			perms := Perm(1) << rapid.IntRange(0, 28).Draw(t, "perm")
			var got [2]bool
			var sids [2][2]SID
			for i, s := range []*Server{cached, plain} {
				for j, c := range []string{source, target} {
					sid, err := s.ContextToSID(c)
					if err != nil {
						t.Fatal(err)
					}
					sids[i][j] = sid
				}
				if i == 1 {
					s.flush()
				}
				got[i] = s.HasPerm(sids[i][0], sids[i][1], class, perms, nil)
			}
			if got[0] != got[1] || sids[0] != sids[1] {
				t.Fatalf("%s -> %s %s %#x: cached %v, computed %v", source, target, class, perms, got[0], got[1])
			}
		}
		after := cached.CacheStats()
		if after.Lookups != after.Hits+after.Misses || after.Lookups == hits.Lookups || plain.CacheStats().Hits != 0 {
			t.Fatalf("counters do not add up: %+v", after)
		}
	})
}

func TestCacheCountsAndReclaims(t *testing.T) {
	s, _ := lab(t)
	contexts := sampleContexts(s.Policy())
	source := mustSID(t, s, web)
	for range 2 {
		for _, c := range contexts[:600] {
			s.HasPerm(source, mustSID(t, s, c), ClassTCPSocket, SocketRead, nil)
		}
	}
	st := s.CacheStats()
	if st.Lookups != 1200 || st.Hits+st.Misses != 1200 || st.Misses < 600 || st.Reclaims < 600-cacheSets*cacheWays {
		t.Errorf("%+v", st)
	}
	s.HasPerm(source, source, ClassTCPSocket, SocketRead, nil)
	before := s.CacheStats().Hits
	s.HasPerm(source, source, ClassTCPSocket, SocketRead, nil)
	if s.CacheStats().Hits != before+1 {
		t.Error("the second question was no hit")
	}
}

func TestCacheHitAllocatesNothing(t *testing.T) {
	s, _ := lab(t)
	a, b := mustSID(t, s, web), mustSID(t, s, http)
	port := uint16(80)
	if n := testing.AllocsPerRun(100, func() {
		data := &AuditData{PID: 1, Command: "web", Destination: netip.AddrPortFrom(netip.Addr{}, port)}
		s.HasPerm(a, b, ClassTCPSocket, SocketNameConnect, data)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// The lines of lsm_audit.c and avc.c in the kernel, for each kind of data.
func TestRecordFormats(t *testing.T) {
	ap := netip.MustParseAddrPort
	denied := Record{
		Denied: true, Permissions: []string{"name_connect"}, Class: "tcp_socket",
		Source: "system_u:system_r:squid_t:s0", Target: "system_u:object_r:ssh_port_t:s0",
	}
	tail := " scontext=system_u:system_r:squid_t:s0 tcontext=system_u:object_r:ssh_port_t:s0 tclass=tcp_socket permissive=0"
	jsonTail := `,"scontext":"system_u:system_r:squid_t:s0","tcontext":"system_u:object_r:ssh_port_t:s0","tclass":"tcp_socket","permissive":0}`
	for _, c := range []struct {
		name, line, json string
		data             AuditData
	}{
		{
			"name_connect", "avc:  denied  { name_connect } for  pid=1234 comm=\"squid\" dest=22" + tail,
			`{"verdict":"denied","perms":["name_connect"],"pid":1234,"comm":"squid","dest":22` + jsonTail,
			AuditData{PID: 1234, Command: "squid", Destination: netip.AddrPortFrom(netip.Addr{}, 22)},
		},
		{
			"node_bind", "avc:  denied  { name_connect } for  pid=1 saddr=10.0.0.1 src=80" + tail,
			`{"verdict":"denied","perms":["name_connect"],"pid":1,"saddr":"10.0.0.1","src":80` + jsonTail,
			AuditData{PID: 1, Source: ap("10.0.0.1:80")},
		},
		{
			"socket", "avc:  denied  { name_connect } for  pid=1 laddr=10.0.0.1 lport=5 faddr=fd00::1 fport=6" + tail,
			`{"verdict":"denied","perms":["name_connect"],"pid":1,"laddr":"10.0.0.1","lport":5,"faddr":"fd00::1","fport":6` + jsonTail,
			AuditData{PID: 1, Local: ap("10.0.0.1:5"), Peer: ap("[fd00::1]:6")},
		},
		{
			"packet", "avc:  denied  { name_connect } for  saddr=10.0.0.1 src=5 daddr=10.0.0.2 dest=6 netif=eth0" + tail,
			`{"verdict":"denied","perms":["name_connect"],"saddr":"10.0.0.1","src":5,"daddr":"10.0.0.2","dest":6,"netif":"eth0"` + jsonTail,
			AuditData{Source: ap("10.0.0.1:5"), Destination: ap("10.0.0.2:6"), Netif: "eth0"},
		},
		{
			"any address", "avc:  denied  { name_connect } for  pid=1 lport=5" + tail,
			`{"verdict":"denied","perms":["name_connect"],"pid":1,"lport":5` + jsonTail,
			AuditData{PID: 1, Local: ap("0.0.0.0:5")},
		},
		{
			"pathname", "avc:  denied  { name_connect } for  pid=1 path=\"/run/x.sock\"" + tail,
			`{"verdict":"denied","perms":["name_connect"],"pid":1,"path":"/run/x.sock"` + jsonTail,
			AuditData{PID: 1, Path: "/run/x.sock"},
		},
		{
			"abstract name, and a name with a space", "avc:  denied  { name_connect } for  pid=1 comm=612062 path=0078" + tail,
			`{"verdict":"denied","perms":["name_connect"],"pid":1,"comm":"a b","path":"\u0000x"` + jsonTail,
			AuditData{PID: 1, Command: "a b", Path: "\x00x"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := denied
			r.Data = c.data
			if got := r.String(); got != c.line {
				t.Errorf("got  %s\nwant %s", got, c.line)
			}
			if got, err := json.Marshal(r); err != nil || string(got) != c.json {
				t.Errorf("got  %s %v\nwant %s", got, err, c.json)
			}
		})
	}
	at := time.UnixMilli(1700000000123)
	if got, want := denied.Line(at, 456), "type=AVC msg=audit(1700000000.123:456): avc:  denied  { name_connect } for "+tail; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// What has no name is written in hex (avc_dump_av in the kernel).
func TestRecordOfNamelessPermission(t *testing.T) {
	s, records := lab(t)
	s.HasPerm(mustSID(t, s, web), mustSID(t, s, other), ClassNode, 1<<30|NodeSendto, nil)
	if len(*records) != 1 || !strings.HasPrefix((*records)[0].String(), "avc:  denied  { sendto 0x40000000 } for ") {
		t.Errorf("%v", *records)
	}
	if s.HasPerm(mustSID(t, s, web), mustSID(t, s, web), ClassTCPSocket, 0, nil) || len(*records) != 1 {
		t.Error("no permission at all was granted or audited")
	}
}
