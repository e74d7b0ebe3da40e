// SPDX-License-Identifier: Apache-2.0

package personality

import (
	"time"

	"dialtone/errno"
)

// BSD44 is 4.4BSD, of which the manual page of June 4, 1993 speaks, where it is known to differ from its successors.
// The rest is FreeBSD's: 4.4BSD's own source was not read.
var BSD44 = bsd44()

func bsd44() *Personality {
	p := freeBSD()
	p.Name = "4.4bsd"
	// A dead socket has lost its pcb, and tcp_usrreq says EINVAL to whoever has none: for ever, so_error read or not.
	p.Stream.Inet[Dead] = both(Rule{Forget, errno.EINVAL})
	p.TCP.InTimeWait = errno.OK // not read
	// A SYN, one more after 6 s, one more 24 s after that: dead at 75 s (TCP/IP Illustrated, volume 2, p. 828). The first
	// timeout is 12 ticks of half a second, tcp_newtcpcb's; then it is TCP_REXMTVAL, 24 ticks, times tcp_backoff: 2, 4.
	p.TCP.SynBackoff = []time.Duration{6 * time.Second, 24 * time.Second, 48 * time.Second}
	p.TCP.PortsFirst, p.TCP.PortsLast = 1024, 5000 // IPPORT_RESERVED, IPPORT_USERRESERVED
	p.TCP.SACK = false                             // RFC 2018 is of 1996
	p.IP.V6Only = false                            // there was no IPv6
	return p
}
