// SPDX-License-Identifier: Apache-2.0

package personality

import "dialtone/errno"

// Linux20 is Linux as its older connect(2) pages describe it (those that refer to linux 2.0 and libc5): their BUGS section
// says that unconnecting a socket with AF_UNSPEC is not yet implemented. What the call answers then they leave open; here
// AF_UNSPEC is a wrong family, EAFNOSUPPORT by the pages' own list. What the pages don't mention is as on [Linux], but for
// what came much later.
var Linux20 = linux20()

func linux20() *Personality {
	p := *Linux
	p.Name = "linux-2.0"
	p.Families = p.Families[:2] // AF_VSOCK came with 3.9
	p.Stream.UnspecDissolves = false
	p.UDP.UnspecDissolves = false
	p.Unix.UnspecDissolves = false
	p.Unix.WrongFamily = errno.EAFNOSUPPORT
	p.IP.NoPing = errno.EPROTONOSUPPORT // ping sockets came with 3.0
	// All three came with 2.2 (tcp(7)).
	p.TCP.WindowScaling, p.TCP.Timestamps, p.TCP.SACK = false, false, false
	p.TCP.SynLinearTimeouts = 0 // since 6.5 (net.ipv4.tcp_syn_linear_timeouts)
	return &p
}
