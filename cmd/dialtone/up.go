// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"dialtone/scenario"
	"dialtone/supervisor"
)

type upVerb struct {
	explainFlags
	File string `arg:"" help:"The scenario file, with the programs to start."`
}

// Help is printed by dialtone up --help.
func (upVerb) Help() string {
	return `Every line that a program writes is printed behind the name of its host. The first program that fails stops the others, and its exit status is dialtone's. Ctrl-C stops all, a second one at once.`
}

// stopGrace is how long programs have to end after SIGTERM before they are killed.
const stopGrace = 5 * time.Second

// Run runs all programs of the file until each has ended.
func (v *upVerb) Run(out *output) error {
	s, err := loadScenario(v.File)
	if err != nil {
		return err
	}
	h, err := openHosting(s, &v.explainFlags, out)
	if err != nil {
		return err
	}
	programs := h.scenario.Programs()
	if len(programs) == 0 {
		return errors.Join(fmt.Errorf("%s: no programs to start, expected the key \"programs\"", v.File), h.Close())
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	defer signal.Stop(signals)
	g := &group{hosting: h, out: &lines{out: out}, ends: make(chan end), grace: stopGrace}
	for _, p := range programs {
		g.out.width = max(g.out.width, len(p.Host))
	}
	status := g.run(programs, signals)
	return ended(status, h.Close())
}

// group is a number of programs that run together.
type group struct {
	hosting  *hosting
	out      *lines
	targets  []*supervisor.Target // those that were started
	ends     chan end             // one from each of them
	grace    time.Duration        // from SIGTERM to SIGKILL
	status   int                  // of the first that failed, or of the signal that ended all
	stopping bool
}

// end is how a program ended.
type end struct {
	program *scenario.Program
	status  int
	err     error
}

// run starts the programs and waits for all of them. It returns the group's exit status.
func (g *group) run(programs []scenario.Program, signals <-chan os.Signal) int {
	for i := range programs {
		if err := g.start(&programs[i]); err != nil {
			status := exitFailure
			var reason *supervisor.StartError
			if errors.As(err, &reason) {
				status = reason.Status
			}
			g.failed(end{&programs[i], status, err})
			break
		}
	}
	var late <-chan time.Time
	for running := len(g.targets); running > 0; {
		if g.stopping && late == nil {
			late = time.After(g.grace)
		}
		select {
		case e := <-g.ends:
			running--
			if e.status != 0 || e.err != nil {
				g.failed(e)
			}
		case s := <-signals:
			if g.stopping { // somebody is impatient
				g.kill()
			}
			g.stop(128 + int(s.(syscall.Signal)))
		case <-late:
			g.kill()
		}
	}
	g.out.wait()
	return g.status
}

func (g *group) start(program *scenario.Program) error {
	p, err := g.hosting.program(program.Host)
	if err != nil {
		return err
	}
	p.Argv, p.Dir = program.Args, program.Directory
	p.Env = append(os.Environ(), program.Environment...)
	if p.Stdout, p.Stderr, err = g.out.pipes(program.Host); err != nil {
		return err
	}
	target, err := g.hosting.supervisor.Start(p)
	// The program has its own descriptors of the pipes now.
	err = errors.Join(err, p.Stdout.Close(), p.Stderr.Close())
	if target == nil {
		return err
	}
	g.targets = append(g.targets, target)
	go func() {
		status, err := target.Wait()
		g.ends <- end{program, status, err}
	}()
	return err
}

// failed says which program failed, and stops the others; what they do then is no failure any more.
func (g *group) failed(e end) {
	if g.stopping {
		return
	}
	reason := fmt.Sprintf("exit status %d", e.status)
	if e.err != nil {
		reason = e.err.Error()
	}
	g.out.say(fmt.Sprintf("%s: %s: %s", e.program.Host, e.program.Args[0], reason))
	g.stop(e.status)
}

// stop asks all programs to end. The first status it is given is the group's.
func (g *group) stop(status int) {
	if g.stopping {
		return
	}
	g.stopping, g.status = true, status
	for _, t := range g.targets {
		// One that has ended already, or ends meanwhile, is none to be asked.
		_ = t.Signal(unix.SIGTERM)
	}
}

// kill ends all programs.
func (g *group) kill() {
	for _, t := range g.targets {
		t.Kill()
	}
}
