// SPDX-License-Identifier: Apache-2.0

package dialtonearm

import (
	"net/netip"
	"time"

	"dialtone"
	"dialtone/clock"
	"dialtone/conformance"
	"dialtone/inet"
	"dialtone/link"
	"dialtone/personality"
	"dialtone/socket"
)

// patience is how long a call may wait, in virtual time, before it is taken to be blocked for ever.
const patience = 24 * time.Hour

// world is the network of one case.
type world struct {
	clock     *clock.Manual
	network   *dialtone.Network
	hosts     map[string]*host
	processes map[string]*process
	owner     map[string]*process // of each descriptor, by its name in the script
	made      []made
}

// made is a file that the script has made.
type made struct{ host, path string }

// host is a host and what was seen leaving it.
type host struct {
	*dialtone.Host
	tap  tap
	ends map[string]*delay // the cables' ends, by interface
	log  accessLog
}

func newWorld(c *conformance.Case, p *personality.Personality) (*world, error) {
	w := &world{
		clock: clock.NewManual(), hosts: map[string]*host{}, processes: map[string]*process{}, owner: map[string]*process{},
	}
	n := dialtone.NewNetwork(dialtone.WithClock(w.clock))
	w.network = n
	for _, h := range c.Hosts {
		newHost := func(name string) (*dialtone.Host, error) { return n.NewHost(name, p) }
		if h.Tree != "" {
			newHost = w.hosts[h.Tree].NewNamespace
		}
		made, err := newHost(h.Name)
		if err != nil {
			return nil, err
		}
		host := &host{Host: made, ends: map[string]*delay{}}
		lo := made.Stack().Interfaces()[0]
		host.tap.wrap(lo)
		if h.LoDown {
			lo.SetUp(false)
			for _, p := range lo.Prefixes() { // it gets them when it comes up for the first time
				lo.RemoveAddress(p)
			}
		}
		w.hosts[h.Name] = host
	}
	for _, cable := range c.Cables {
		l := link.NewCable(0)
		if err := w.hosts[cable.HostA].attach(cable.InterfaceA, l); err != nil {
			return nil, err
		}
		if err := w.hosts[cable.HostB].attach(cable.InterfaceB, l); err != nil {
			return nil, err
		}
	}
	for i, p := range c.Processes {
		h := w.hosts[p.Host]
		caller := socket.Caller{Name: p.Name, PID: firstPID + i, Caps: socket.AllCaps}
		w.processes[p.Name] = &process{Process: h.NewProcessAs(caller), host: h, names: map[int]string{}}
	}
	return w, nil
}

// firstPID is a number that looks like one a system has chosen: see [conformance.Compare].
const firstPID = 4711

// addresses are those of the cable that every case has.
var addresses = map[string][]netip.Prefix{
	"a0": {netip.MustParsePrefix("10.0.0.1/24"), netip.MustParsePrefix("fe80::1/64"), netip.MustParsePrefix("fd00::1/64")},
	"b0": {netip.MustParsePrefix("10.0.0.2/24"), netip.MustParsePrefix("fe80::2/64"), netip.MustParsePrefix("fd00::2/64")},
}

func (h *host) attach(name string, l link.Link) error {
	i, err := h.Attach(name, l, addresses[name]...)
	if err != nil {
		return err
	}
	h.ends[name] = &delay{}
	i.Wrap(h.ends[name].wrap)
	h.tap.wrap(i)
	return nil
}

// interfaceNamed returns an interface, nil if there is none.
func (h *host) interfaceNamed(name string) *inet.Interface {
	for _, i := range h.Stack().Interfaces() {
		if i.Name == name {
			return i
		}
	}
	return nil
}

// Close ends the processes.
func (w *world) Close() error {
	for _, p := range w.processes {
		p.Exit()
	}
	return nil
}

// Call makes a call in its process.
func (w *world) Call(c conformance.Call) (conformance.Result, error) {
	t, err := w.Start(c)
	if err != nil {
		return conformance.Result{}, err
	}
	return t.Wait()
}

// Start makes a call in a thread of its process.
func (w *world) Start(c conformance.Call) (conformance.Thread, error) {
	p := w.processes[c.Process]
	t := &thread{world: w, process: p, as: p.Thread()}
	var owner *process
	if len(c.Args) > 0 {
		owner = w.owner[c.Args[0].Text]
	}
	for _, name := range c.Bind {
		w.owner[name] = p
	}
	p.threads = append(p.threads, t)
	w.clock.Go(func() {
		began := w.clock.Now()
		t.result, t.err = t.perform(c, owner)
		t.result.Elapsed = w.clock.Now() - began
		t.done = true
	})
	w.clock.Settle()
	return t, nil
}

// thread is a call under way. The clock's Settle orders its fields' writes before others' reads.
type thread struct {
	world   *world
	process *process
	as      *dialtone.Process
	result  conformance.Result
	err     error
	done    bool
}

// Wait lets time pass until the call has returned.
func (t *thread) Wait() (conformance.Result, error) {
	limit := t.world.clock.Now() + patience
	for !t.done {
		if !t.world.clock.Step() && !t.done || t.world.clock.Now() > limit {
			return conformance.Result{}, conformance.ErrBlocked
		}
	}
	return t.result, t.err
}

// Blocked says whether the call waits.
func (t *thread) Blocked() (bool, error) { return !t.done, nil }

// Interrupt is a signal that the thread catches.
func (t *thread) Interrupt(restart bool) error {
	t.as.Interrupt(restart)
	t.world.clock.Settle()
	return nil
}
