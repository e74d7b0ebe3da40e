// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"fmt"

	"dialtone/errno"
	"dialtone/mac"
	"dialtone/selinux"
	"dialtone/selinux/defaultpolicy"
)

// SetPolicy puts the host, and all on its machine, under mandatory access control by a policy, or replaces the one it is
// under. Without any, nothing is asked. Processes are labelled through [Host.Access], or by [Process.SetContext].
func (h *Host) SetPolicy(p *selinux.Policy) error {
	if h.machine != nil {
		return h.machine.SetPolicy(p)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.access != nil {
		if err := h.access.Load(p); err != nil {
			return fmt.Errorf("host %s: policy: %w", h.name, err)
		}
		return nil
	}
	m, err := mac.New(h.core, p, h.bindPorts)
	if err != nil {
		return fmt.Errorf("host %s: policy: %w", h.name, err)
	}
	h.access = m
	return nil
}

// LoadPolicy is [Host.SetPolicy] of a binary policy, as secilc, checkpolicy and semodule write it.
func (h *Host) LoadPolicy(binary []byte) error {
	p, err := selinux.Parse(binary)
	if err != nil {
		return fmt.Errorf("host %s: policy: %w", h.name, err)
	}
	return h.SetPolicy(p)
}

// Access returns the host's mandatory access control: its mode, booleans, labels and records; nil if it has no policy.
func (h *Host) Access() *mac.Module {
	if h.machine != nil {
		return h.machine.Access()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.access
}

// bindPorts is for [mac.New].
func (h *Host) bindPorts() mac.Ports {
	y := &h.stack.Sysctl
	return mac.Ports{First: y.IPLocalPortFirst, Last: y.IPLocalPortLast, Unprivileged: y.IPUnprivilegedPort}
}

// SetPolicy puts all hosts that there are, and will be, under a policy. If it fails for one the others may have it.
func (n *Network) SetPolicy(p *selinux.Policy) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, h := range n.hosts {
		if h.machine != nil {
			continue
		}
		if err := h.SetPolicy(p); err != nil {
			return err
		}
	}
	n.policy = p
	return nil
}

// Secure sees to it that the calls of the _secure family work on the host, as the first of them does: where nobody has
// spoken of access control yet, it puts all hosts of the network under the default policy. ENOSYS: it is off.
func (h *Host) Secure() error {
	_, e := h.secure()
	return e.Err()
}

// secure returns the access control that a call of the _secure family needs. On a network where nobody has spoken of
// access control yet all hosts come under the default policy, which permits everything to processes without a label.
// ENOSYS: it is off on this host.
func (h *Host) secure() (*mac.Module, errno.Errno) {
	m := h.Access()
	if m == nil {
		h.network.secureAll()
		m = h.Access()
	}
	if m == nil || m.Mode() == mac.Off {
		return nil, errno.ENOSYS
	}
	return m, errno.OK
}

// secureAll puts the hosts without a policy under the default one.
func (n *Network) secureAll() {
	n.mu.Lock()
	defer n.mu.Unlock()
	p := defaultpolicy.Policy()
	for _, h := range n.hosts {
		if h.Access() == nil {
			if err := h.SetPolicy(p); err != nil {
				panic("dialtone: the default policy: " + err.Error()) // a test loads it
			}
		}
	}
	if n.policy == nil {
		n.policy = p
	}
}
