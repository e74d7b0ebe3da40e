// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package main

import (
	"context"
	"errors"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

type runVerb struct {
	Network     string `help:"The scenario file of the network; else the default network." placeholder:"FILE"`
	Host        string `help:"The host to run it on, by name or alias; else the file's first." placeholder:"NAME"`
	Personality string `help:"The system whose answers the host gives, else as the network says: linux, linux-2.0, freebsd, darwin, 4.4bsd. Errors have Linux's numbers." placeholder:"NAME"`
	explainFlags
	Args []string `arg:"" passthrough:"partial" name:"program" help:"The program and its arguments."`
}

// Help is printed by dialtone run --help.
func (runVerb) Help() string {
	return `Example: dialtone run --explain -- curl -sS http://refused.test/

The program's input, output, signals and exit status are as if it had been run directly: 128+n if signal n killed it, 127 if it was not found, 126 if it can't be executed. 125: dialtone itself failed.`
}

// Run runs the program and ends with its exit status.
func (v *runVerb) Run(out *output) error {
	if v.Args[0] == "--" {
		v.Args = v.Args[1:]
	}
	if len(v.Args) == 0 {
		return errors.New("expected a program to run")
	}
	s, err := loadScenario(v.Network)
	if err != nil {
		return err
	}
	if v.Personality != "" {
		if err := s.SetPersonality(v.Host, v.Personality); err != nil {
			return err
		}
	}
	h, err := openHosting(s, &v.explainFlags, out)
	if err != nil {
		return err
	}
	status, err := v.run(h)
	return ended(status, errors.Join(err, h.Close()))
}

func (v *runVerb) run(h *hosting) (int, error) {
	program, err := h.program(v.Host)
	if err != nil {
		return exitFailure, err
	}
	program.Argv = v.Args
	program.Stdin, program.Stdout, program.Stderr = os.Stdin, os.Stdout, os.Stderr
	// That nobody reads our own words any more must not end the program. It has SIGPIPE as usual: exec(3) resets what is
	// caught here.
	signal.Notify(make(chan os.Signal, 1), unix.SIGPIPE)
	return h.supervisor.Run(context.Background(), program)
}
