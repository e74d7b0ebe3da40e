// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"slices"

	"dialtone/inet"
)

// Tap asks of each host, of those that are made later too, for a tap, which is then told of the packets at the host's
// interfaces; nil: that host has none. of is called with the network locked, and must not use it. remove ends all that.
// Package capture writes files by it.
func (n *Network) Tap(of func(*Host) inet.Tap) (remove func()) {
	t := &hostTaps{of: of}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, h := range n.hosts {
		t.add(h)
	}
	n.taps = append(n.taps, t)
	return func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.taps = slices.DeleteFunc(n.taps, func(x *hostTaps) bool { return x == t })
		for _, remove := range t.removes {
			remove()
		}
		t.removes = nil
	}
}

// hostTaps are the taps on hosts that one call of [Network.Tap] has led to.
type hostTaps struct {
	of      func(*Host) inet.Tap
	removes []func() // each removes one
}

// add taps a host. The network is locked.
func (t *hostTaps) add(h *Host) {
	if tap := t.of(h); tap != nil {
		t.removes = append(t.removes, h.stack.Tap(tap))
	}
}
