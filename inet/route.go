// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"fmt"
	"net/netip"
	"slices"

	"dialtone/errno"
	"dialtone/personality"
)

// RouteType says what a route does with packets (ip-route(8)).
type RouteType uint8

// The types.
const (
	Unicast     RouteType = iota // send them by the interface
	Unreachable                  // refuse: no route to host
	Blackhole                    // lose them
	Prohibit                     // refuse: forbidden
	Throw                        // as if there were no route
)

func (t RouteType) String() string {
	return [...]string{"unicast", "unreachable", "blackhole", "prohibit", "throw"}[t]
}

// errno is what a route of a type that doesn't route answers.
func (t RouteType) errno(p *personality.IP) errno.Errno {
	switch t {
	case Unreachable:
		return p.Unreachable
	case Blackhole:
		return p.Blackhole
	case Prohibit:
		return p.Prohibit
	default: // Throw
		return p.NoRoute
	}
}

// Route is where packets for a network go.
type Route struct {
	Type      RouteType
	Prefix    netip.Prefix
	Interface *Interface // of a unicast route
	Gateway   netip.Addr // next hop; invalid: the destination itself is on the link
	Source    netip.Addr // preferred source address; invalid: the interface's
	Metric    int        // less is better

	connected bool // made by an interface's address
}

// String prints r as ip-route(8) does.
func (r *Route) String() string {
	s := r.Prefix.String()
	if r.Prefix.Bits() == 0 {
		s = "default"
	}
	if r.Type != Unicast {
		return r.Type.String() + " " + s
	}
	if r.Gateway.IsValid() {
		s += " via " + r.Gateway.String()
	}
	return s + " dev " + r.Interface.Name
}

// AddRoute adds a route. It errs if the route makes no sense.
func (s *Stack) AddRoute(r Route) error {
	if !r.Prefix.IsValid() {
		return fmt.Errorf("inet: a route needs a destination prefix")
	}
	if r.Type == Unicast && (r.Interface == nil || r.Interface.stack != s) {
		return fmt.Errorf("inet: the unicast route to %v needs an interface of its host", r.Prefix)
	}
	if r.Gateway.IsValid() && r.Gateway.Is4() != r.Prefix.Addr().Is4() {
		return fmt.Errorf("inet: the gateway %v is not of the same IP version as %v", r.Gateway, r.Prefix)
	}
	r.Prefix = r.Prefix.Masked()
	s.core.Lock()
	defer s.core.Unlock()
	s.addRoute(r)
	return nil
}

// Routes returns the routes, those that count before others first.
func (s *Stack) Routes() []Route {
	s.core.Lock()
	defer s.core.Unlock()
	return slices.Clone(s.routes)
}

// Connected reports whether an interface's address made the route.
func (r *Route) Connected() bool { return r.connected }

// RemoveRoute removes the routes of the given type to exactly the given prefix, and reports whether there was one.
func (s *Stack) RemoveRoute(t RouteType, p netip.Prefix) bool {
	s.core.Lock()
	defer s.core.Unlock()
	n := len(s.routes)
	s.removeRoutes(func(r *Route) bool { return r.Type == t && r.Prefix == p.Masked() })
	return len(s.routes) < n
}

// addRoute keeps the table sorted: longer prefixes first, then smaller metrics, then older routes. A few dozen routes
// need nothing cleverer.
func (s *Stack) addRoute(r Route) {
	s.changes++
	at, _ := slices.BinarySearchFunc(s.routes, r, func(have, r Route) int {
		if d := r.Prefix.Bits() - have.Prefix.Bits(); d != 0 {
			return d
		}
		if d := have.Metric - r.Metric; d != 0 {
			return d
		}
		return -1 // after its equals
	})
	s.routes = slices.Insert(s.routes, at, r)
}

func (s *Stack) removeRoutes(which func(*Route) bool) {
	s.changes++
	s.routes = slices.DeleteFunc(s.routes, func(r Route) bool { return which(&r) })
}
