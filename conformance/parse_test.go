// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// parseOne parses a script with one case.
func parseOne(t *testing.T, script string) *Case {
	t.Helper()
	cases, err := Parse("x.txt", script)
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) != 1 {
		t.Fatalf("%d cases, expected 1", len(cases))
	}
	return cases[0]
}

func TestParse_fiveLinesAreACase(t *testing.T) {
	c := parseOne(t, `
case mine-1: what about port 1?
  s = socket(INET, STREAM)
  connect(s, 10.0.0.2:1) = ?   # nobody there
`)
	if c.ID != "mine-1" || c.Title != "what about port 1?" || len(c.Steps) != 2 {
		t.Fatalf("got %+v", c)
	}
	s := c.Steps[1]
	if s.Kind != KindCall || s.Text != "connect(s, 10.0.0.2:1)" || s.Comment != "nobody there" ||
		s.Call.Name != "connect" || s.Call.Process != "a" || s.Want[Linux].Text != "?" {
		t.Errorf("got %+v", s)
	}
}

func TestParse_callsRunInTheProcessThatMadeTheSocket(t *testing.T) {
	c := parseOne(t, `
case x: owners
  process q on b
  q: s = socket(INET, STREAM)
  connect(s, 10.0.0.1:1)
  b: t = inherit(s)
  close(t)
  a: close(s)
`)
	var got []string
	for _, s := range c.Steps {
		got = append(got, s.Call.Process)
	}
	if strings.Join(got, " ") != "q q b b a" {
		t.Errorf("processes are %v", got)
	}
}

func TestParse_tablesMakeCases(t *testing.T) {
	cases, err := Parse("x.txt", `
table ip
  v lo
  4 127.0.0.1
  6 [::1]

case t{v}-{n}: count {n}
  for ip
  table
    v n late
    4 1 ""
    6 2 "|NONBLOCK"
    6 3 "|NONBLOCK"
  s = socket(INET, STREAM{late})
  connect(s, {lo}:{n}) = ECONNREFUSED
`)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range cases {
		got = append(got, c.ID+" "+c.Steps[1].Text)
	}
	want := "t4-1 connect(s, 127.0.0.1:1), t6-2 connect(s, [::1]:2), t6-3 connect(s, [::1]:3)"
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
}

func TestParse_expectations(t *testing.T) {
	c := parseOne(t, `
case x: wants
  systems linux freebsd darwin
  s = socket(INET, STREAM)
  connect(s, 10.0.0.2:1) = ECONNREFUSED after 1500ms
  on freebsd, darwin = EINVAL after any
  send(s, "a = b after c") = EPIPE
  c = accept(s) = 10.0.0.2:$p after any
  start w: connect(s, 10.0.0.2:1)
  wait w = 0 after 2s
`)
	want := func(i int, personality string) Want { return c.Steps[i].want(personality) }
	if w := want(1, Linux); w != (Want{Text: "ECONNREFUSED", After: 1500 * time.Millisecond}) {
		t.Errorf("connect: %+v", w)
	}
	for _, p := range []string{"freebsd", "darwin"} {
		if w := want(1, p); w != (Want{Text: "EINVAL", Any: true}) {
			t.Errorf("connect on %s: %+v", p, w)
		}
	}
	if w := want(2, Linux); w.Text != "EPIPE" {
		t.Errorf("send: %+v", w)
	}
	if w := want(3, "freebsd"); w.Text != "10.0.0.2:$p" || !w.Any || c.Steps[3].Call.Bind[0] != "c" {
		t.Errorf("accept: %+v", w)
	}
	if w := want(5, Linux); w.Text != "0" || w.After != 2*time.Second || c.Steps[5].Thread != "w" {
		t.Errorf("wait: %+v", w)
	}
	if d := c.Duration(); d != 3500*time.Millisecond {
		t.Errorf("duration is %v", d)
	}
}

