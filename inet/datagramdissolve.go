// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"net/netip"

	"dialtone/errno"
	"dialtone/socket"
)

// dissolve ends the association. What bind fixed stays; an implicit port is let go (__udp_disconnect).
func (d *datagram) dissolve() {
	d.remote = netip.AddrPort{}
	if !d.hold.address {
		d.source4 = netip.Addr{}
	}
	d.sock.Label.Associate(0)
	if d.stack.core.Personality.UDP.DissolvedToPort {
		d.choose(wildcard(d.family))
		d.chosen, d.hold.address = false, false
		return
	}
	d.sock.Options().SetDevice("") // even what SO_BINDTODEVICE has set
	if d.chosen {
		d.choose(wildcard(d.family))
		d.chosen = false
	}
	if !d.hold.number {
		d.ports.remove(d)
		d.local = netip.AddrPortFrom(d.local.Addr(), 0)
	}
}

// Disconnect implements [socket.Endpoint].
func (d *datagram) Disconnect(*socket.Call) errno.Errno {
	d.dissolve()
	return errno.OK
}
