// SPDX-License-Identifier: Apache-2.0

package dialtonearm

import (
	"strings"
	"sync"

	"dialtone/conformance"
	"dialtone/mac"
	"dialtone/selinux"
)

// accessLog keeps what a host's access control has audited, until it is looked at.
type accessLog struct {
	mu    sync.Mutex
	lines []string
}

// take returns the lines since it was last called.
func (l *accessLog) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.lines
	l.lines = nil
	if all == nil {
		return "none"
	}
	return strings.Join(all, ", ")
}

// access changes what is permitted on a host, or to whom.
func (w *world) access(action conformance.Action) error {
	defer w.listen()
	switch a := action.(type) {
	case conformance.Policy:
		if a.Host == "" {
			return w.network.SetPolicy(a.Policy)
		}
		return w.hosts[a.Host].SetPolicy(a.Policy)
	case conformance.Label:
		return w.processes[a.Process].SetContext(a.Context)
	case conformance.AccessMode:
		m, err := w.module(a.Host)
		if err == nil {
			m.SetMode(map[string]mac.Mode{"enforcing": mac.Enforcing, "permissive": mac.Permissive, "off": mac.Off}[a.Mode])
		}
		return err
	case conformance.Boolean:
		m, err := w.module(a.Host)
		if err == nil {
			err = m.SetBooleans(map[string]bool{a.Name: a.On})
		}
		return err
	case conformance.AccessChecks:
		m, err := w.module(a.Host)
		if err == nil {
			set := map[string]func(bool){"flask": m.SetFlask, "packets": m.SetLabelled}[a.Set]
			set(a.On)
		}
		return err
	}
	return conformance.NotRun("there is no action %T here", action)
}

// module returns the access control of a host, which gets the default policy if it has none.
func (w *world) module(host string) (*mac.Module, error) {
	h := w.hosts[host]
	if m := h.Access(); m != nil {
		return m, nil
	}
	err := h.Secure()
	return h.Access(), err
}

// listen has every host's audited decisions kept.
func (w *world) listen() {
	for _, h := range w.hosts {
		if m := h.Access(); m != nil {
			m.SetAudit(func(r selinux.Record) {
				h.log.mu.Lock()
				defer h.log.mu.Unlock()
				h.log.lines = append(h.log.lines, r.String())
			})
		}
	}
}

// nameSIDs gives the arguments that are contexts the SIDs that they have on the process's host. A context that the host's
// policy does not know has none: that is a mistake of the case.
func (t *thread) nameSIDs(args []conformance.Arg) error {
	for i := range args {
		if args[i].Kind != conformance.ArgSID || args[i].Text == "" {
			continue
		}
		m, err := t.world.module(t.process.host.Name())
		if err != nil {
			return err
		}
		sid, err := m.SID(args[i].Text)
		if err != nil {
			return err
		}
		args[i].Int = int(sid)
	}
	return nil
}

// context is what a SID of the process's host stands for.
func (t *thread) context(sid uint32) (string, error) {
	m, err := t.world.module(t.process.host.Name())
	if err != nil {
		return "", err
	}
	return m.Context(sid)
}
