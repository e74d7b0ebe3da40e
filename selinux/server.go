// SPDX-License-Identifier: Apache-2.0

package selinux

import (
	"fmt"

	"dialtone/selinux/internal/policydb"
)

// Server is a host's security server: a policy, the states of its booleans, the SIDs given out, and the cache of
// its decisions. It is not safe for concurrent use: the host's lock guards it.
type Server struct {
	// Audit is called for each decision that the policy wants audited, if it is not nil. The record is the
	// callee's to keep.
	Audit func(Record)

	policy     *Policy
	permissive bool
	booleans   []bool // by value-1
	live       []bool // by a rule's condition, see policydb.DB.LiveConditions
	sids       sidTable
	cache      cache
	created    map[createdKey]SID
	labels     objectLabels
	objects    objectSIDs
}

// NewServer makes a server that enforces the policy, with its booleans as it sets them. It fails if the policy wants
// to be refused for lacking a class or permission that every kernel knows.
func NewServer(p *Policy) (*Server, error) {
	s := &Server{}
	if err := s.Load(p); err != nil {
		return nil, err
	}
	return s, nil
}

// Load replaces the policy. SIDs stay; those whose context the new policy does not accept count as unlabeled.
// Booleans of the same name keep the states that the server had. Labels given to single ports, nodes and
// interfaces are checked against the new policy. On an error nothing has changed.
func (s *Server) Load(p *Policy) error {
	if p.db.Unknown == policydb.UnknownReject {
		if name := p.missing(); name != "" {
			return fmt.Errorf("the policy lacks %s and says that it is not to be loaded then", name)
		}
	}
	if _, ok := p.db.InitialSIDs[uint32(InitialUnlabeled)]; !ok {
		return fmt.Errorf("the policy gives the initial SID unlabeled no context")
	}
	if err := s.labels.check(p); err != nil {
		return err
	}
	booleans := make([]bool, len(p.db.Booleans))
	for i, b := range p.db.Booleans {
		booleans[i] = b.State
		if s.policy != nil {
			if v, ok := s.policy.db.BooleanValues[b.Name]; ok {
				booleans[i] = s.booleans[v-1]
			}
		}
	}
	s.policy, s.booleans = p, booleans
	s.live = p.db.LiveConditions(booleans)
	s.sids.load(p)
	s.objects = newObjectSIDs(p)
	s.flush()
	return nil
}

// Policy gives the policy loaded.
func (s *Server) Policy() *Policy { return s.policy }

// Enforcing tells if denials are denied; if not they are only audited.
func (s *Server) Enforcing() bool { return !s.permissive }

// SetEnforcing switches between enforcing and permissive mode.
func (s *Server) SetEnforcing(on bool) {
	s.permissive = !on
	s.flush()
}

// SetBooleans changes booleans by name, all or, if one is unknown, none.
func (s *Server) SetBooleans(states map[string]bool) error {
	for name := range states {
		if _, ok := s.policy.db.BooleanValues[name]; !ok {
			return fmt.Errorf("the policy has no boolean %q", name)
		}
	}
	for name, state := range states {
		s.booleans[s.policy.db.BooleanValues[name]-1] = state
	}
	s.live = s.policy.db.LiveConditions(s.booleans)
	s.flush()
	return nil
}

// Boolean gives the state of a boolean, and false for one that the policy lacks.
func (s *Server) Boolean(name string) (state, ok bool) {
	v, ok := s.policy.db.BooleanValues[name]
	return ok && s.booleans[v-1], ok
}

// flush forgets what was computed from the policy and the booleans.
func (s *Server) flush() {
	s.cache.flush()
	s.created = nil
}

// ComputeAV computes the access vector of source for a target of class, past the cache.
func (s *Server) ComputeAV(source, target *Context, class ClassValue) AccessVector {
	return s.policy.accessVector(source, target, class, s.live)
}

// Transition computes the label of a new object of class by the rules that libsepol and the tools built on it
// apply. For sockets the kernel's rule differs: see SocketContext. An error is an *InvalidContextError.
func (s *Server) Transition(source, target *Context, class ClassValue) (Context, error) {
	return s.compute(policydb.TypeTransition, source, target, class, false)
}

// Member computes the label of a polyinstantiated object. An error is an *InvalidContextError.
func (s *Server) Member(source, target *Context, class ClassValue) (Context, error) {
	return s.compute(policydb.TypeMember, source, target, class, false)
}

