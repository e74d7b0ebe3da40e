// SPDX-License-Identifier: Apache-2.0

package policytool

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"dialtone/selinux"
)

func server(t testing.TB, path string) *selinux.Server {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p, err := selinux.Load(path, data)
	if err != nil {
		t.Fatal(err)
	}
	s, err := selinux.NewServer(p)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestLines(t *testing.T) {
	const web, http = "system:daemon_r:web_t:public", "system:object_r:http_port_t:public"
	socketLabel := func(s *selinux.Server, in io.Reader, out io.Writer) error { return SocketLabel(s, "lab.33", in, out) }
	for _, c := range []struct {
		name     string
		f        func(*selinux.Server, io.Reader, io.Writer) error
		in, want string
		bad      int
	}{
		{
			"av", AV, web + " " + http + " tcp_socket\n",
			`{"s":"` + web + `","t":"` + http + `","c":"tcp_socket","class_value":4,"allowed":5242880,"auditallow":0,` +
				`"auditdeny":4289724415,"reason":1,"perms":["name_bind","name_connect"],"auditallow_perms":[],` +
				`"dontaudit_perms":["name_bind","name_connect"]}` + "\n", 0,
		},
		{
			"port", Port, "tcp 80\n17 80\n6 0\n",
			`{"proto":6,"port":80,"initial_sid_port":false,"context":"system:object_r:http_port_t:public"}` + "\n" +
				`{"proto":17,"port":80,"initial_sid_port":false,"context":"system:object_r:high_port_t:public"}` + "\n" +
				`{"proto":6,"port":0,"initial_sid_port":true,"context":"system:object_r:port_t:public"}` + "\n", 0,
		},
		{
			"context", Context, "alice:object_r:web_t:secret:green,red\nalice:web_t\n",
			`{"context":"alice:object_r:web_t:secret:green,red","valid":true,"canonical":"alice:object_r:web_t:secret:red,green"}` + "\n" +
				`{"context":"alice:web_t","valid":false,"canonical":""}` + "\n", 0,
		},
		{
			"transition", Transition, web + " " + http + " tcp_socket",
			`{"s":"` + web + `","t":"` + http + `","c":"tcp_socket","transition":"system:object_r:other_t:public",` +
				`"member":"system:object_r:http_port_t:public","change":"system:object_r:http_port_t:public"}` + "\n", 0,
		},
		{
			"transition to an invalid label", Transition, "alice:user_r:shell_t:internal system:daemon_r:web_t:public process",
			`{"s":"alice:user_r:shell_t:internal","t":"system:daemon_r:web_t:public","c":"process","transition":"",` +
				`"member":"","change":"alice:user_r:shell_t:internal"}` + "\n", 0,
		},
		{
			"socket label", socketLabel, web + " tcp_socket\nalice:user_r:shell_t:internal udp_socket",
			`{"policy":"lab.33","process":"` + web + `","class":"tcp_socket","socket":"` + web + `"}` + "\n" +
				`{"policy":"lab.33","process":"alice:user_r:shell_t:internal","class":"udp_socket","socket":""}` + "\n", 0,
		},
		{
			"bad lines between good ones", Port, "tcp 80\n\nno 80\ntcp 65536\n80\nudp 1 2\n  udp   80  \r\n",
			`{"proto":6,"port":80,"initial_sid_port":false,"context":"system:object_r:http_port_t:public"}` + "\n" +
				`{"line":3,"error":"\"no\" is no protocol"}` + "\n" +
				`{"line":4,"error":"\"65536\" is no port"}` + "\n" +
				`{"line":5,"error":"1 words, where PROTOCOL PORT is expected"}` + "\n" +
				`{"line":6,"error":"3 words, where PROTOCOL PORT is expected"}` + "\n" +
				`{"proto":17,"port":80,"initial_sid_port":false,"context":"system:object_r:high_port_t:public"}` + "\n", 4,
		},
		{
			"a bad context, and a bad class", AV, web + " nobody:x:y tcp_socket\n" + web + " " + http + " sock\n",
			`{"line":1,"error":"context \"nobody:x:y\": the policy has no user \"nobody\""}` + "\n" +
				`{"line":2,"error":"the policy has no class \"sock\""}` + "\n", 2,
		},
		{"nothing", AV, "", "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			err := c.f(server(t, "../testdata/lab.33"), strings.NewReader(c.in), &out)
			if out.String() != c.want {
				t.Errorf("got\n%swant\n%s", &out, c.want)
			}
			var bad *BadLinesError
			if errors.As(err, &bad) != (c.bad > 0) || bad != nil && bad.Bad != c.bad || bad == nil && err != nil {
				t.Errorf("%v, want %d bad lines", err, c.bad)
			}
		})
	}
}

