// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"maps"
	"net/netip"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/wire"
)

// ipOptions are the options that TCP and UDP sockets have in common.
type ipOptions struct {
	bindNoPort            bool
	recvErr4, recvErr6    bool // IP_RECVERR, IPV6_RECVERR
	freeBind, transparent bool
	cork                  bool   // UDP_CORK
	tos, ttl              uint8  // of IPv4; ttl 0: the host's
	class                 uint8  // of IPv6
	hops                  uint16 // of IPv6, and 1 more; 0: the host's
	portFirst, portLast   uint16 // IP_LOCAL_PORT_RANGE; 0: the host's
	wants                 wanted // control messages with what is received
	minTTL, minHops       uint8  // IP_MINTTL, IPV6_MINHOPCOUNT: what comes with less is lost, of streams
	segment               uint16 // UDP_SEGMENT, bytes; 0: what is sent is one datagram
	stored                map[storedKey]int
}

// kept returns the value of a stored option.
func (o *ipOptions) kept(key storedKey) int {
	if n, ok := o.stored[key]; ok {
		return n
	}
	return optionRules[key].initial
}

// fields returns type of service and hop limit of what goes to an address, if that is no group's.
func (o *ipOptions) fields(s *Stack, to netip.Addr) (tos, ttl uint8) {
	switch is4 := to.Is4(); {
	case is4 && o.ttl != 0:
		return o.tos, o.ttl
	case is4:
		return o.tos, s.hopLimit(is4)
	case o.hops != 0:
		return o.class, uint8(o.hops - 1)
	default:
		return o.class, s.hopLimit(is4)
	}
}

// recvErr reports whether errors about packets of a version are queued.
func (o *ipOptions) recvErr(is4 bool) bool {
	if is4 {
		return o.recvErr4
	}
	return o.recvErr6
}

// refuses reports whether p has come from too far (RFC 5082).
func (o *ipOptions) refuses(p *wire.Packet) bool {
	if p.Is4() {
		return p.TTL < o.minTTL
	}
	return p.TTL < o.minHops
}

// multicastHops returns the hop limit of what goes to a group.
func (o *ipOptions) multicastHops(is4 bool) uint8 {
	if is4 {
		return uint8(o.kept(storedKey{solIP, ipMulticastTTL}))
	}
	return uint8(o.kept(storedKey{solIPv6, ipv6McastHops}))
}

// flag returns the on/off option, nil if it is none.
func (o *ipOptions) flag(level, name int) *bool {
	switch (storedKey{level, name}) {
	case storedKey{solIP, ipBindAddressNoPort}:
		return &o.bindNoPort
	case storedKey{solUDP, udpCork}:
		return &o.cork
	case storedKey{solIP, ipRecvErr}:
		return &o.recvErr4
	case storedKey{solIPv6, ipv6RecvErr}:
		return &o.recvErr6
	case storedKey{solIP, ipFreeBind}, storedKey{solIPv6, ipv6FreeBind}:
		return &o.freeBind
	case storedKey{solIP, ipTransparent}, storedKey{solIPv6, ipv6Transparent}:
		return &o.transparent
	}
	return nil
}

// option reads an option of the socket that h belongs to.
func (o *ipOptions) option(s *Stack, h *hold, level, name int) ([]byte, errno.Errno) {
	switch {
	case level == socket.SolSocket, h.knows(level):
	case h.sock.Family == sockaddr.Inet:
		return nil, errno.EOPNOTSUPP // ip_getsockopt, of a level that it knows nothing of
	default:
		return nil, errno.ENOPROTOOPT // ipv6_getsockopt
	}
	if f := o.flag(level, name); f != nil {
		return socket.Bool(*f), errno.OK
	}
	if w := wantedBy(level, name); w != 0 {
		return socket.Bool(o.wants&w != 0), errno.OK
	}
	key := storedKey{level, name}
	switch key {
	case storedKey{solIP, ipHdrIncl}:
		return socket.Bool(false), errno.OK // a raw socket's, which others can read
	case storedKey{solIP, ipProtocol}:
		return socket.Int(int(h.port)), errno.OK // which is a raw socket's protocol, and all others' port
	case storedKey{solIP, ipTOS}:
		return socket.Int(int(o.tos)), errno.OK
	case storedKey{solIPv6, ipv6TClass}:
		return socket.Int(int(o.class)), errno.OK
	case storedKey{solIP, ipTTL}, storedKey{solIPv6, ipv6UnicastHops}:
		to := netip.IPv6Unspecified()
		if level == solIP {
			to = netip.IPv4Unspecified()
		}
		_, ttl := o.fields(s, to)
		return socket.Int(int(ttl)), errno.OK
	case storedKey{solUDP, udpSegment}:
		return socket.Int(int(o.segment)), errno.OK
	case storedKey{solIP, ipMinTTL}:
		return socket.Int(int(o.minTTL)), errno.OK
	case storedKey{solIPv6, ipv6MinHopCount}:
		return socket.Int(int(o.minHops)), errno.OK
	case storedKey{solIP, ipMulticastAll}:
		return socket.Bool(o.hearsAll(h.sock, true)), errno.OK
	case storedKey{solIP, ipLocalPortRange}:
		return socket.Int(int(o.portFirst) | int(o.portLast)<<16), errno.OK
	case storedKey{solIPv6, ipv6V6Only}:
		return socket.Bool(h.v6only), errno.OK
	}
	if _, ok := optionRules[key]; ok {
		return socket.Int(o.kept(key)), errno.OK
	}
	if emptyOptions[key] {
		return nil, errno.OK
	}
	return nil, errno.ENOPROTOOPT
}

