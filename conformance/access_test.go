// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"strings"
	"testing"
)

func TestParse_accessControl(t *testing.T) {
	c := parseOne(t, `
case x: y
  policy small talk on b
    (type guest)
    (roletype r guest)
    (typeattributeset
      domain (guest))
  policy default
  label a u:r:guest
  boolean a http_proxy_connect_any on
  s = socket_secure(INET, STREAM, 0, 8)
  connect_secure(s, 10.0.0.2:80, "u:r:t:s0:c0,c1") = 0
  security_context_to_sid("") = ENAMETOOLONG
`)
	if p := c.Steps[0].Action.(Policy); p.Host != "b" || p.Policy.MLS() {
		t.Errorf("the first policy is %+v", p)
	} else if _, err := p.Policy.ParseContext("u:r:guest"); err != nil {
		t.Error(err)
	}
	if p := c.Steps[1].Action.(Policy); p.Host != "" || !p.Policy.MLS() {
		t.Errorf("the second policy is %+v", p)
	}
	if got := c.Steps[2].Action; got != (Label{"a", "u:r:guest"}) {
		t.Errorf("label: %+v", got)
	}
	if got := c.Steps[3].Action; got != (Boolean{"a", "http_proxy_connect_any", true}) {
		t.Errorf("boolean: %+v", got)
	}
	for text, want := range map[string]Arg{
		"security_sid_to_context(8)":                   {Kind: ArgSID, Int: 8},
		`security_sid_to_context("u:r:t:s0:c0,c1")`:    {Kind: ArgSID, Text: "u:r:t:s0:c0,c1"},
		"setsockcreatecon(u:r:t:s0)":                   {Kind: ArgContext, Text: "u:r:t:s0"},
		`security_context_to_sid("not a context; ,)")`: {Kind: ArgContext, Text: "not a context; ,)"},
	} {
		call, err := parseCall(newText("x", 1, text), literalFD)
		if err != nil || call.Args[0].Kind != want.Kind || call.Args[0].Text != want.Text || call.Args[0].Int != want.Int {
			t.Errorf("%s: %+v, %v", text, call.Args, err)
		}
	}
	if !c.NeedsAccessControl() || parseOne(t, "case x: y\n  socket(INET, STREAM)\n").NeedsAccessControl() {
		t.Error("what needs access control is not seen")
	}
}

func TestParse_accessControlErrors(t *testing.T) {
	const head = "case x: y\n  s = socket(INET, STREAM)\n"
	for _, tt := range []struct{ script, want string }{
		{head + "  policy", `x.txt:3:9: expected the policy's name behind "policy"`},
		{head + "  policy smal", `x.txt:3:10: expected small, talk, or default alone, got "smal"`},
		{head + "  policy default\n    (type x)", `x.txt:3:10: expected small, talk, or default alone, got "default"`},
		{head + "  policy small on c", `x.txt:3:19: expected a host, got "c"`},
		{head + "  policy small on b c", `x.txt:3:21: unexpected "c" behind the host`},
		{head + "  policy talk", `x.txt:3:10: policy, line `},
		{head + "  policy small\n    (type x)\n      (types y)", `x.txt:5:7: policy: the statement types is not supported`},
		{head + "  policy small\n    (allow x y (tcp_socket (connect)))", `x.txt:4:5: policy: `},
		{head + "  policy small\n    (type x", `x.txt:4:5: policy: the parenthesis is not closed`},
		{head + "  label z u:r:client", `x.txt:3:9: expected a process, got "z"`},
		{head + "  label a client", `x.txt:3:11: expected a security context as in u:r:client, got "client"`},
		{head + "  mode a on", `x.txt:3:10: expected enforcing or permissive or off, got "on"`},
		{head + "  checks a flask", `x.txt:3:17: expected on or off at the end`},
		{head + "  connect_secure(s, 1.2.3.4:5, client)", `x.txt:3:32: connect_secure: expected a SID: a number, or a context as in u:r:client, got "client"`},
		{head + "  connect_secure(s, 1.2.3.4:5)", `x.txt:3:30: connect_secure: too few arguments, expected a SID`},
		{head + "  setsockcreatecon(8)", `x.txt:3:20: setsockcreatecon: expected a security context, in quotes if it is none, got "8"`},
	} {
		_, err := Parse("x.txt", tt.script)
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s\ngot  %v\nwant %s", tt.script, err, tt.want)
		}
	}
}
