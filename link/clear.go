// SPDX-License-Identifier: Apache-2.0

package link

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
