// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"net/netip"
	"os"
	"path/filepath"

	"dialtone"
	"dialtone/firewall"
	"dialtone/mac"
	"dialtone/selinux"
	"dialtone/selinux/defaultpolicy"
	"dialtone/wire"
)

// This file is mandatory access control: the keys policy, mode, booleans, flask, labelled and labels.

type labelsPart struct {
	Processes  table[processLabelPart]   `key:"processes"`
	Others     value[string]             `key:"others"`
	Files      list[fileLabelPart]       `key:"files"`
	Ports      list[portLabelPart]       `key:"ports"`
	Nodes      list[nodeLabelPart]       `key:"nodes"`
	Interfaces table[interfaceLabelPart] `key:"interfaces"`
}

type processLabelPart struct {
	Context value[string] `key:"context,required"`
	Sockets value[string] `key:"sockets"`
}

type fileLabelPart struct {
	Path    value[string] `key:"path,required"`
	Context value[string] `key:"context,required"`
}

type portLabelPart struct {
	Protocol value[wire.Protocol]  `key:"protocol"`
	Ports    value[firewall.Ports] `key:"ports,required"`
	Context  value[string]         `key:"context,required"`
}

type nodeLabelPart struct {
	Prefix  value[netip.Prefix] `key:"prefix,required"`
	Context value[string]       `key:"context,required"`
}

type interfaceLabelPart struct {
	Context value[string] `key:"context,required"`
	Message value[string] `key:"message,required"`
}

// modes are the library's words for the file's.
var modes = [...]mac.Mode{enforcing: mac.Enforcing, permissive: mac.Permissive, off: mac.Off}

// defaultPolicyName names the policy that comes with the library.
const defaultPolicyName = "default"

// controlled reports whether f speaks of access control.
func (f *file) controlled() bool {
	l := &f.Labels
	return f.Policy.given() || f.Mode.given() || f.Flask.given() || f.Labelled.given() || l.Others.given() ||
		len(f.Booleans)+len(l.Processes)+len(l.Files)+len(l.Ports)+len(l.Nodes)+len(l.Interfaces) > 0
}

// access loads the policy, and checks what is said of it: contexts and booleans that it does not know are mistakes. A
// file's path is that of the scenario file.
func (c *checker) access() {
	f := c.file
	if !f.controlled() {
		return
	}
	p, err := c.policy(&f.Policy)
	if err != nil {
		c.add(f.Policy.at, "the policy %s: %v", f.Policy.v, err)
		return
	}
	server, err := selinux.NewServer(p)
	if err != nil {
		c.add(f.Policy.at, "the policy %s: %v", f.Policy.v, err)
		return
	}
	f.policy = p
	for i := range f.Booleans {
		if _, ok := server.Boolean(f.Booleans[i].name.v); !ok {
			c.add(f.Booleans[i].name.at, "the policy has no boolean %q", f.Booleans[i].name.v)
		}
	}
	context := func(v *value[string]) {
		if !v.given() {
			return
		}
		if _, err := p.ParseContext(v.v); err != nil {
			c.add(v.at, "%v", err)
		}
	}
	context(&f.Labels.Others)
	for i := range f.Labels.Processes {
		context(&f.Labels.Processes[i].v.Context)
		context(&f.Labels.Processes[i].v.Sockets)
	}
	for i := range f.Labels.Files {
		l := &f.Labels.Files[i]
		context(&l.Context)
		if l.Path.given() && (!filepath.IsAbs(l.Path.v) || l.Path.v != filepath.Clean(l.Path.v)) {
			c.add(l.Path.at, "%q is no absolute path", l.Path.v)
		}
	}
	for i := range f.Labels.Ports {
		l := &f.Labels.Ports[i]
		context(&l.Context)
		if l.Protocol.given() && (l.Protocol.v == wire.ICMP || l.Protocol.v == wire.ICMPv6) {
			c.add(l.Protocol.at, "this protocol has no ports, expected one of tcp, udp, udplite")
		}
	}
	for i := range f.Labels.Nodes {
		context(&f.Labels.Nodes[i].Context)
		c.masked(&f.Labels.Nodes[i].Prefix)
	}
	for i := range f.Labels.Interfaces {
		context(&f.Labels.Interfaces[i].v.Context)
		context(&f.Labels.Interfaces[i].v.Message)
	}
}

// policy returns the policy that the file names.
func (c *checker) policy(name *value[string]) (*selinux.Policy, error) {
	if name.or(defaultPolicyName) == defaultPolicyName {
		return defaultpolicy.Policy(), nil
	}
	path := name.v
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(c.mistakes.file), path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return selinux.Load(path, data)
}

// control puts the hosts under the file's policy. All of it has been checked, so only what is out of the file's hands can
// fail.
func (r *Running) control(f *file) error {
	if f.policy == nil {
		return nil
	}
	if err := r.Network.SetPolicy(f.policy); err != nil {
		return err
	}
	booleans := make(map[string]bool)
	for i := range f.Booleans {
		booleans[f.Booleans[i].name.v] = f.Booleans[i].v.v
	}
	for _, h := range r.hosts {
		if err := f.label(h); err != nil {
			return err
		}
		m := h.Access()
		if err := m.SetBooleans(booleans); err != nil {
			return err
		}
		if f.Flask.given() {
			m.SetFlask(f.Flask.v)
		}
		if f.Labelled.given() {
			m.SetLabelled(f.Labelled.v)
		}
		m.SetMode(modes[f.Mode.v])
	}
	return nil
}

// label gives the file's labels on a host.
func (f *file) label(h *dialtone.Host) error {
	m, l := h.Access(), &f.Labels
	if l.Others.given() {
		if err := m.LabelOthers(l.Others.v); err != nil {
			return err
		}
	}
	for i := range l.Processes {
		p := &l.Processes[i]
		if err := m.LabelProgram(p.name.v, p.v.Context.v, p.v.Sockets.v); err != nil {
			return err
		}
	}
	for i := range l.Files {
		if err := m.LabelFile(l.Files[i].Path.v, l.Files[i].Context.v); err != nil {
			return err
		}
	}
	// The label given last counts first on a host; in the file the first does.
	for i := len(l.Ports) - 1; i >= 0; i-- {
		p := &l.Ports[i]
		if err := m.LabelPorts(int(p.Protocol.or(wire.TCP)), p.Ports.v.First, p.Ports.v.Last, p.Context.v); err != nil {
			return err
		}
	}
	for i := len(l.Nodes) - 1; i >= 0; i-- {
		if err := m.LabelNode(l.Nodes[i].Prefix.v, l.Nodes[i].Context.v); err != nil {
			return err
		}
	}
	for i := range l.Interfaces {
		n := &l.Interfaces[i]
		if err := m.LabelNetif(n.name.v, n.v.Context.v, n.v.Message.v); err != nil {
			return err
		}
	}
	return nil
}
