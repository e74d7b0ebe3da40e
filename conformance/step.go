// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"slices"
	"strings"
)

// step reads a statement that does something.
func (p *caseParser) step(t text, words []text) error {
	if words[0].s == "on" {
		return p.otherSystem(t)
	}
	s := Step{Line: t.line}
	body, want, err := splitWant(t)
	if err != nil {
		return err
	}
	s.Text = body.s
	s.Want = map[string]Want{Linux: want}
	switch {
	case words[0].s == "start":
		err = p.start(&s, body)
	case slices.Contains([]string{"wait", "blocked", "interrupt"}, words[0].s):
		err = p.thread(&s, words)
	case slices.Contains(actionWords, words[0].s):
		s.Kind, s.Text = KindAct, t.s // no expectation; "sysctl a x = 1" keeps its =
		s.Want = nil
		s.Action, err = parseAction(t, p.isHost)
		if err == nil {
			s.Action, err = p.checkAction(s.Action, words)
		}
	default:
		err = p.call(&s, body)
		p.learn(want.Text)
	}
	if err != nil {
		return err
	}
	p.c.Steps = append(p.c.Steps, s)
	return nil
}

// checkAction looks up what an action names.
func (p *caseParser) checkAction(a Action, words []text) (Action, error) {
	switch a := a.(type) {
	case ICMP:
		owner, ok := p.owner[a.Socket]
		if !ok {
			return nil, words[1].errorf(0, "nothing is called %q so far", a.Socket)
		}
		a.Process = owner
		return a, nil
	case Stop:
		return a, p.checkProcess(a.Process, words[1])
	case Label:
		return a, p.checkProcess(a.Process, words[1])
	}
	return a, nil
}

func (p *caseParser) checkProcess(name string, at text) error {
	if !p.isProcess(name) {
		return at.errorf(0, "expected a process, got %q", name)
	}
	return nil
}

// otherSystem reads "on freebsd, darwin = EINVAL", about the step before it.
func (p *caseParser) otherSystem(t text) error {
	body, want, err := splitWant(t)
	if err != nil {
		return err
	}
	if len(p.c.Steps) == 0 || p.c.Steps[len(p.c.Steps)-1].Want == nil || want.Text == "" {
		return t.errorf(0, "expected \"on SYSTEM, SYSTEM = RESULT\" behind a call")
	}
	for _, name := range body.slice(len("on"), len(body.s)).split(',') {
		if !slices.Contains(p.c.Systems, name.s) {
			return name.errorf(0, "expected one of this case's systems (%s), got %q",
				strings.Join(p.c.Systems, " "), name.s)
		}
		p.c.Steps[len(p.c.Steps)-1].Want[name.s] = want
	}
	p.learn(want.Text)
	return nil
}

// start reads "start THREAD: call".
func (p *caseParser) start(s *Step, body text) error {
	rest := body.slice(len("start"), len(body.s)).trim()
	colon := strings.IndexByte(rest.s, ':')
	if colon <= 0 || !isName(rest.s[:colon]) {
		return rest.errorf(0, "expected \"start THREAD: call\", got %q", body.s)
	}
	if s.Want[Linux] != (Want{}) {
		return body.errorf(0, "the answer of a started call stands behind \"wait %s\"", rest.s[:colon])
	}
	s.Thread = rest.s[:colon]
	p.threads[s.Thread] = true
	s.Want = nil
	if err := p.call(s, rest.slice(colon+1, len(rest.s)).trim()); err != nil {
		return err
	}
	s.Kind = KindStart
	return nil
}

// thread reads "wait THREAD", "blocked THREAD" and "interrupt THREAD [restart]".
func (p *caseParser) thread(s *Step, words []text) error {
	if len(words) < 2 || !p.threads[words[1].s] {
		return words[0].errorf(0, "expected a started thread behind %q", words[0].s)
	}
	s.Thread = words[1].s
	rest := words[2:]
	switch words[0].s {
	case "wait":
		s.Kind = KindWait
		p.learn(s.Want[Linux].Text)
		return nil
	case "blocked":
		s.Kind = KindBlocked
	case "interrupt":
		s.Kind = KindInterrupt
		if len(rest) > 0 && rest[0].s == "restart" {
			s.Restart = true
			rest = rest[1:]
		}
	}
	s.Want = nil
	if len(rest) > 0 {
		return rest[0].errorf(0, "unexpected %q behind %q", rest[0].s, words[0].s)
	}
	return nil
}

// call reads "[PROCESS:] [VARIABLE[, VARIABLE] =] name(arguments)".
func (p *caseParser) call(s *Step, t text) error {
	rest := t
	process := ""
	if colon := strings.IndexByte(t.s, ':'); colon > 0 && isName(t.s[:colon]) {
		process = t.s[:colon]
		if !p.isProcess(process) {
			return t.errorf(0, "expected a process or host before the colon, got %q", process)
		}
		rest = t.slice(colon+1, len(t.s)).trim()
	}
	var bind []string
	open := strings.IndexByte(rest.s, '(')
	if eq := strings.IndexByte(rest.s, '='); eq > 0 && (open < 0 || eq < open) {
		for _, v := range rest.slice(0, eq).split(',') {
			if !isName(v.s) {
				return v.errorf(0, "expected the name of a descriptor, got %q", v.s)
			}
			bind = append(bind, v.s)
		}
		rest = rest.slice(eq+1, len(rest.s)).trim()
	}
	checked, err := p.checkVariables(rest)
	if err != nil {
		return err
	}
	owner := ""
	call, err := parseCall(checked, func(name string) (int, bool) {
		if o, ok := p.owner[name]; ok {
			if owner == "" {
				owner = o
			}
			return 0, true
		}
		return literalFD(name)
	})
	if err != nil {
		return err
	}
	call.Process, call.Bind = process, bind
	if process == "" {
		call.Process = "a"
		if owner != "" && call.Name != "inherit" {
			call.Process = owner
		}
	}
	binds := signatures[call.Name].binds
	if len(bind) > 0 && len(bind) != binds {
		return t.errorf(0, "%s makes %d descriptors, not %d", call.Name, binds, len(bind))
	}
	for _, v := range bind {
		p.owner[v] = call.Process
	}
	s.Kind, s.Call = KindCall, call
	s.Call.Args = []Arg{{Kind: ArgText, Text: rest.s}} // parsed when the variables are known
	return nil
}

// checkVariables puts a stand-in for each $name, so that a call can be checked before it runs.
func (p *caseParser) checkVariables(t text) (text, error) {
	out := text{file: t.file, line: t.line}
	var b strings.Builder
	for i := 0; i < len(t.s); i++ {
		if t.s[i] != '$' {
			b.WriteByte(t.s[i])
			out.cols = append(out.cols, t.cols[i])
			continue
		}
		end := i + 1
		for end < len(t.s) && isWord(t.s[end]) {
			end++
		}
		name := t.s[i+1 : end]
		if _, isFD := p.owner[name]; !p.names[name] && !isFD {
			return t, t.errorf(i, "$%s is not known here: no answer before this line names it", name)
		}
		b.WriteByte('1')
		out.cols = append(out.cols, t.cols[i])
		i = end - 1
	}
	out.s = b.String()
	out.cols = append(out.cols, t.cols[len(t.s)])
	return out, nil
}

// learn remembers the $names of an expectation.
func (p *caseParser) learn(want string) {
	for i := 0; i < len(want); i++ {
		if want[i] != '$' {
			continue
		}
		end := i + 1
		for end < len(want) && isWord(want[end]) {
			end++
		}
		p.names[want[i+1:end]] = true
	}
}