// set sets an option of the socket that h belongs to.
func (o *ipOptions) set(call *socket.Call, h *hold, level, name int, value []byte) errno.Errno {
	key := storedKey{level, name}
	rule, ok := optionRules[key]
	switch {
	case !h.knows(level):
		return errno.ENOPROTOOPT
	case groupOption(level, name): // of a stream
		if (name == mcastJoinGroup || name == mcastLeaveGroup) && len(value) < groupRequestLen {
			return errno.EINVAL
		}
		return errno.EPROTO
	case emptyOptions[key] && len(value) == 0:
		return errno.OK
	case level == solUDP && len(value) < 4:
		return errno.EINVAL // whatever it is (udp_lib_setsockopt)
	case !ok:
		return errno.ENOPROTOOPT
	}
	if rule.raw && h.sock.Type != socket.Raw {
		return errno.ENOPROTOOPT
	}
	stream := h.sock.Type == socket.Stream
	if stream && rule.stream != errno.OK {
		return rule.stream
	}
	n, e := rule.value(level, value)
	if e != errno.OK {
		return e
	}
	if f := o.flag(level, name); f != nil {
		if f == &o.transparent && call.Caller != nil && !call.Caller.May(socket.NetRaw) && !call.Caller.May(socket.NetAdmin) {
			return errno.EPERM
		}
		*f = n != 0
		return errno.OK
	}
	if w := wantedBy(level, name); w != 0 {
		if o.wants &^= w; n != 0 {
			o.wants |= w
		}
		return errno.OK
	}
	// The congestion notification of a stream's packets is TCP's own (INET_ECN_MASK).
	ecn := uint8(0)
	if stream {
		ecn = 3
	}
	switch key {
	case storedKey{solIP, ipTOS}:
		o.tos = uint8(n) &^ ecn // of what is greater the low bits count
		return errno.OK
	case storedKey{solIPv6, ipv6TClass}:
		o.class = uint8(max(n, 0)) &^ ecn
		return errno.OK
	case storedKey{solIP, ipTTL}:
		if n == 0 {
			return errno.EINVAL
		}
		o.ttl = uint8(max(n, 0))
		return errno.OK
	case storedKey{solIPv6, ipv6UnicastHops}:
		o.hops = uint16(n + 1)
		return errno.OK
	case storedKey{solIP, ipMulticastTTL}, storedKey{solIPv6, ipv6McastHops}:
		if n == -1 {
			n = 1
		}
	case storedKey{solIP, ipLocalPortRange}:
		first, last := uint16(n), uint16(uint32(n)>>16)
		if len(value) != 4 || first != 0 && last != 0 && first > last {
			return errno.EINVAL
		}
		o.portFirst, o.portLast = first, last
		return errno.OK
	case storedKey{solIP, ipMinTTL}:
		o.minTTL = uint8(n)
		return errno.OK
	case storedKey{solIPv6, ipv6MinHopCount}:
		o.minHops = uint8(n)
		return errno.OK
	case storedKey{solUDP, udpSegment}:
		o.segment = uint16(n)
		return errno.OK
	case storedKey{solIPv6, ipv6V6Only}:
		if h.port != 0 {
			return errno.EINVAL // ipv6(7): only before the socket is bound
		}
		h.v6only = n != 0
		return errno.OK
	case storedKey{solIPv6, ipv6MTU}:
		if n != 0 && n < minMTU6 {
			return errno.EINVAL
		}
	case storedKey{solTCP, tcpLinger2}:
		n = linger2(n)
	case storedKey{solTCP, tcpWindowClamp}:
		if n != 0 {
			n = max(n, minReceiveWindow)
		}
	}
	o.store(key, n)
	return errno.OK
}

// store keeps an option's value where few sockets have one.
func (o *ipOptions) store(key storedKey, n int) {
	if o.stored = maps.Clone(o.stored); o.stored == nil { // copies of o may share the map
		o.stored = map[storedKey]int{}
	}
	o.stored[key] = n
}

// portRange returns the range of implicit ports: the host's, narrowed by each bound of IP_LOCAL_PORT_RANGE that lies in
// it (inet_sk_get_local_port_range).
func (o *ipOptions) portRange(y *Sysctl) (first, last uint16) {
	first, last = y.IPLocalPortFirst, y.IPLocalPortLast
	if first <= o.portFirst && o.portFirst <= last {
		first = o.portFirst
	}
	if first <= o.portLast && o.portLast <= last {
		last = o.portLast
	}
	return first, last
}
