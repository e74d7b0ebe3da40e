// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"net/netip"

	"dialtone/sockaddr"
)

// netipUnmap returns ap with an IPv4-mapped address as an IPv4 one.
func netipUnmap(ap netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

// mapped returns an IPv4 address as an IPv6 one (RFC 4291, 2.5.5.2).
func mapped(a sockaddr.Addr) netip.Addr { return netip.AddrFrom16(a.IP.As16()) }
