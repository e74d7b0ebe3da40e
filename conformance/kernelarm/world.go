// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package kernelarm

import (
	"errors"
	"slices"
	"time"

	"dialtone/conformance"
)

// world is the network of one case: namespaces, and child processes in them.
type world struct {
	arm       *Arm
	c         *conformance.Case
	deadline  time.Time // after it, a call that hasn't returned is taken to be blocked for ever
	hosts     map[string]*host
	processes map[string]*process
	groups    map[string]*group // of hosts with a policy
	ends      []*end            // of the cables, two after each other
	owner     map[string]string // process of each descriptor, by its name in the script
}

func (w *world) build() error {
	for _, h := range w.c.Hosts {
		made, err := newHost(h.Name, w.arm.root, w.hosts[h.Tree], h.LoDown)
		if err != nil {
			return err
		}
		w.hosts[h.Name] = made
	}
	for _, c := range w.c.Cables {
		if err := w.layCable(c); err != nil {
			return err
		}
	}
	if w.looksAtPackets() {
		for _, h := range w.hosts {
			if err := h.do(h.startCapture); err != nil {
				return err
			}
		}
	}
	for _, p := range w.c.Processes {
		made, err := startProcess(w.hosts[p.Host], w.deadline)
		if err != nil {
			return err
		}
		w.processes[p.Name] = made
	}
	return nil
}

func (w *world) looksAtPackets() bool {
	return slices.ContainsFunc(w.c.Steps, func(s conformance.Step) bool {
		_, icmp := s.Action.(conformance.ICMP)
		return icmp || s.Call.Name == "syns"
	})
}

// Close ends the processes and the threads that hold the namespaces.
func (w *world) Close() error {
	var errs []error
	for _, p := range w.processes {
		errs = append(errs, p.close())
	}
	for _, g := range w.groups {
		errs = append(errs, g.remove())
	}
	for _, h := range w.hosts {
		h.close()
	}
	return errors.Join(errs...)
}

// Call makes a call in its process.
func (w *world) Call(c conformance.Call) (conformance.Result, error) {
	if c.Name == "syns" {
		return w.syns(c)
	}
	t, err := w.Start(c)
	if err != nil {
		return conformance.Result{}, err
	}
	return t.Wait()
}

// Start makes a call in a thread of its process.
func (w *world) Start(c conformance.Call) (conformance.Thread, error) {
	p := w.processes[c.Process]
	r := request{Op: opCall, Call: c}
	if c.Name == "inherit" {
		owner, ok := w.processes[w.owner[c.Args[0].Text]]
		if !ok {
			return nil, conformance.NotRun("inherit: no process made descriptor %s", c.Args[0].Text)
		}
		r.PID = owner.cmd.Process.Pid
	}
	for _, name := range c.Bind {
		w.owner[name] = c.Process
	}
	return p.start(r)
}
