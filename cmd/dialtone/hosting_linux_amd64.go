// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"dialtone"
	"dialtone/scenario"
	"dialtone/socket"
	"dialtone/supervisor"
)

// hosting is a network with a supervisor, ready for programs.
type hosting struct {
	scenario    *scenario.Scenario
	network     *scenario.Running
	supervisor  *supervisor.Supervisor
	explainer   *explainer
	trail       *os.File  // nil: none
	auditor     *auditor  // nil: none
	recorder    *recorder // nil: none
	nameservers []netip.Addr
	answered    map[*dialtone.Host]bool
}

// loadScenario reads the file of a network; the default network's if path is empty.
func loadScenario(path string) (*scenario.Scenario, error) {
	if path == "" {
		return scenario.Default(), nil
	}
	return scenario.Load(path)
}

// openHosting makes the network that s describes, and a supervisor.
func openHosting(s *scenario.Scenario, f *explainFlags, out *output) (*hosting, error) {
	h := &hosting{scenario: s, nameservers: nameservers(), answered: make(map[*dialtone.Host]bool)}
	if err := h.start(f, out); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

func (h *hosting) start(f *explainFlags, out *output) (err error) {
	if h.explainer, h.trail, err = f.open(out.stderr); err != nil {
		return err
	}
	if h.auditor, err = openAuditor(f.Audit, out.stderr); err != nil {
		return err
	}
	if h.recorder, err = openRecorder(f.Capture, out.stderr); err != nil {
		return err
	}
	if h.network, err = h.scenario.Start(); err != nil {
		return err
	}
	if err = h.recorder.start(h.network.Network); err != nil {
		return err
	}
	h.auditor.listen(h.network.Network.Hosts())
	// Nothing but the file's own timeline changes the network that it describes. Where it does, it is to change every
	// connection: a crash ends those of a host with itself, too. And a capture is to see all bytes.
	options := supervisor.Options{
		Settled: !h.scenario.Changes(), NeverDirect: h.scenario.Changes() || h.recorder != nil,
		Warn: func(text string) { complain(out.stderr, errors.New(text)) },
	}
	if h.explainer != nil {
		options.Explain = h.explainer.explain
	}
	h.supervisor, err = supervisor.New(options)
	return err
}

// Close ends everything; the programs must have ended.
func (h *hosting) Close() error {
	if h.supervisor != nil {
		h.supervisor.Close()
	}
	var err error
	if h.network != nil {
		err = h.network.Close()
	}
	err = errors.Join(err, h.explainer.Err(), h.auditor.Close(), h.recorder.Close())
	if h.trail != nil {
		err = errors.Join(err, h.trail.Close())
	}
	return err
}

// program returns one to start on a host, and has that host's questions for names answered. What to start is the caller's
// to fill in.
func (h *hosting) program(host string) (supervisor.Program, error) {
	name, err := h.scenario.HostName(host)
	if err != nil {
		return supervisor.Program{}, err
	}
	on := h.network.Host(name)
	if !h.answered[on] {
		h.answered[on] = true
		if err := h.network.AnswerNames(on, h.nameservers); err != nil {
			return supervisor.Program{}, fmt.Errorf("host %s: name server: %w", on.Name(), err)
		}
	}
	secure := func() error {
		err := on.Secure()
		h.auditor.listen(h.network.Network.Hosts()) // which may be under a policy since a moment ago
		return err
	}
	caller, err := ownCredentials()
	return supervisor.Program{Stack: on.Stack(), Caller: caller, Secure: secure}, err
}

// nameservers returns those that programs on this machine ask.
func nameservers() []netip.Addr {
	f, err := os.Open("/etc/resolv.conf")
	if err != nil {
		return scenario.Nameservers(strings.NewReader("")) // as the C library does
	}
	defer f.Close()
	return scenario.Nameservers(f)
}

// capabilities are those that sockets ask for, by their numbers in Linux (capabilities(7)).
var capabilities = map[int]socket.Caps{
	unix.CAP_NET_BIND_SERVICE: socket.NetBindService,
	unix.CAP_NET_ADMIN:        socket.NetAdmin,
	unix.CAP_NET_RAW:          socket.NetRaw,
	unix.CAP_DAC_OVERRIDE:     socket.DACOverride,
	unix.CAP_DAC_READ_SEARCH:  socket.DACReadSearch,
	unix.CAP_SYS_ADMIN:        socket.SysAdmin,
	unix.CAP_SETUID:           socket.SetUID,
	unix.CAP_SETGID:           socket.SetGID,
}

// ownCredentials returns this process's: a program is on a virtual host who it is on this machine.
func ownCredentials() (socket.Caller, error) {
	groups, err := os.Getgroups()
	if err != nil {
		return socket.Caller{}, err
	}
	c := socket.Caller{UID: uint32(os.Geteuid()), GID: uint32(os.Getegid())}
	for _, g := range groups {
		c.Groups = append(c.Groups, uint32(g))
	}
	var sets [2]unix.CapUserData // for capabilities 0 to 31 and 32 to 63
	if err := unix.Capget(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &sets[0]); err != nil {
		return socket.Caller{}, fmt.Errorf("capget: %w", err)
	}
	for number, capability := range capabilities {
		if sets[number/32].Effective&(1<<(number%32)) != 0 {
			c.Caps |= capability
		}
	}
	return c, nil
}
