// SPDX-License-Identifier: Apache-2.0

package socket

import "dialtone/errno"

// Domain is a sandbox that a caller has entered, for good (landlock(7)). It lies within the one the caller was in before.
// nil is none.
type Domain struct {
	Outer *Domain
	Limit Limit
	// ScopeAbstract: sockets made outside of the domain can't be reached by an abstract name.
	ScopeAbstract bool
}

// Limit is what a domain permits.
type Limit interface {
	// Check is asked before a bind or connect on s, before access control is; addr are the bytes of the address. The host
	// is locked.
	Check(s *Socket, op Op, addr []byte) errno.Errno
}

// Domain returns the sandbox that the socket's maker was in. Accepted sockets have none: they can't be reached by a name,
// and what they may do is asked of the caller's.
func (o *options) Domain() *Domain { return o.get().domain }

// check asks the domain and those around it.
func (d *Domain) check(s *Socket, op Op, addr []byte) errno.Errno {
	for ; d != nil && (op == OpBind || op == OpConnect); d = d.Outer {
		if e := d.Limit.Check(s, op, addr); e != errno.OK {
			return e
		}
	}
	return errno.OK
}

// Reaches reports whether a caller in d may reach, by its abstract name, a socket that was made in another domain: one
// within each of the caller's that forbids what is outside of it (domain_is_scoped).
func (d *Domain) Reaches(other *Domain) bool {
	for ; d != nil; d = d.Outer {
		if d.ScopeAbstract && !other.within(d) {
			return false
		}
	}
	return true
}

// within reports whether d is outer or lies in it.
func (d *Domain) within(outer *Domain) bool {
	for ; d != nil; d = d.Outer {
		if d == outer {
			return true
		}
	}
	return false
}
