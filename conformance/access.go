// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"bytes"
	_ "embed"
	"errors"
	"slices"
	"strings"

	"dialtone/selinux"
	"dialtone/selinux/defaultpolicy"
)

// Policy puts a host, or with Host "" all of them, under mandatory access control, or replaces the policy they are under.
type Policy struct {
	Host   string
	Policy *selinux.Policy
}

// Label gives a process a security context.
type Label struct{ Process, Context string }

// AccessMode says what becomes of denials on a host: Mode is "enforcing", "permissive" or "off".
type AccessMode struct{ Host, Mode string }

// Boolean sets a boolean of a host's policy.
type Boolean struct {
	Host, Name string
	On         bool
}

// AccessChecks turns a set of a host's checks on or off: "flask", between the two sockets of a conversation, or "packets",
// those of Linux's labelled networking.
type AccessChecks struct {
	Host, Set string
	On        bool
}

func (Policy) action()       {}
func (Label) action()        {}
func (AccessMode) action()   {}
func (Boolean) action()      {}
func (AccessChecks) action() {}

// secureCalls are the calls that need access control.
var secureCalls = map[string]signature{
	"socket_secure": {
		params: []param{
			pNames(families, "an address family"), pNames(types, "a socket type"), pNames(protocols, "a protocol"), pSID,
		},
		binds: 1,
	},
	"connect_secure":          {params: []param{pFD, pAddress, pSID}},
	"listen_secure":           {params: []param{pFD, pNumber, pSID, pNumber}},
	"accept_secure":           {params: []param{pFD}, binds: 1},
	"getsockname_secure":      {params: []param{pFD}},
	"getpeername_secure":      {params: []param{pFD}},
	"sendto_secure":           {params: []param{pFD, pData, pAddress, pSID, pSID, pFlags}},
	"sendmsg_secure":          {params: []param{pFD, pData, pAddress, pSID, pSID, pFlags}},
	"recvfrom_secure":         {params: []param{pFD, pFlags}},
	"recvmsg_secure":          {params: []param{pFD, pFlags}},
	"security_context_to_sid": {params: []param{pContext}},
	"security_sid_to_context": {params: []param{pSID}},
	"setsockcreatecon":        {params: []param{pContext}},
	"avc":                     {},
}

// NeedsAccessControl says whether the case puts a host under a policy or makes a call of connect_secure(2)'s family. What
// arms need to know before they build a world.
func (c *Case) NeedsAccessControl() bool {
	return slices.ContainsFunc(c.Steps, func(s Step) bool {
		switch s.Action.(type) {
		case Policy, Label, AccessMode, Boolean, AccessChecks:
			return true
		}
		_, ok := secureCalls[s.Call.Name]
		return ok
	})
}

// policyTexts are the policies that cases may name, in CIL. The one named "default" is dialtone's own.
var policyTexts = map[string][]byte{"small": small, "talk": talk}

var (
	//go:embed policies/small.cil
	small []byte
	//go:embed policies/talk.cil
	talk []byte
)

// policy reads "policy NAME... [on HOST]". The lines are those further in: what is added to it, in CIL.
func (p *caseParser) policy(t text, lines []text) error {
	words, err := t.words()
	if err != nil {
		return err
	}
	a := Policy{}
	names := words[1:]
	if at := slices.IndexFunc(names, func(w text) bool { return w.s == "on" }); at >= 0 {
		r := wordReader{whole: t, rest: names[at+1:], hosts: p.isHost}
		if a.Host = r.host(); r.err == nil && len(r.rest) > 0 {
			r.fail(r.rest[0], "unexpected %q behind the host", r.rest[0].s)
		}
		if r.err != nil {
			return r.err
		}
		names = names[:at]
	}
	if len(names) == 0 {
		return t.errorf(len("policy"), "expected the policy's name behind \"policy\": default, small or small talk")
	}
	if len(names) == 1 && names[0].s == "default" && len(lines) == 0 {
		a.Policy = defaultpolicy.Policy()
	} else if a.Policy, err = compile(names, lines); err != nil {
		return err
	}
	p.c.Steps = append(p.c.Steps, Step{Line: t.line, Text: t.s, Kind: KindAct, Action: a})
	return nil
}

// compile makes a policy of those named and of lines in CIL.
func compile(names, lines []text) (*selinux.Policy, error) {
	var source []byte
	for _, name := range names {
		more, ok := policyTexts[name.s]
		if !ok {
			return nil, name.errorf(0, "expected small, talk, or default alone, got %q", name.s)
		}
		source = append(source, more...)
	}
	named := bytes.Count(source, []byte("\n"))
	for _, line := range lines {
		source = append(append(source, line.s...), '\n')
	}
	made, err := selinux.CompileCIL("policy", source)
	if wrong := (*selinux.CompileError)(nil); errors.As(err, &wrong) {
		if wrong.Line > named {
			return nil, lines[wrong.Line-named-1].errorf(0, "policy: %s", wrong.Msg)
		}
		return nil, names[0].errorf(0, "policy, line %d: %s", wrong.Line, wrong.Msg)
	}
	return made, err
}

// accessWords are the first words of the other actions about access control.
var accessWords = []string{"label", "mode", "boolean", "checks"}

// access reads an action of accessWords.
func (r *wordReader) access(verb string) Action {
	switch verb {
	case "label":
		return Label{Process: r.next("a process").s, Context: r.context()}
	case "mode":
		return AccessMode{Host: r.host(), Mode: r.oneOf("enforcing", "permissive", "off")}
	case "boolean":
		return Boolean{Host: r.host(), Name: r.next("a boolean's name").s, On: r.oneOf("on", "off") == "on"}
	default: // checks
		return AccessChecks{Host: r.host(), Set: r.oneOf("flask", "packets"), On: r.oneOf("on", "off") == "on"}
	}
}

func (r *wordReader) context() string {
	w := r.next("a security context")
	if !isContext(w.s) {
		r.fail(w, "expected a security context as in u:r:client, got %q", w.s)
	}
	return w.s
}

// isContext reports whether a word looks like user:role:type, with or without a range.
func isContext(s string) bool { return strings.Count(s, ":") >= 2 }

// Labelled is the value of a call that returns an address and a security context beside it, as accept_secure does.
func Labelled(address, context string) string { return address + " as " + context }

// ReceivedAs is the value of recvfrom_secure and recvmsg_secure: from whom, as [ReceivedFrom] writes it, and the contexts of
// the sending socket and, where it is another one, of the message.
func ReceivedAs(received, sender, message string) string {
	s := Labelled(received, sender)
	if message != sender {
		s += ", message " + message
	}
	return s
}
