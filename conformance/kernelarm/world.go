// SPDX-License-Identifier: Apache-2.0

//go:build linux

package kernelarm

import (
	"errors"
	"fmt"
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
		err := w.hosts[c.HostA].batch(fmt.Sprintf("link add %s type veth peer name %s netns %s",
			c.InterfaceA, c.InterfaceB, w.hosts[c.HostB].namespace()))
		if err != nil {
			return err
		}
		if err := w.hosts[c.HostA].batch(interfaceUp(c.InterfaceA)...); err != nil {
			return err
		}
		if err := w.hosts[c.HostB].batch(interfaceUp(c.InterfaceB)...); err != nil {
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

// interfaceUp gives the interfaces of the default cable their addresses; others get theirs by steps of the case.
func interfaceUp(name string) []string {
	lines := []string{"link set " + name + " addrgenmode none"}
	for i, known := range []string{"a0", "b0"} {
		if name == known {
			lines = append(lines,
				fmt.Sprintf("address add 10.0.0.%d/24 broadcast + dev %s", i+1, name),
				fmt.Sprintf("address add fe80::%d/64 dev %s nodad", i+1, name),
				fmt.Sprintf("address add fd00::%d/64 dev %s nodad", i+1, name))
		}
	}
	return append(lines, "link set "+name+" up")
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
		r.PID = w.processes[w.owner[c.Args[0].Text]].cmd.Process.Pid
	}
	for _, name := range c.Bind {
		w.owner[name] = c.Process
	}
	return p.start(r)
}
