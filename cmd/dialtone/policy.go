// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"dialtone/selinux"
	"dialtone/selinux/defaultpolicy"
	"dialtone/selinux/policytool"
)

// policyVerb groups the questions on a policy. But for explain each is asked line by line, for scripts.
type policyVerb struct {
	Explain     policyExplainVerb     `cmd:"" help:"Tell why a permission is allowed or denied."`
	AV          policyAVVerb          `cmd:"" name:"av" help:"Answer lines SOURCE TARGET CLASS with access vectors."`
	Port        policyPortVerb        `cmd:"" help:"Answer lines PROTOCOL PORT with the port's context."`
	Context     policyContextVerb     `cmd:"" help:"Answer lines CONTEXT: whether the policy accepts it."`
	Transition  policyTransitionVerb  `cmd:"" help:"Answer lines SOURCE TARGET CLASS with the labels of new objects."`
	SocketLabel policySocketLabelVerb `cmd:"" help:"Answer lines PROCESS CLASS with the label of a new socket."`
}

// policyFlags say which policy is asked.
type policyFlags struct {
	Policy string   `placeholder:"FILE" help:"A binary policy, or CIL if its name ends in .cil; else dialtone's default policy."`
	Bool   []string `placeholder:"NAME=0|1" sep:"none" help:"The state of a boolean, instead of the policy's."`
}

// server returns the security server of the policy, and the name of its file.
func (f *policyFlags) server() (*selinux.Server, string, error) {
	policy, name, err := f.load()
	if err != nil {
		return nil, "", err
	}
	states, err := policytool.ParseBooleans(f.Bool)
	if err != nil {
		return nil, "", err
	}
	s, err := selinux.NewServer(policy)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", name, err)
	}
	if err := s.SetBooleans(states); err != nil {
		return nil, "", fmt.Errorf("%s: %w", name, err)
	}
	return s, filepath.Base(name), nil
}

func (f *policyFlags) load() (*selinux.Policy, string, error) {
	if f.Policy == "" {
		return defaultpolicy.Policy(), "default", nil
	}
	data, err := os.ReadFile(f.Policy)
	if err != nil {
		return nil, "", err
	}
	p, err := selinux.Load(f.Policy, data)
	if err != nil && filepath.Ext(f.Policy) != ".cil" { // a mistake in CIL names its file itself
		err = fmt.Errorf("%s: %w", f.Policy, err)
	}
	return p, f.Policy, err
}

// exitBadLines is the exit status when some lines were no questions.
const exitBadLines = 1

// answer has f answer the lines of the standard input.
func (f *policyFlags) answer(out *output, answer func(s *selinux.Server, in io.Reader, out io.Writer) error) error {
	s, _, err := f.server()
	if err != nil {
		return err
	}
	err = answer(s, os.Stdin, out.stdout)
	var bad *policytool.BadLinesError
	if errors.As(err, &bad) {
		return exitStatus{exitBadLines, err}
	}
	return err
}

type policyAVVerb struct{ policyFlags }

// Help is what --help adds.
func (policyAVVerb) Help() string {
	return `Lines are read from the standard input, and each is answered by a JSON object in a line: allowed, auditallow and auditdeny are the raw vectors in the policy's numbering, perms the names of what is allowed. A line that is no question is answered by an object with its number and an error; exit status 1 then, at the end.

Example: echo "system_u:system_r:http_proxy_t:s0 system_u:object_r:ssh_port_t:s0 tcp_socket" | dialtone policy av`
}

func (v *policyAVVerb) Run(out *output) error { return v.answer(out, policytool.AV) }

type policyPortVerb struct{ policyFlags }

func (v *policyPortVerb) Run(out *output) error { return v.answer(out, policytool.Port) }

type policyContextVerb struct{ policyFlags }

func (v *policyContextVerb) Run(out *output) error { return v.answer(out, policytool.Context) }

type policyTransitionVerb struct{ policyFlags }

func (v *policyTransitionVerb) Run(out *output) error { return v.answer(out, policytool.Transition) }

type policySocketLabelVerb struct{ policyFlags }

func (v *policySocketLabelVerb) Run(out *output) error {
	_, name, err := v.server()
	if err != nil {
		return err
	}
	return v.answer(out, func(s *selinux.Server, in io.Reader, w io.Writer) error {
		return policytool.SocketLabel(s, name, in, w)
	})
}

type policyExplainVerb struct {
	policyFlags
	JSON   bool   `name:"json" help:"Print a JSON object."`
	Source string `arg:"" help:"The context of who wants it."`
	Target string `arg:"" help:"The context of what it is wanted of."`
	Class  string `arg:"" help:"The class of that, such as tcp_socket."`
	Perm   string `arg:"" help:"The permission, such as name_connect."`
}

// Help is what --help adds.
func (policyExplainVerb) Help() string {
	return `The rules that allow it; or what denies it: no rule, a boolean that is off, a constraint and the term that fails, bounds, a role, a permission that the policy does not know; and what would help.

Exit status 1: it is denied.`
}

// exitDenied is the exit status when a permission is denied.
const exitDenied = 1

func (v *policyExplainVerb) Run(out *output) error {
	s, _, err := v.server()
	if err != nil {
		return err
	}
	x, err := policytool.Explain(s, v.Source, v.Target, v.Class, v.Perm)
	if err != nil {
		return err
	}
	if v.JSON {
		err = json.NewEncoder(out.stdout).Encode(x)
	} else {
		_, err = fmt.Fprintln(out.stdout, x.String())
	}
	if err == nil && !x.Allowed {
		return exitStatus{status: exitDenied}
	}
	return err
}