func TestReadAndWriteErrors(t *testing.T) {
	s := server(t, "../testdata/lab.33")
	broken := errors.New("broken")
	if err := Port(s, iotest.ErrReader(broken), io.Discard); !errors.Is(err, broken) {
		t.Errorf("reading: %v", err)
	}
	r, w := io.Pipe()
	r.CloseWithError(broken)
	if err := Port(s, strings.NewReader("tcp 80\n"), w); !errors.Is(err, broken) {
		t.Errorf("writing: %v", err)
	}
	if err := Port(s, strings.NewReader("tcp 80\n"+strings.Repeat("x", maxLine+1)), io.Discard); err == nil || !strings.Contains(err.Error(), "line 2: ") {
		t.Errorf("a line that is too long: %v", err)
	}
}

func TestParseBooleans(t *testing.T) {
	got, err := ParseBooleans([]string{"a=1", "b=0", "a=0"})
	if want := map[string]bool{"a": false, "b": false}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v %v, want %v", got, err, want)
	}
	for _, bad := range []string{"a", "a=", "=1", "a=true", ""} {
		if _, err := ParseBooleans([]string{bad}); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestExplain(t *testing.T) {
	s := server(t, "../testdata/lab.cil")
	e, err := Explain(s, "system:daemon_r:web_t:public", "system:object_r:http_port_t:public", "tcp_socket", "listen")
	if err != nil || e.Allowed || e.Obstacles[0].Kind != selinux.ObstacleNoRule {
		t.Errorf("%s %v", &e, err)
	}
	for _, c := range [][2]string{{"x", "system:object_r:http_port_t:public"}, {"system:object_r:http_port_t:public", "x"}} {
		if _, err := Explain(s, c[0], c[1], "tcp_socket", "listen"); err == nil {
			t.Errorf("%v was explained", c)
		}
	}
}

// Each golden line comes out again, all fields equal, when its question is asked.
func TestGoldenLines(t *testing.T) {
	for _, c := range []struct {
		golden, policy string
		fields         []string // that make the question
		f              func(*selinux.Server, io.Reader, io.Writer) error
	}{
		{"av.jsonl", "debian-default.33", []string{"s", "t", "c"}, AV},
		{"ports.jsonl", "debian-default.33", []string{"proto", "port"}, Port},
		{"contexts.jsonl", "debian-default.33", []string{"context"}, Context},
		{"transitions.jsonl", "debian-default.33", []string{"s", "t", "c"}, Transition},
		{"golden-proxy-nomls.jsonl", "proxy-nomls.33", []string{"s", "t", "c"}, AV},
		{"golden-proxy-nomls.jsonl", "proxy-nomls.cil", []string{"s", "t", "c"}, AV},
		{"golden-proxy-nomls-ports.jsonl", "proxy-nomls.33", []string{"proto", "port"}, Port},
		{"golden-proxy-nomls-contexts.jsonl", "proxy-nomls.33", []string{"context"}, Context},
		{"golden-proxy-nomls-transitions.jsonl", "proxy-nomls.33", []string{"s", "t", "c"}, Transition},
	} {
		t.Run(c.golden+" "+c.policy, func(t *testing.T) {
			dir := filepath.Join("..", "..", "..", "shared", "mac")
			golden, err := os.ReadFile(filepath.Join(dir, c.golden))
			if err != nil {
				t.Skipf("the golden answers are not beside the module: %v", err)
			}
			want := objects(t, golden)
			var in, out bytes.Buffer
			for _, o := range want {
				var words []string
				for _, f := range c.fields {
					words = append(words, strings.Trim(string(o[f]), `"`))
				}
				in.WriteString(strings.Join(words, " ") + "\n")
			}
			if err := c.f(server(t, filepath.Join(dir, c.policy)), &in, &out); err != nil {
				t.Fatal(err)
			}
			got := objects(t, out.Bytes())
			if len(got) != len(want) || len(want) == 0 {
				t.Fatalf("%d answers, want %d", len(got), len(want))
			}
			for i := range want {
				if !reflect.DeepEqual(got[i], want[i]) {
					t.Errorf("line %d: %s, want %s", i+1, got[i], want[i])
				}
			}
		})
	}
}

func objects(t *testing.T, lines []byte) []map[string]json.RawMessage {
	t.Helper()
	var all []map[string]json.RawMessage
	for line := range bytes.Lines(lines) {
		var o map[string]json.RawMessage
		if err := json.Unmarshal(line, &o); err != nil {
			t.Fatal(err)
		}
		all = append(all, o)
	}
	return all
}
