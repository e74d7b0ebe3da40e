// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dialtone/selinux"
	"dialtone/socket"
)

const (
	unconfined = "unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c15"
	proxyLabel = "system_u:system_r:http_proxy_t:s0"
	clientName = "user_u:user_r:client_t:s0"
)

// tool copies a program under another name.
func tool(t *testing.T, program, dir, name string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("%s is not installed", program)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// Labels go by the name of the program that a process executes, whoever started it; other programs have their parent's.
func TestLabelsByName(t *testing.T) {
	v := newLabelled(t)
	dir := t.TempDir()
	tool(t, "cat", dir, "proxy")
	tool(t, "cat", dir, "client")
	tool(t, "sh", dir, "clientshell")
	if err := os.Symlink("proxy", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "script"), []byte("#!/bin/sh\ncat /proc/self/attr/current\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, context := range map[string]string{
		"proxy": proxyLabel, "client": clientName, "clientshell": clientName, "script": proxyLabel,
	} {
		if err := v.here.Access().LabelProgram(name, context, ""); err != nil {
			t.Fatal(err)
		}
	}
	const show = " /proc/self/attr/current; echo"
	for _, c := range []struct{ name, script, want string }{
		{"its parent's", "cat" + show, unconfined},
		{"by name", "./proxy" + show, proxyLabel},
		{"without a fork", "exec ./proxy /proc/self/attr/current", proxyLabel},
		{"by the name that is called", "./link" + show, unconfined},
		{"an absolute path", dir + "/proxy" + show, proxyLabel},
		{"along PATH", "PATH=/nowhere:" + dir + ":$PATH; proxy" + show, proxyLabel},
		{"a script's name, not its interpreter's", "./script", proxyLabel},
		{"one after the other", "./proxy" + show + "; cat" + show, proxyLabel + "\n" + unconfined},
		{"inherited", "./clientshell -c 'cat" + show + "'", clientName},
		{"inherited by one whose parent has ended", "mkfifo f; ./clientshell -c '(sh -c \"while kill -0 $$; do :; done; cat" + show + "\" >f 2>/dev/null &)'; cat f", clientName},
		{"a failed exec changes nothing", "./clientshell -c 'exec ./nothing; :'; exec 2>/dev/null; ./clientshell -c './nothing; cat" + show + "'", clientName},
		{"a confined process can't change", "./clientshell -c './client" + show + "; ./proxy " + show + "'", clientName + "\nEACCES"},
	} {
		got, _ := v.run(t, nil, "sh", "-c", "cd "+dir+"\n"+c.script)
		got = strings.ReplaceAll(strings.TrimSpace(got), "\x00", "")
		if i := strings.Index(got, "./clientshell: 1: ./proxy: Permission denied"); i >= 0 {
			got = got[:i] + "EACCES"
		}
		got = strings.TrimPrefix(got, "./clientshell: 1: exec: ./nothing: not found\n")
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// The first program has the label of its name, and what it makes of itself by fork keeps it.
func TestLabelsOfForks(t *testing.T) {
	needs(t, "python3")
	v := newLabelled(t)
	if err := v.here.Access().LabelProgram("python3", clientName, ""); err != nil {
		t.Fatal(err)
	}
	const daemon = `
import os
go, begin = os.pipe()
end, done = os.pipe()
if os.fork() == 0:
    if os.fork() == 0: # neither it nor its parent has made a call that is reported
        os.close(begin); os.read(go, 1)
        os.write(1, open('/proc/self/attr/current').read().encode())
    os._exit(0)
os.wait() # the parent of the other has ended
os.close(done); os.close(begin)
os.read(end, 1)
`
	got, status := v.run(t, nil, "python3", "-c", daemon)
	if got != clientName+"\x00" || status != 0 {
		t.Errorf("status %d, %q", status, got)
	}
}

// A process that has changed its label passes the new one on, also to those whose parent was never seen.
func TestLabelsOfChangedForks(t *testing.T) {
	needs(t, "python3")
	v := newLabelled(t)
	const script = `
import os, threading
def show():
    with open('/proc/thread-self/attr/current') as f: os.write(1, f.read().encode())
if os.fork() == 0:
    with open('/proc/self/attr/current', 'w') as f: f.write('` + proxyLabel + `')
    if os.fork() == 0: # makes no call that is reported
        if os.fork() == 0:
            show()
            os._exit(0)
        os.wait()
        t = threading.Thread(target=show); t.start(); t.join()
        os._exit(0)
    os.wait()
    os._exit(0)
os.wait()
show()
`
	got, status := v.run(t, nil, "python3", "-c", script)
	if got != proxyLabel+"\x00"+proxyLabel+"\x00"+unconfined+"\x00" || status != 0 {
		t.Errorf("status %d, %q", status, got)
	}
}

// Where the scenario labels a program's file the policy's type transition decides, with the permissions that Linux asks:
// process:transition, file:execute and file:entrypoint, or file:execute_no_trans.
func TestLabelsByFile(t *testing.T) {
	v := newVirtual(t, Options{})
	text, err := os.ReadFile("../selinux/defaultpolicy/default.cil")
	if err != nil {
		t.Skipf("the policy's source is not here: %v", err)
	}
	cil := strings.Replace(string(text), "peer packet security))", "peer packet security file))", 1) + `
(class file (execute execute_no_trans entrypoint))
(type tool_exec_t) (type closed_exec_t) (type plain_exec_t) (type barred_exec_t)
(roletype object_r tool_exec_t) (roletype object_r closed_exec_t) (roletype object_r plain_exec_t) (roletype object_r barred_exec_t)
(typetransition unconfined_t tool_exec_t process http_proxy_t)
(typetransition unconfined_t closed_exec_t process http_proxy_t)
(allow unconfined_t tool_exec_t (file (execute)))
(allow unconfined_t closed_exec_t (file (execute)))
(allow unconfined_t plain_exec_t (file (execute execute_no_trans)))
(allow unconfined_t barred_exec_t (file (execute)))
(allow http_proxy_t tool_exec_t (file (entrypoint)))
`
	p, err := selinux.CompileCIL("test.cil", []byte(cil))
	if err != nil {
		t.Fatal(err)
	}
	if err := v.here.SetPolicy(p); err != nil {
		t.Fatal(err)
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	m := v.here.Access()
	var denials []string
	m.SetAudit(func(r selinux.Record) { denials = append(denials, r.String()) })
	for _, name := range []string{"tool", "closed", "plain", "barred"} {
		if err := m.LabelFile(tool(t, "cat", dir, name), "system_u:object_r:"+name+"_exec_t:s0"); err != nil {
			t.Fatal(err)
		}
	}
	// The file's label comes before that of the name.
	if err := m.LabelProgram("tool", clientName, ""); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("tool", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, want, denied string }{
		{"tool", "unconfined_u:unconfined_r:http_proxy_t:s0-s0:c0.c15", ""},
		{"link", "unconfined_u:unconfined_r:http_proxy_t:s0-s0:c0.c15", ""},
		{"plain", unconfined, ""},
		{"closed", "", "{ entrypoint } for  pid="},
		{"barred", "", "{ execute_no_trans } for  pid="},
	} {
		denials = nil
		got, status := v.run(t, nil, "sh", "-c", "exec "+dir+"/"+c.name+" /proc/self/attr/current 2>/dev/null")
		if strings.TrimSuffix(got, "\x00") != c.want || status != 0 && c.denied == "" || status != 126 && c.denied != "" {
			t.Errorf("%s: status %d, got %q, want %q", c.name, status, got, c.want)
		}
		all := strings.Join(denials, "\n")
		if c.denied == "" && all != "" || !strings.Contains(all, c.denied) || c.denied != "" && !strings.Contains(all, `path="`+dir+"/"+c.name+`"`) {
			t.Errorf("%s: denials %q, want %q", c.name, all, c.denied)
		}
	}
}

// An execve(2) that is under way stays so while others ask about the process; the next call of the thread itself says that
// it has failed.
func TestExecUnderWay(t *testing.T) {
	pid := os.Getpid()
	target := &Target{proc: &process{shim: pid}, callers: callers{threads: pidfdThreadKnown(), pidfds: map[int]callerFD{}}}
	target.caller = &socket.Caller{Name: "before"}
	defer target.callers.close()
	l := newLineage(target)
	after := &socket.Caller{Name: "after"}
	first := l.find(pid)
	first.next, first.by = after, pid
	if l.find(pid); first.next != after {
		t.Error("it counts as failed because somebody looked")
	}
	if got := l.who(pid); got.Name != "before" || first.next != nil {
		t.Errorf("after it has failed: %q, under way %t", got.Name, first.next != nil)
	}
	first.next, first.image = after, "another"
	if got := l.who(pid); got != after || first.next != nil {
		t.Errorf("after it was done: %q", got.Name)
	}
}
