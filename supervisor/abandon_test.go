// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"os"
	"slices"
	"strings"
	"testing"

	"dialtone/firewall"
	"dialtone/selinux"
	"dialtone/trail"
)

// A connect that the layer has begun or made, and that no native socket can
// show, fails, says so and leaves nothing behind: the same descriptor connects once there is a socket again.
func TestConnectWithoutNativeSocket(t *testing.T) {
	needs(t, "python3")
	for _, c := range []struct {
		name, program string
		answers       firewall.Action // to the first
	}{
		{"blocking", "s.setblocking(True)", firewall.Accept},
		{"not blocking", "s.setblocking(False)", firewall.Accept},
		{"waiting", "s.setblocking(True)", firewall.Drop},
		{"under way", "s.setblocking(False)", firewall.Drop},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := newExplained(t, Options{NeverDirect: true})
			v.serveEcho(t)
			v.web.Firewall(func(f *firewall.Firewall) { f.Input.Policy.Action = c.answers })
			v.sup.mu.Lock()
			whole := v.sup.plugs
			v.sup.plugs = &plugs{listener: -1, probe: whole.probe, name: "nobody's"}
			v.sup.mu.Unlock()
			failed := make(chan Explanation, 1)
			go func() { // then there are sockets again
				failed <- <-v.explained
				v.sup.mu.Lock()
				v.sup.plugs = whole
				v.sup.mu.Unlock()
				v.web.Firewall(func(f *firewall.Firewall) { f.Input.Policy.Action = firewall.Accept })
			}()
			out, _ := v.run(t, nil, "python3", "-c", `
import errno, select, socket, sys, time
s = socket.socket()
`+c.program+`
first = s.connect_ex((sys.argv[1], 7))
print(errno.errorcode.get(first, first), s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), flush=True)
while True:
    e = s.connect_ex((sys.argv[1], 7))
    if e in (0, errno.EISCONN):
        break
    if e in (errno.EINPROGRESS, errno.EALREADY):
        select.select([], [s], [], 0.01)
    else:
        time.sleep(0.01)
s.setblocking(True)
s.send(b"hello")
print(s.recv(5))
`, v.webIP())
			if out != "ECONNREFUSED 0\nb'hello'\n" {
				t.Errorf("the program says %q", out)
			}
			e := <-failed
			said := func(l trail.Line) bool { return strings.Contains(l.Text, "no kernel socket for the bytes") }
			if e.Errno != "ECONNREFUSED" || !slices.ContainsFunc(e.Trail.Lines, said) {
				t.Errorf("%s %s: %+v", e.Call, e.Errno, e.Trail.Lines)
			}
		})
	}
}

// SO_SNDTIMEO bounds a hosted connect also where the policy allows no
// setsockopt(2): the program's own call was T's, and the supervisor's is
// nobody's.
func TestSendTimeoutWithoutSetopt(t *testing.T) {
	needs(t, "python3")
	text, err := os.ReadFile("../selinux/defaultpolicy/default.cil")
	if err != nil {
		t.Skipf("the policy's source is not here: %v", err)
	}
	rule, allowed, _ := strings.Cut(string(text), "(allow confined self (tcp_socket (")
	without := rule + "(allow confined self (tcp_socket (" + strings.Replace(allowed, "setopt ", "", 1)
	p, err := selinux.CompileCIL("without.cil", []byte(without))
	if err != nil {
		t.Fatal(err)
	}
	v := newVirtual(t, Options{})
	if err := v.here.SetPolicy(p); err != nil {
		t.Fatal(err)
	}
	if err := v.here.Access().LabelProgram("python3", proxyLabel, ""); err != nil {
		t.Fatal(err)
	}
	v.web.Firewall(func(f *firewall.Firewall) { f.Input.Policy.Action = firewall.Drop })
	out, status := v.run(t, nil, "python3", "-c", `
import errno, socket, struct, sys
s = socket.socket()
try:
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1000)
except OSError as e:
    print(errno.errorcode[e.errno])
s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 0, 100000))
print(errno.errorcode[s.connect_ex((sys.argv[1], 80))])
`, v.webIP())
	if out != "EACCES\nEINPROGRESS\n" || status != 0 {
		t.Errorf("status %d: %s", status, out)
	}
}
