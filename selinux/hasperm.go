// SPDX-License-Identifier: Apache-2.0

package selinux

// HasPerm decides if source may do all of perms to a target of class, and audits the decision if the policy says so
// (avc_has_perm in the kernel). False is EACCES to the caller. In permissive mode, and for a permissive source type,
// a denial is audited once and granted. To ask for no permission at all is denied. The data, which may be nil, are
// copied into the record.
func (s *Server) HasPerm(source, target SID, class Class, perms Perm, data *AuditData) bool {
	if perms == 0 {
		return false
	}
	d := s.cache.find(source, target, class)
	if d == nil {
		d = s.cache.insert(s.decide(source, target, class))
	}
	denied := perms &^ d.allowed
	if denied == 0 && perms&d.auditAllow == 0 {
		return true
	}
	return s.audited(d, perms, denied, data)
}

// audited finishes a decision that is a denial or is to be audited.
func (s *Server) audited(d *decision, perms, denied Perm, data *AuditData) bool {
	granted := denied == 0
	audit := denied & d.auditDeny
	if granted {
		audit = perms & d.auditAllow
	} else if s.permissive || d.permissive {
		granted = true
		d.allowed |= perms // so that the next is neither denied nor audited, until the cache is flushed
	}
	if audit != 0 && s.Audit != nil {
		s.Audit(s.record(d, audit, denied != 0, granted, data))
	}
	return granted
}

// decide computes a decision (security_compute_av in the kernel, with its map_decision).
func (s *Server) decide(source, target SID, class Class) decision {
	d := decision{source: source, target: target, class: class, auditDeny: ^Perm(0)}
	from, to := &s.sids.lookup(source).context, &s.sids.lookup(target).context
	d.permissive = s.policy.db.Permissive.Has(from.Type)
	m := &s.policy.classes[class]
	if m.value == 0 {
		if s.policy.allowsUnknown() {
			d.allowed = ^Perm(0)
		}
		return d
	}
	av := s.ComputeAV(from, to, m.value)
	d.allowed = m.translate(av.Allowed)
	d.auditAllow = m.translate(av.AuditAllow)
	d.auditDeny = m.translate(av.AuditDeny) | ^m.known // what the policy lacks is audited when denied
	if s.policy.allowsUnknown() {
		d.allowed |= m.unknown
	}
	return d
}
