// SPDX-License-Identifier: Apache-2.0

package scenario_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"dialtone"
	"dialtone/errno"
	"dialtone/scenario"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/trail"
)

// proxyNetwork is the example of docs/scenario.md's access control: a proxy that may connect only to HTTP ports.
const proxyNetwork = "testdata/proxy.yaml"

func startProxy(t *testing.T, oldnew ...string) *scenario.Running {
	t.Helper()
	data, err := os.ReadFile(proxyNetwork)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(oldnew); i += 2 {
		if !bytes.Contains(data, []byte(oldnew[i])) {
			t.Fatalf("%s has no %q", proxyNetwork, oldnew[i])
		}
		data = bytes.Replace(data, []byte(oldnew[i]), []byte(oldnew[i+1]), 1)
	}
	s, err := scenario.Parse(proxyNetwork, data)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// connect has a program on the proxy's host connect to a port of the web server.
func connect(t *testing.T, r *scenario.Running, program string, port uint16) (*trail.Trail, error) {
	t.Helper()
	p := r.Host("proxy.test").NewProcessAs(socket.Caller{Name: program, Caps: socket.AllCaps})
	defer p.Exit()
	fd, err := p.Socket(sockaddr.Inet, int(socket.Stream), 0)
	if err != nil {
		t.Fatal(err)
	}
	to := sockaddr.Addr{Family: sockaddr.Inet, IP: r.Host("web.test").Addresses()[0], Port: port}
	var why trail.Trail
	err = p.ConnectExplained(fd, to.Raw(), &why)
	return &why, err
}

// An HTTP proxy may connect only to HTTP ports; elsewhere it is refused, and told why. Other programs are free.
func TestProxy(t *testing.T) {
	for _, c := range []struct {
		change  []string
		program string
		port    uint16
		want    error
	}{
		{nil, "squid", 80, nil},
		{nil, "squid", 22, syscall.EACCES},
		{nil, "squid", 8000, syscall.ECONNREFUSED}, // labelled as an HTTP port: permitted, and nobody is there
		{nil, "curl", 22, nil},
		{[]string{"http_proxy_connect_any: false", "http_proxy_connect_any: true"}, "squid", 22, nil},
		{[]string{"mode: enforcing", "mode: permissive"}, "squid", 22, nil},
		{[]string{"mode: enforcing", "mode: off"}, "squid", 22, nil},
	} {
		r := startProxy(t, c.change...)
		why, err := connect(t, r, c.program, c.port)
		if !errors.Is(err, c.want) {
			t.Errorf("%v: %s to port %d: %v, want %v", c.change, c.program, c.port, err, c.want)
		}
		decided, _ := why.Decided()
		if c.want == syscall.EACCES && (decided.Layer != trail.Access || !strings.Contains(decided.Text, "http_proxy_connect_any")) {
			t.Errorf("the trail says %s: %s", decided.Layer, decided.Text)
		}
	}
}

// A mode of off: the calls of the _secure family are not there.
func TestAccessControlOff(t *testing.T) {
	r := startProxy(t, "mode: enforcing", "mode: off")
	_, err := r.Host("web.test").NewProcess().SecurityContextToSID("system_u:system_r:httpd_t:s0")
	if !errors.Is(err, syscall.ENOSYS) {
		t.Errorf("%v, want ENOSYS", err)
	}
}

// The file's other settings reach the hosts; a policy may be a file beside the scenario.
func TestPolicyFile(t *testing.T) {
	binary, err := os.ReadFile("../selinux/defaultpolicy/default.33")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "my.33"), binary, 0o600); err != nil {
		t.Fatal(err)
	}
	data := []byte("policy: my.33\nflask: false\nlabelled: true\nlabels: {others: \"user_u:user_r:client_t:s0\", " +
		"files: [{path: /sbin/tool, context: \"system_u:object_r:unlabeled_t:s0\"}]}\nhosts: {a: {}}\n")
	s, err := scenario.Parse(filepath.Join(dir, "net.yaml"), data)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var p *dialtone.Process = r.Host("a").NewProcess()
	if got := p.Context(); got != "user_u:user_r:client_t:s0" {
		t.Errorf("a process is %s", got)
	}
	// The policy knows no class of files, and denies what it does not know.
	if _, e := r.Host("a").Access().Exec(p.Caller(), "tool", "/sbin/tool"); e != errno.EACCES {
		t.Errorf("executing a file with a label: %v", e)
	}
	if _, e := r.Host("a").Access().Exec(p.Caller(), "tool", "/sbin/other"); e != errno.OK {
		t.Errorf("executing a file without a label: %v", e)
	}
}

// A wrong label, boolean or policy is a mistake of the file, with what is wrong of it.
func TestAccessMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"booleans: {none: true}":   `net.yaml:1:12: the policy has no boolean "none"`,
		"policy: none.33":          "net.yaml:1:9: the policy none.33: open none.33: no such file or directory",
		"labels: {others: nobody}": "net.yaml:1:18: ",
		"labels: {processes: {squid: {context: \"system_u:user_r:http_proxy_t:s0\"}}}":             "net.yaml:1:39: ",
		"labels: {ports: [{ports: 80, protocol: icmp, context: \"system_u:object_r:port_t:s0\"}]}": "net.yaml:1:40: this protocol has no ports",
		"labels: {files: [{path: bin/a, context: \"system_u:object_r:unlabeled_t:s0\"}]}":          "net.yaml:1:25: \"bin/a\" is no absolute path",
		"labels: {files: [{path: /bin/a, context: none}]}":                                         "net.yaml:1:42: ",
		"labels: {nodes: [{prefix: 10.0.0.1/8, context: \"system_u:object_r:node_t:s0\"}]}":        "net.yaml:1:27: 10.0.0.1/8 has bits set",
	} {
		_, err := scenario.Parse("net.yaml", []byte(text+"\nhosts: {a: {}}\n"))
		if err == nil || !strings.HasPrefix(err.Error(), want) || len(err.Error()) <= len("net.yaml:1:18: ") {
			t.Errorf("%s\n%v\nwant %s", text, err, want)
		} else {
			t.Log(err)
		}
	}
}
