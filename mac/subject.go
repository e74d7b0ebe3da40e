// SPDX-License-Identifier: Apache-2.0

package mac

import (
	"net/netip"

	"dialtone/errno"
	"dialtone/selinux"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/trail"
)

// subject is what a check is about, for the record and the trail: put into words only if anybody wants them.
type subject struct {
	caller *socket.Caller
	socket *socket.Socket // whose addresses the record shows; nil: none
	trail  *trail.Trail

	source, destination netip.AddrPort // that the check names
	netif               string
	file                string // path
}

// System is the host itself: what it does with its sockets on nobody's behalf is not asked about.
var System = &socket.Caller{}

// process returns the SID of who makes a call.
func (m *Module) process(c *socket.Caller) selinux.SID {
	switch {
	case c == nil:
		return m.unlabelled
	case c.SID != 0:
		return selinux.SID(c.SID)
	case len(m.programs) > 0:
		if l, ok := m.programs[c.Name]; ok {
			return l.process
		}
	}
	return m.unlabelled
}

// sid returns the SID of a socket. One from before there was access control gets that of processes without a label.
func (m *Module) sid(l *socket.Label) selinux.SID {
	if l.SID == 0 {
		l.SID = uint32(m.unlabelled)
	}
	return selinux.SID(l.SID)
}

// known reports whether sid was given out on this host.
func (m *Module) known(sid uint32) bool { return m.server.KnownSID(selinux.SID(sid)) }

// may asks the security server about what m.subject is about. Denied is EACCES. The trail of a connect gets the reason.
func (m *Module) may(source, target selinux.SID, class selinux.Class, perm selinux.Perm) errno.Errno {
	ok := m.server.HasPerm(source, target, class, perm, nil)
	if t := m.subject.trail; t != nil {
		m.explain(t, ok, source, target, class, perm)
	}
	if !ok {
		return errno.EACCES
	}
	return errno.OK
}

// explain adds the decision to a trail.
func (m *Module) explain(t *trail.Trail, ok bool, source, target selinux.SID, class selinux.Class, perm selinux.Perm) {
	x := m.server.ExplainPerm(source, target, class, perm)
	for rest := perm & (perm - 1); x.Allowed && rest != 0; rest &= rest - 1 {
		x = m.server.ExplainPerm(source, target, class, rest) // of several, that which is denied
	}
	const line = "%s %s, %s -> %s: %s"
	if ok {
		t.Add(m.core.Now(), trail.Access, line, x.Class, x.Permission, x.Source, x.Target, x.Summary())
	} else {
		t.Decide(m.core.Now(), trail.Access, line+": EACCES", x.Class, x.Permission, x.Source, x.Target, x.Summary())
	}
}

// decide says in the trail of a connect what settled its result.
func (m *Module) decide(t *trail.Trail, format string, args ...any) {
	if t != nil {
		t.Decide(m.core.Now(), trail.Access, format, args...)
	}
}

// text returns the context of a SID for people.
func (m *Module) text(sid selinux.SID) string {
	context, err := m.server.SIDToContext(sid)
	if err != nil {
		return err.Error()
	}
	return context
}

// record completes a record of the security server and passes it on.
func (m *Module) record(r selinux.Record) {
	if m.audit == nil {
		return
	}
	s := &m.subject
	if s.caller != nil {
		r.Data.PID, r.Data.Command = s.caller.PID, s.caller.Name
	}
	if s.socket != nil && s.socket.Endpoint != nil {
		name := s.socket.Endpoint.Name()
		if name.Family == sockaddr.Unix {
			r.Data.Path = name.Name
		} else {
			r.Data.Local = name.AddrPort()
			if peer, e := s.socket.Endpoint.Peer(); e == errno.OK {
				r.Data.Peer = peer.AddrPort()
			}
		}
	}
	if s.file != "" {
		r.Data.Path = s.file
	}
	r.Data.Source, r.Data.Destination, r.Data.Netif = s.source, s.destination, s.netif
	m.audit(r)
}
