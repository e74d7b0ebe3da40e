// SPDX-License-Identifier: Apache-2.0

package scenario

import "dialtone"

// linkKind is what carries packets.
type linkKind uint8

const (
	hub linkKind = iota
	cable
)

func (linkKind) choices() []string { return []string{hub: "hub", cable: "cable"} }
func (k *linkKind) choose(i int)   { *k = linkKind(i) }

// routeType is what a route does with packets, named as in ip-route(8).
type routeType uint8

const (
	unicast routeType = iota
	unreachable
	blackhole
	prohibit
)

func (routeType) choices() []string {
	return []string{unicast: "unicast", unreachable: "unreachable", blackhole: "blackhole", prohibit: "prohibit"}
}
func (t *routeType) choose(i int)  { *t = routeType(i) }
func (t routeType) String() string { return t.choices()[t] }

// serviceKind is a server inside the process.
type serviceKind uint8

const (
	serviceHTTP serviceKind = iota
	serviceEcho
	serviceReset
	serviceFull
	serviceDNS
)

func (serviceKind) choices() []string {
	return []string{
		serviceHTTP: "http", serviceEcho: "echo", serviceReset: "reset", serviceFull: "full", serviceDNS: "dns",
	}
}
func (k *serviceKind) choose(i int) { *k = serviceKind(i) }

func (k serviceKind) String() string { return k.choices()[k] }

// usualPort returns the port of a service whose port is not given: the one IANA registered, 0 where there is none.
func (k serviceKind) usualPort() uint16 {
	switch k {
	case serviceHTTP:
		return 80
	case serviceEcho:
		return 7
	case serviceDNS:
		return 53
	}
	return 0
}

// nameFault is how looking up a name fails.
type nameFault dialtone.NameFault

// nameFaults are the library's values for the file's words.
var nameFaults = []dialtone.NameFault{dialtone.NameServFail, dialtone.NameSilent, dialtone.NameNotFound}

func (nameFault) choices() []string { return []string{"servfail", "silent", "nxdomain"} }
func (f *nameFault) choose(i int)   { *f = nameFault(nameFaults[i]) }

// mode is what becomes of access control's denials.
type mode uint8

const (
	enforcing mode = iota
	permissive
	off
)

func (mode) choices() []string {
	return []string{enforcing: "enforcing", permissive: "permissive", off: "off"}
}
func (m *mode) choose(i int) { *m = mode(i) }
