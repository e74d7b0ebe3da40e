// SPDX-License-Identifier: Apache-2.0

package mac_test

import (
	"os"
	"strings"
	"testing"

	"dialtone"
	"dialtone/errno"
	"dialtone/mac"
	"dialtone/selinux"
	"dialtone/socket"
)

// processPolicy is the default policy with files, a type that bounds another, and processes that may change.
const processPolicy = `
(class file (execute execute_no_trans entrypoint))
(type outer_t) (type inner_t) (type exec_t) (type lost_exec_t)
(typeattributeset domain (outer_t inner_t)) (typeattributeset confined (outer_t inner_t))
(typeattributeset anything (exec_t lost_exec_t))
(roletype system_r outer_t) (roletype system_r inner_t)
(typebounds outer_t inner_t)
(allow outer_t self (process (setcurrent)))
(allow outer_t inner_t (process (dyntransition transition)))
(allow outer_t client_t (process (dyntransition)))
(allow outer_t exec_t (file (execute execute_no_trans entrypoint)))
(allow inner_t exec_t (file (execute entrypoint)))
(typetransition unconfined_t exec_t process inner_t)
(allow unconfined_t exec_t (file (execute)))
(typetransition unconfined_t lost_exec_t process port_t)
`

const (
	outer  = "system_u:system_r:outer_t:s0"
	inner  = "system_u:system_r:inner_t:s0"
	nobody = "unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c15"
	squid  = "system_u:system_r:http_proxy_t:s0"
)

// underProcessPolicy returns the access control of a host under processPolicy, and the list of what it denies.
func underProcessPolicy(t *testing.T) (*mac.Module, *[]string) {
	t.Helper()
	text, err := os.ReadFile("../selinux/defaultpolicy/default.cil")
	if err != nil {
		t.Fatal(err)
	}
	// Confined processes may change here; the roles' statement names its types one by one.
	cil := strings.Replace(string(text), "peer packet security))", "peer packet security file))", 1)
	cil = strings.Replace(cil, "(constrain (process (transition dyntransition)) (or (eq t1 free) (eq t1 t2)))", "", 1)
	p, err := selinux.CompileCIL("process.cil", []byte(cil+processPolicy))
	if err != nil {
		t.Fatal(err)
	}
	h := dialtone.NewNetwork().Host("a")
	if err := h.SetPolicy(p); err != nil {
		t.Fatal(err)
	}
	var denied []string
	h.Access().SetAudit(func(r selinux.Record) { denied = append(denied, r.Class+" "+strings.Join(r.Permissions, " ")) })
	return h.Access(), &denied
}

func caller(t *testing.T, m *mac.Module, context string) *socket.Caller {
	t.Helper()
	sid, err := m.SID(context)
	if err != nil {
		t.Fatal(err)
	}
	return &socket.Caller{Name: "program", SID: sid}
}

func TestSetProcessContext(t *testing.T) {
	for _, c := range []struct {
		name, from, to string
		alone          bool
		want           errno.Errno
		denied         string
	}{
		{"allowed", outer, inner, true, errno.OK, ""},
		{"to itself, which is not allowed", outer, outer, true, errno.EACCES, "process dyntransition"},
		{"no setcurrent", inner, outer, true, errno.EACCES, "process setcurrent"},
		{"no setcurrent comes first", inner, "nonsense", true, errno.EACCES, "process setcurrent"},
		{"no such context", outer, "nonsense", true, errno.EINVAL, ""},
		{"no context", outer, "", true, errno.EINVAL, ""},
		{"no dyntransition", outer, squid, true, errno.EACCES, "process dyntransition"},
		{"threads, to a bounded type", outer, inner, false, errno.OK, ""},
		{"threads, to another", outer, "user_u:user_r:client_t:s0", false, errno.EPERM, ""},
	} {
		m, denied := underProcessPolicy(t)
		who := caller(t, m, c.from)
		if e := m.SetProcessContext(who, c.to, c.alone); e != c.want {
			t.Errorf("%s: %v, want %v", c.name, e, c.want)
		}
		want := c.from
		if c.want == errno.OK {
			want = c.to
		}
		if got := m.ProcessContext(who); got != want {
			t.Errorf("%s: now %s, want %s", c.name, got, want)
		}
		if got := strings.Join(*denied, ", "); got != c.denied {
			t.Errorf("%s: denied %q, want %q", c.name, got, c.denied)
		}
	}
}

func TestExec(t *testing.T) {
	const file, lost, other = "/bin/file", "/bin/lost", "/bin/other"
	for _, c := range []struct {
		name, from, program, path string
		want                      string // "": EACCES
		denied                    string
	}{
		{"nothing changes", outer, "other", other, outer, ""},
		{"by name", nobody, "squid", other, squid, ""},
		{"by name, to the same", squid, "squid", other, squid, ""},
		{"by name, without permission", outer, "squid", other, "", "process transition"},
		{"by the file, before the name", nobody, "squid", file, "unconfined_u:unconfined_r:inner_t:s0-s0:c0.c15", ""},
		{"the file has no rule", outer, "squid", file, outer, ""},
		{"the file may not be executed without one", inner, "other", file, "", "file execute_no_trans"},
		{"the label is none", nobody, "other", lost, "", ""},
	} {
		m, denied := underProcessPolicy(t)
		for path, context := range map[string]string{file: "system_u:object_r:exec_t:s0", lost: "system_u:object_r:lost_exec_t:s0"} {
			if err := m.LabelFile(path, context); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.LabelProgram("squid", squid, inner); err != nil {
			t.Fatal(err)
		}
		who := caller(t, m, c.from)
		who.SocketSID = who.SID
		after, e := m.Exec(who, c.program, c.path)
		if (e == errno.OK) != (c.want != "") || e != errno.OK && e != errno.EACCES {
			t.Errorf("%s: %v", c.name, e)
		}
		if m.ProcessContext(who) != c.from || m.SocketContext(who) != c.from {
			t.Errorf("%s: the caller has changed", c.name)
		}
		if e == errno.OK {
			if got := m.ProcessContext(after); got != c.want || after.Name != c.program {
				t.Errorf("%s: now %s, %s; want %s", c.name, after.Name, got, c.want)
			}
			// What was set for new sockets is gone; the name's own is there.
			sockets := ""
			if c.program == "squid" && c.path == other {
				sockets = inner
			}
			if got := m.SocketContext(after); got != sockets {
				t.Errorf("%s: sockets %q, want %q", c.name, got, sockets)
			}
		}
		if got := strings.Join(*denied, ", "); got != c.denied {
			t.Errorf("%s: denied %q, want %q", c.name, got, c.denied)
		}
	}
	m, _ := underProcessPolicy(t)
	if err := m.LabelFile(file, "nonsense"); err == nil {
		t.Error("a file got a label that the policy does not know")
	}
}

// A context that setsockcreatecon does not accept leaves the one before.
func TestSetSocketContextFails(t *testing.T) {
	m, _ := underProcessPolicy(t)
	who := caller(t, m, outer)
	if e := m.SetSocketContext(who, inner); e != errno.OK {
		t.Fatal(e)
	}
	if e := m.SetSocketContext(who, "nonsense"); e != errno.EINVAL || m.SocketContext(who) != inner {
		t.Errorf("%v, %q", e, m.SocketContext(who))
	}
	if e := m.SetSocketContext(who, ""); e != errno.OK || m.SocketContext(who) != "" {
		t.Errorf("%v, %q", e, m.SocketContext(who))
	}
}
