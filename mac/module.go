// SPDX-License-Identifier: Apache-2.0

package mac

import (
	"fmt"
	"net/netip"

	"dialtone/selinux"
	"dialtone/selinux/defaultpolicy"
	"dialtone/socket"
)

// Mode says what becomes of denials.
type Mode uint8

// The modes.
const (
	Enforcing  Mode = iota
	Permissive      // they are audited, and granted
	Off             // nothing is asked
)

func (m Mode) String() string { return [...]string{"enforcing", "permissive", "off"}[m] }

// Ports are the settings of a host that bind's check depends on: ports from First to Last may be anybody's, but for those
// below Unprivileged.
type Ports struct{ First, Last, Unprivileged uint16 }

// Module is a host's access control. The methods for its owner take the host's lock; those of [socket.Access] are called
// with it held.
type Module struct {
	core   *socket.Core
	server *selinux.Server
	ports  func() Ports
	mode   Mode

	flask, labelled       bool
	flaskSet, labelledSet bool // by the owner, whatever the policy says

	unlabelled        selinux.SID // of processes without a label
	unlabelledContext string      // as given by the owner; empty: see defaultSID
	programs          map[string]program
	files             map[string]selinux.SID // of programs, by path

	audit   func(selinux.Record)
	subject subject // of the check under way
}

// program is what the processes of a program are labelled with.
type program struct{ process, sockets selinux.SID }

// New puts access control on the host of core. Sockets that were there already count as those of a process without a
// label. ports tells the host's settings; it is called with the lock held.
func New(core *socket.Core, p *selinux.Policy, ports func() Ports) (*Module, error) {
	server, err := selinux.NewServer(p)
	if err != nil {
		return nil, err
	}
	m := &Module{core: core, server: server, ports: ports, programs: map[string]program{}, files: map[string]selinux.SID{}}
	server.Audit = m.record
	core.Lock()
	defer core.Unlock()
	m.adapt()
	core.Access = m
	return m, nil
}

// Load replaces the policy. Live connections are judged by the new one from then on.
func (m *Module) Load(p *selinux.Policy) error {
	m.core.Lock()
	defer m.core.Unlock()
	if m.unlabelledContext != "" {
		if _, err := p.ParseContext(m.unlabelledContext); err != nil {
			return err
		}
	}
	if err := m.server.Load(p); err != nil {
		return err
	}
	m.adapt()
	return nil
}

// adapt sees to what depends on the policy.
func (m *Module) adapt() {
	p := m.server.Policy()
	m.unlabelled = m.defaultSID()
	if !m.flaskSet {
		class, _ := p.Class(selinux.ClassTCPSocket.String())
		_, m.flask = p.Permission(class, "connectto")
	}
	if !m.labelledSet {
		m.labelled = p.Has(selinux.CapabilityAlwaysCheckNetwork)
	}
}

// defaultSID returns the SID of processes without a label: the context that the owner gave, else the first that the policy
// accepts of the default policy's, those of unconfined processes in Debian's and Fedora's policies, and the kernel's.
func (m *Module) defaultSID() selinux.SID {
	for _, c := range []string{
		m.unlabelledContext, defaultpolicy.ProcessContext,
		"unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023", "unconfined_u:unconfined_r:unconfined_t",
	} {
		if sid, err := m.server.ContextToSID(c); err == nil {
			return sid
		}
	}
	return selinux.InitialKernel
}

// Mode returns the mode.
func (m *Module) Mode() Mode {
	m.core.Lock()
	defer m.core.Unlock()
	return m.mode
}

// SetMode changes the mode.
func (m *Module) SetMode(mode Mode) {
	m.core.Lock()
	defer m.core.Unlock()
	m.mode = mode
	m.server.SetEnforcing(mode == Enforcing)
	m.core.Access = m
	if mode == Off {
		m.core.Access = nil
	}
}

// SetFlask turns Flask's checks between the two sockets of a conversation on or off.
func (m *Module) SetFlask(on bool) {
	m.core.Lock()
	defer m.core.Unlock()
	m.flask, m.flaskSet = on, true
}

