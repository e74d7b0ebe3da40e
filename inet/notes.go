// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"encoding/binary"
	"net/netip"
	"time"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// wanted says which control messages a socket's datagrams come with (ip(7), ipv6(7), RFC 3542, 6).
type wanted uint16

const (
	wantPktInfo wanted = 1 << iota // IP_PKTINFO
	wantTTL                        // IP_RECVTTL
	wantTOS                        // IP_RECVTOS
	wantOrigDst                    // IP_RECVORIGDSTADDR
	want6PktInfo
	want6HopLimit
	want6TClass
	want6OrigDst
	want6OldPktInfo // of RFC 2292
	want6OldHopLimit
)

// wantedBy returns what an option asks for; 0: it is another one.
func wantedBy(level, name int) wanted {
	switch (storedKey{level, name}) {
	case storedKey{solIP, ipPktInfo}:
		return wantPktInfo
	case storedKey{solIP, ipRecvTTL}:
		return wantTTL
	case storedKey{solIP, ipRecvTOS}:
		return wantTOS
	case storedKey{solIP, ipOrigDstAddr}:
		return wantOrigDst
	case storedKey{solIPv6, ipv6RecvPktInfo}:
		return want6PktInfo
	case storedKey{solIPv6, ipv6RecvHopLimit}:
		return want6HopLimit
	case storedKey{solIPv6, ipv6RecvTClass}:
		return want6TClass
	case storedKey{solIPv6, ipv6OrigDstAddr}:
		return want6OrigDst
	case storedKey{solIPv6, ipv6OldPktInfo}:
		return want6OldPktInfo
	case storedKey{solIPv6, ipv6OldHopLimit}:
		return want6OldHopLimit
	}
	return 0
}

// notes are what a datagram does not say itself, and only sockets that ask for it keep. What came before they asked has none:
// Linux still knows where it was for.
type notes struct {
	to    netip.AddrPort // where it was for
	own   netip.Addr     // the host's address there (ipi_spec_dst), which is not to's if that is a group's; of IPv4 only
	index uint32         // of the interface that it counts as come by
	at    time.Duration
	drops uint32 // how many before it had found no room
}

// annotates reports whether what the socket receives comes with control messages.
func (d *datagram) annotates() bool { return d.opts.wants != 0 || d.sock.Options().Annotates() }

// note keeps what a packet that came by in tells.
func (d *datagram) note(from netip.Addr, to netip.AddrPort, in *Interface) *notes {
	s := d.stack
	n := &notes{to: to, own: to.Addr(), at: s.core.NowLocked(), drops: d.drops}
	if i := s.interfaceNamed(s.arrival(in, to.Addr())); i != nil {
		n.index = uint32(i.Index)
	}
	if from.Is4() && s.hearsOnly(to.Addr()) { // fib_compute_spec_dst
		n.own = netip.IPv4Unspecified()
		if w, _, e := s.lookUp(query{to: from}); e == errno.OK {
			n.own = w.source
		}
	}
	return n
}

// annotate returns the control messages that r comes with, in Linux's order: those of the socket, IPv6's address for either
// version, and the version's own (sock_recv_cmsgs, ip6_datagram_recv_common_ctl, ip_cmsg_recv_offset,
// ip6_datagram_recv_specific_ctl).
func (d *datagram) annotate(r *received) []socket.ControlMessage {
	s := d.stack
	n := r.notes
	var all []socket.ControlMessage
	if o := d.sock.Options(); o.Annotates() {
		at, drops := s.core.NowLocked(), uint32(0) // of what came before it was asked for: now (__sock_recv_timestamp)
		if n != nil {
			at, drops = n.at, n.drops
		}
		all = o.Annotate(all, s.core.Clock.Wall(at), drops)
	}
	w := d.opts.wants
	add := func(want wanted, level, typ int, data []byte) {
		if w&want != 0 {
			all = append(all, socket.ControlMessage{Level: level, Type: typ, Data: data})
		}
	}
	if n != nil {
		add(want6PktInfo, solIPv6, ipv6PktInfo, n.pktInfo6())
	}
	if r.from.Addr().Is4() {
		if n != nil {
			add(wantPktInfo, solIP, ipPktInfo, n.pktInfo())
		}
		add(wantTTL, solIP, ipTTL, socket.Int(int(r.ttl)))
		add(wantTOS, solIP, ipTOS, []byte{r.tos})
		if n != nil {
			add(wantOrigDst, solIP, ipOrigDstAddr, sockaddr.Of(n.to).Append(nil))
		}
		return all
	}
	add(want6HopLimit, solIPv6, ipv6HopLimit, socket.Int(int(r.ttl)))
	add(want6TClass, solIPv6, ipv6TClass, socket.Int(int(r.tos)))
	if n != nil {
		add(want6OldPktInfo, solIPv6, ipv6OldPktInfo, n.pktInfo6())
	}
	add(want6OldHopLimit, solIPv6, ipv6OldHopLimit, socket.Int(int(r.ttl)))
	if n != nil {
		to := sockaddr.Of(n.to)
		if needsScope(to.IP) {
			to.Scope = n.index
		}
		add(want6OrigDst, solIPv6, ipv6OrigDstAddr, to.Append(nil))
	}
	return all
}

// annotateError returns the control messages that an error in the queue comes with: they tell of the ICMP message (ip_recv_error,
// ipv6_recv_error).
func (d *datagram) annotateError(h *heard) []socket.ControlMessage {
	if !d.annotates() {
		return nil
	}
	n := d.note(h.from, netip.AddrPortFrom(h.to, 0), h.by)
	if n.drops = 0; h.is4 {
		n.own = netip.IPv4Unspecified() // nobody has asked for it
	}
	return d.annotate(&received{from: netip.AddrPortFrom(h.from, 0), ttl: h.ttl, tos: h.tos, notes: n})
}

// pktInfo returns struct in_pktinfo (ip(7)).
func (n *notes) pktInfo() []byte {
	b := binary.LittleEndian.AppendUint32(nil, n.index)
	b = append(b, n.own.AsSlice()...)
	return append(b, n.to.Addr().AsSlice()...)
}

// pktInfo6 returns struct in6_pktinfo (RFC 3542, 6.2), whose address may be an IPv4-mapped one.
func (n *notes) pktInfo6() []byte {
	ip := n.to.Addr().As16()
	return binary.LittleEndian.AppendUint32(ip[:], n.index)
}
