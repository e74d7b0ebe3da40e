// SPDX-License-Identifier: Apache-2.0

package selinux

import "fmt"

// SID is a security identifier: a handle of a security context on one host. It has no meaning elsewhere.
type SID uint32

// SIDNull is no SID, and SIDWild every SID.
const (
	SIDNull SID = 0
	SIDWild SID = 0xFFFFFFFF
)

// The initial SIDs, with the numbers they have had since Flask.
const (
	InitialKernel SID = iota + 1
	InitialSecurity
	InitialUnlabeled
	InitialFS
	InitialFile
	InitialFileLabels
	InitialInit
	InitialAnySocket
	InitialPort
	InitialNetif
	InitialNetmsg
	InitialNode
	InitialIGMPPacket
	InitialICMPSocket
	InitialTCPSocket

	initialLast SID = 27
)

// sidEntry is what stands behind a SID.
type sidEntry struct {
	text    string // the context as it was first given, canonical; "" if the policy gives an initial SID none
	context Context
	valid   bool // under the policy now loaded
}

// sidTable maps contexts to SIDs. SIDs are given out in order of first use and live as long as the host.
type sidTable struct {
	entries []sidEntry // by SID
	byText  map[string]SID
}

// load gives the initial SIDs the contexts of the policy, and looks up the contexts of all others anew. A context
// that the policy does not accept stands for unlabeled, until a policy accepts it again.
func (t *sidTable) load(p *Policy) {
	if t.entries == nil {
		t.entries = make([]sidEntry, initialLast+1, 2*initialLast)
	}
	t.byText = make(map[string]SID, len(t.entries))
	for i := range t.entries {
		e := &t.entries[i]
		if sid := SID(i); sid <= initialLast {
			context, ok := p.db.InitialSIDs[uint32(sid)]
			*e = sidEntry{context: context, valid: ok}
			if ok {
				e.text = p.FormatContext(&context)
			}
		} else {
			context, err := p.ParseContext(e.text)
			e.context, e.valid = context, err == nil
		}
		// Several initial SIDs may have one context: it stands for the lowest of them.
		if _, taken := t.byText[e.text]; e.text != "" && !taken {
			t.byText[e.text] = SID(i)
		}
	}
}

// lookup gives the context that counts for sid: that of unlabeled if sid is unknown or not valid now.
func (t *sidTable) lookup(sid SID) *sidEntry {
	if uint64(sid) < uint64(len(t.entries)) && t.entries[sid].valid {
		return &t.entries[sid]
	}
	return &t.entries[InitialUnlabeled]
}

// raw gives the context of a SID that the policy does not accept, and "" for all other SIDs.
func (t *sidTable) raw(sid SID) string {
	if uint64(sid) < uint64(len(t.entries)) && !t.entries[sid].valid {
		return t.entries[sid].text
	}
	return ""
}

// enter gives the SID of a context, a new one if it has none.
func (t *sidTable) enter(text string, c *Context) SID {
	if sid, ok := t.byText[text]; ok {
		t.entries[sid].context, t.entries[sid].valid = *c, true
		return sid
	}
	sid := SID(len(t.entries))
	t.entries = append(t.entries, sidEntry{text, *c, true})
	t.byText[text] = sid
	return sid
}

// ContextToSID gives the SID of a context, and an error if the policy does not accept it (EINVAL in
// security_context_to_sid). Whoever reads labels off the wire uses InitialUnlabeled then.
func (s *Server) ContextToSID(context string) (SID, error) {
	if sid, ok := s.sids.byText[context]; ok && s.sids.entries[sid].valid {
		return sid, nil
	}
	c, err := s.policy.ParseContext(context)
	if err != nil {
		return SIDNull, err
	}
	return s.enter(&c), nil
}

// enter gives the SID of a context in the numbers of the policy.
func (s *Server) enter(c *Context) SID { return s.sids.enter(s.policy.FormatContext(c), c) }

// SIDToContext gives the context of a SID, that of unlabeled for one which the policy no longer accepts, and an
// error for a number that was never given out (EINVAL in security_sid_to_context).
func (s *Server) SIDToContext(sid SID) (string, error) {
	if !s.KnownSID(sid) {
		return "", fmt.Errorf("SID %d is unknown", sid)
	}
	return s.sids.lookup(sid).text, nil
}

// KnownSID tells if sid was given out by this server or is an initial SID of its policy.
func (s *Server) KnownSID(sid SID) bool {
	return sid != SIDNull && uint64(sid) < uint64(len(s.sids.entries)) && s.sids.entries[sid].text != ""
}
