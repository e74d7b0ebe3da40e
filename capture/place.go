// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"fmt"
	"slices"
	"strings"

	"dialtone"
	"dialtone/inet"
)

// places are where packets are looked at: of each host the names of interfaces, of which the empty one means all. Nil:
// everywhere.
type places map[*dialtone.Host]map[string]bool

// choose finds the places with the given names.
func choose(n *dialtone.Network, names []string) (places, error) {
	var chosen places
	for _, name := range names {
		host, iface, one := strings.Cut(name, "/")
		h, ok := n.Lookup(host)
		if !ok {
			return nil, fmt.Errorf("there is no host %s", host)
		}
		if one && !slices.ContainsFunc(h.Stack().Interfaces(), func(i *inet.Interface) bool { return i.Name == iface }) {
			return nil, fmt.Errorf("host %s has no interface %q", host, iface)
		}
		if chosen == nil {
			chosen = places{}
		}
		if chosen[h] == nil {
			chosen[h] = map[string]bool{}
		}
		chosen[h][iface] = true
	}
	return chosen, nil
}

// on reports whether there is a place on a host.
func (p places) on(h *dialtone.Host) bool { return p == nil || p[h] != nil }

// has reports whether an interface of a host is one.
func (p places) has(h *dialtone.Host, i *inet.Interface) bool {
	return p == nil || p[h][""] || p[h][i.Name]
}