func TestParse_errorsSayWhereAndWhat(t *testing.T) {
	const head = "case x: y\n  s = socket(INET, STREAM)\n"
	tests := []struct{ script, want string }{
		{"  s = socket(INET, STREAM)", `x.txt:1:3: expected "case ID: title" or "table NAME" at the margin`},
		{"cases x: y", `x.txt:1:1: expected "case ID: title" or "table NAME"`},
		{"case x y", `x.txt:1:6: expected "case ID: title"`},
		{head + "  connect(t, 1.2.3.4:5)", `x.txt:3:11: connect: expected a socket's name or a descriptor number, and nothing is called "t"`},
		{head + "  conect(s, 1.2.3.4:5)", `x.txt:3:3: unknown call "conect", expected one of`},
		{head + "  connect(s, 1.2.3:5)", `x.txt:3:14: connect: expected an address`},
		{head + "  connect(s)", `x.txt:3:12: connect: too few arguments, expected an address here`},
		{head + "  close(s, 1)", `x.txt:3:12: close: too many arguments`},
		{head + "  connect(s, 1.2.3.4:$p)", `x.txt:3:22: $p is not known here`},
		{head + "  shutdown(s, SHUT)", `x.txt:3:15: shutdown: expected SHUT_RD, SHUT_WR or SHUT_RDWR, got "SHUT"`},
		{head + "  connect(s, 1.2.3.4:5) =", `x.txt:3:26: expected an answer behind =`},
		{head + "  connect(s, 1.2.3.4:5) EINVAL", `x.txt:3:24: expected "= RESULT" or "after TIME"`},
		{head + "  connect(s, 1.2.3.4:5) = 0 after soon", `x.txt:3:35: expected a time`},
		{head + "  close(s); sysctl c x = 1", `x.txt:3:20: expected a host, got "c"`},
		{head + "  firewall a input tcp dport 99999 drop", `x.txt:3:30: expected a port (0 to 65535)`},
		{head + "  start w: close(s) = 0", `x.txt:3:3: the answer of a started call stands behind "wait w"`},
		{head + "  icmp s 3", `x.txt:3:10: expected an ICMP type/code`},
		{head + "  wait w = 0", `x.txt:3:3: expected a started thread`},
		{head + "  on freebsd = EINVAL", `x.txt:3:6: expected one of this case's systems (linux)`},
		{head + "  z: close(s)", `x.txt:3:3: expected a process or host before the colon, got "z"`},
		{head + "  close({fd})", `x.txt:3:9: no table of this case has a column "fd"`},
		{head + "  for ip", `x.txt:3:3: no table "ip" above in this file`},
		{"table a\n  x y\n  1\n", `x.txt:3:3: 1 values for 2 columns (x y)`},
		{"table a\n  x y\n", `x.txt:1:1: expected a line of column names and at least one row`},
		{"case x: y\n  table\n    n\n    1\n    2\n  s = socket(INET, STREAM)", `x.txt:1:1: a second case x`},
		{"case x: y\n  table\n    f\n    INET5\n  s = socket({f}, STREAM)", `x.txt:5:14: socket: expected an address family, got "INET5"`},
	}
	for _, tt := range tests {
		_, err := Parse("x.txt", tt.script)
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s\ngot  %v\nwant %s", tt.script, err, tt.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	cases := []string{
		"case x: y\n  s = socket(INET, STREAM); connect(s, 1.2.3.4:5, len=3) = EINVAL after 3s # c\n",
		"table t\n  a b\n  1 \"x y\"\ncase x{a}: y\n  for t\n  sysctl a x.y = {b}\n",
		"case x: y\n  start w: a: socket(UNIX, DGRAM)\n  wait w\n  interrupt w restart\n",
		"case x: y\n  symlink /a -> /b; chmod b:/a 755; route a add default via 1.2.3.4 dev a0\n",
		"case x: y\n  policy small talk on b\n    (type t)\n  label a u:r:t\n  setsockcreatecon(u:r:t:s0) = EACCES\n",
		"case x: y\n  s = socket(1, 2)\n  sendto(s, \"a\\x00;)\", unix:\"q\", DONTWAIT) = $p or *\n  on linux = 1\n",
	}
	for _, c := range cases {
		f.Add(c)
	}
	f.Fuzz(func(t *testing.T, script string) {
		cases, err := Parse("x.txt", script)
		var e *Error
		if err != nil {
			if !errors.As(err, &e) {
				t.Fatalf("error of type %T: %v", err, err)
			}
			if lines := strings.Count(script, "\n") + 1; e.Line < 1 || e.Line > lines || e.Column < 1 {
				t.Fatalf("error at %d:%d in %d lines: %v", e.Line, e.Column, lines, err)
			}
		}
		for _, c := range cases {
			for _, s := range c.Steps {
				if s.Kind == KindAct && s.Action == nil {
					t.Fatalf("step without action: %+v", s)
				}
			}
		}
	})
}
