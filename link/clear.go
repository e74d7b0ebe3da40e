// SPDX-License-Identifier: Apache-2.0

package link

// IsCable reports whether a link is a cable, or one with an [Impaired] around it: whoever is at one end of it sees at once
// that there is nobody at the other any more.
func IsCable(l Link) bool {
	switch l := l.(type) {
	case *Impaired:
		return IsCable(l.Link)
	case *Shared:
		return l.limit == cableEnds
	}
	return false
}

// Clear reports whether a link hands packets over as they are and at once: a hub, a cable or the loopback that is
// neither slow nor cut, or one with an [Impaired] around it that has no rules. A link of any other type may look at its
// packets.
func Clear(l Link) bool {
	switch l := l.(type) {
	case *Impaired:
		return l.rules.Load() == nil && Clear(l.Link)
	case *Shared:
		return !l.cut.Load() && l.Latency() == 0
	case Loopback:
		return true
	}
	return false
}
