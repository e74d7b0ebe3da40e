// SPDX-License-Identifier: Apache-2.0

package personality

// All are the personalities there are; the first is the default.
var All = []*Personality{Linux, Linux20, FreeBSD, Darwin, BSD44}

// Named returns the personality with the given name.
func Named(name string) (*Personality, bool) {
	for _, p := range All {
		if p.Name == name {
			return p, true
		}
	}
	return nil, false
}

// Names returns the names of [All], in its order.
func Names() []string {
	var names []string
	for _, p := range All {
		names = append(names, p.Name)
	}
	return names
}