// SetLabelled turns the checks of labelled networking on or off.
func (m *Module) SetLabelled(on bool) {
	m.core.Lock()
	defer m.core.Unlock()
	m.labelled, m.labelledSet = on, true
}

// SetBooleans changes booleans of the policy: all or, if one is unknown, none.
func (m *Module) SetBooleans(states map[string]bool) error {
	m.core.Lock()
	defer m.core.Unlock()
	return m.server.SetBooleans(states)
}

// LabelPorts labels the ports low to high of an IP protocol, before what the policy says.
func (m *Module) LabelPorts(proto int, low, high uint16, context string) error {
	m.core.Lock()
	defer m.core.Unlock()
	return m.server.LabelPorts(proto, low, high, context)
}

// LabelNode labels addresses, before what the policy says.
func (m *Module) LabelNode(prefix netip.Prefix, context string) error {
	m.core.Lock()
	defer m.core.Unlock()
	return m.server.LabelNode(prefix, context)
}

// LabelNetif labels an interface, and the packets that arrive there without a label, before what the policy says.
func (m *Module) LabelNetif(name, context, message string) error {
	m.core.Lock()
	defer m.core.Unlock()
	return m.server.LabelNetif(name, context, message)
}

// LabelProgram labels the processes of a program, by its name, that have no label of their own. sockets, if not empty,
// is the context of the sockets that they make.
func (m *Module) LabelProgram(name, context, sockets string) error {
	m.core.Lock()
	defer m.core.Unlock()
	var l program
	var err error
	if l.process, err = m.server.ContextToSID(context); err != nil {
		return err
	}
	if sockets != "" {
		if l.sockets, err = m.server.ContextToSID(sockets); err != nil {
			return err
		}
	}
	m.programs[name] = l
	return nil
}

// LabelFile labels the file of a program, by its path without links: execve(2) of it changes a process's label as the
// policy says, and not as [Module.LabelProgram] does.
func (m *Module) LabelFile(path, context string) error {
	m.core.Lock()
	defer m.core.Unlock()
	sid, err := m.server.ContextToSID(context)
	if err != nil {
		return err
	}
	m.files[path] = sid
	return nil
}

// LabelOthers labels the processes that have no label at all.
func (m *Module) LabelOthers(context string) error {
	m.core.Lock()
	defer m.core.Unlock()
	sid, err := m.server.ContextToSID(context)
	if err != nil {
		return err
	}
	m.unlabelled, m.unlabelledContext = sid, context
	return nil
}

// SID returns the SID of a context on this host.
func (m *Module) SID(context string) (uint32, error) {
	m.core.Lock()
	defer m.core.Unlock()
	sid, err := m.server.ContextToSID(context)
	return uint32(sid), err
}

// Context returns the context of a SID of this host.
func (m *Module) Context(sid uint32) (string, error) {
	m.core.Lock()
	defer m.core.Unlock()
	return m.server.SIDToContext(selinux.SID(sid))
}

// Explain tells why a permission between two contexts is allowed or denied, as things are now.
func (m *Module) Explain(source, target, class, permission string) (selinux.Explanation, error) {
	m.core.Lock()
	defer m.core.Unlock()
	p := m.server.Policy()
	s, err := p.ParseContext(source)
	if err != nil {
		return selinux.Explanation{}, fmt.Errorf("source: %w", err)
	}
	t, err := p.ParseContext(target)
	if err != nil {
		return selinux.Explanation{}, fmt.Errorf("target: %w", err)
	}
	return m.server.Explain(&s, &t, class, permission), nil
}

// SetAudit has f called for each decision that the policy wants audited, with the host's lock held; nil ends that.
func (m *Module) SetAudit(f func(selinux.Record)) {
	m.core.Lock()
	defer m.core.Unlock()
	m.audit = f
}

// CacheStats returns the counters of the access vector cache.
func (m *Module) CacheStats() selinux.CacheStats {
	m.core.Lock()
	defer m.core.Unlock()
	return m.server.CacheStats()
}