// Change computes the label of an object that is relabelled. An error is an *InvalidContextError.
func (s *Server) Change(source, target *Context, class ClassValue) (Context, error) {
	return s.compute(policydb.TypeChange, source, target, class, false)
}

// SocketContext computes, as the kernel does, the label of a socket of class that a process makes: the process's
// own, unless a transition says otherwise. An error is an *InvalidContextError.
func (s *Server) SocketContext(process *Context, class ClassValue) (Context, error) {
	return s.compute(policydb.TypeTransition, process, process, class, s.policy.isSocket(class))
}

func (p *Policy) isSocket(class ClassValue) bool {
	return int(class) < len(p.socketClass) && p.socketClass[class]
}

func (s *Server) compute(kind policydb.RuleKind, source, target *Context, class ClassValue, asSocket bool) (Context, error) {
	c := s.policy.newContext(kind, source, target, class, s.live, asSocket)
	return c, s.policy.checkNew(&c)
}

// MLSCopySID gives the SID with user, role and type of one SID and the MLS range of another: a socket made for a
// connection has those of its listener and of its client (security_sid_mls_copy in the kernel). Errors are as in
// TransitionSID.
func (s *Server) MLSCopySID(sid, ranged SID) (SID, error) {
	if !s.policy.db.MLS {
		return sid, nil
	}
	key := createdKey{source: sid, target: ranged, kind: mlsCopy}
	if sid, ok := s.created[key]; ok {
		return sid, nil
	}
	c := s.sids.lookup(sid).context
	c.Range = s.sids.lookup(ranged).context.Range
	return s.create(key, &c, s.policy.checkNew(&c))
}

// Bounded reports whether a process of several threads may go from one SID to the other: the type is the same, or the
// first bounds the second, at one or more removes (security_bounded_transition in the kernel).
func (s *Server) Bounded(from, to SID) bool {
	outer, inner := s.sids.lookup(from).context.Type, s.sids.lookup(to).context.Type
	for inner != 0 && inner != outer {
		inner = s.policy.db.Types[inner-1].Bounds
	}
	return inner == outer
}

// createdKey is what the SID of a new object depends on while policy and booleans stay.
type createdKey struct {
	source, target SID
	class          Class
	kind           policydb.RuleKind // or mlsCopy
}

// mlsCopy marks what MLSCopySID made.
const mlsCopy policydb.RuleKind = 0

// TransitionSID gives the SID of a new object of class that source makes in relation to target, by the kernel's
// rules. A socket's SID is TransitionSID(process, process, class). A label which the policy does not accept is an
// *InvalidContextError (EACCES) when enforcing; else it gets a SID all the same.
func (s *Server) TransitionSID(source, target SID, class Class) (SID, error) {
	return s.computeSID(policydb.TypeTransition, source, target, class)
}

// MemberSID gives the SID of a member of a polyinstantiated object. Errors are as in TransitionSID.
func (s *Server) MemberSID(source, target SID, class Class) (SID, error) {
	return s.computeSID(policydb.TypeMember, source, target, class)
}

// ChangeSID gives the SID for an object that is relabelled. Errors are as in TransitionSID.
func (s *Server) ChangeSID(source, target SID, class Class) (SID, error) {
	return s.computeSID(policydb.TypeChange, source, target, class)
}

func (s *Server) computeSID(kind policydb.RuleKind, source, target SID, class Class) (SID, error) {
	key := createdKey{source, target, class, kind}
	if sid, ok := s.created[key]; ok {
		return sid, nil
	}
	from, to := &s.sids.lookup(source).context, &s.sids.lookup(target).context
	c, err := s.compute(kind, from, to, s.policy.classes[class].value, class.Socket())
	return s.create(key, &c, err)
}

// create gives the SID of a label just computed, and keeps it for the next time. When not enforcing it does so even
// if the label is invalid (compute_sid_handle_invalid_context in the kernel), but not if there is no label: glblub
// gives none to ranges without a common sensitivity.
func (s *Server) create(key createdKey, c *Context, invalid error) (SID, error) {
	noLevel := s.policy.db.MLS && c.Range.Low.Sensitivity == 0
	if invalid != nil && (!s.permissive || noLevel) {
		return SIDNull, invalid
	}
	sid := s.enter(c)
	if s.created == nil {
		s.created = map[createdKey]SID{}
	}
	s.created[key] = sid
	return sid, nil
}
