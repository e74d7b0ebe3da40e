// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"net/netip"
	"time"

	"dialtone/link"
	"dialtone/wire"
)

// silentLink is a link as an interface sees it that does not answer when asked who has its addresses. It still receives
// what is sent to everyone, and sends.
type silentLink struct{ link.Link }

// silentStation is such an interface, as the others on the link see it.
type silentStation struct{ link.Station }

// Answers implements [link.Station].
func (silentStation) Answers(netip.Addr) bool { return false }

// Attach implements [link.Link].
func (l silentLink) Attach(s link.Station) error { return l.Link.Attach(silentStation{s}) }

// Detach implements [link.Link].
func (l silentLink) Detach(s link.Station) { l.Link.Detach(silentStation{s}) }

// Neighbour implements [link.Link].
func (l silentLink) Neighbour(from link.Station, ip netip.Addr) (link.Station, bool) {
	return l.Link.Neighbour(silentStation{from}, ip)
}

// Send implements [link.Link].
func (l silentLink) Send(now time.Duration, from, to link.Station, p *wire.Packet) {
	l.Link.Send(now, silentStation{from}, to, p)
}
