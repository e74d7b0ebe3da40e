// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"math"
	"net/netip"
	"time"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// Values of IP_MTU_DISCOVER and IPV6_MTU_DISCOVER (ip(7)). Nothing is fragmented here: what may be is sent whole.
const (
	pmtuDont      = 0
	pmtuWant      = 1
	pmtuDo        = 2
	pmtuProbe     = 3
	pmtuInterface = 4
	pmtuOmit      = 5
)

// minMTU6 is the least that a link of IPv6 takes, in bytes (RFC 8200, 5).
const minMTU6 = 1280

// pathMTU is the MTU of a way beyond the first link, bytes.
type pathMTU struct {
	bytes int
	until time.Duration
}

const (
	// minMTU4 is the least that is believed of a way of IPv4, in bytes (net.ipv4.route.min_pmtu).
	minMTU4 = 552
	// maxPathMTUs bounds how many are kept.
	maxPathMTUs = 4096
)

// learnMTU keeps what ICMP has told of the way to an address in the second word of its header (__ip_rt_update_pmtu,
// __ip6_rt_update_pmtu).
func (s *Stack) learnMTU(to netip.Addr, info uint32) {
	mtu := int(info)
	if to.Is4() {
		mtu = max(int(uint16(info)), minMTU4) // RFC 1191, 4
	} else if mtu < minMTU6 {
		return
	}
	if s.mtuTo(to, mtu) < mtu {
		return // it is known to be less
	}
	if s.pathMTUs == nil || len(s.pathMTUs) >= maxPathMTUs {
		s.pathMTUs = map[netip.Addr]pathMTU{}
	}
	s.pathMTUs[to] = pathMTU{mtu, s.core.NowLocked() + s.Sysctl.RouteMTUExpires}
}

// mtuTo returns how long a packet to an address may be whose first link takes so many bytes.
func (s *Stack) mtuTo(to netip.Addr, link int) int {
	if p, ok := s.pathMTUs[to]; ok && s.core.NowLocked() < p.until {
		return min(link, p.bytes)
	}
	return link
}

// discovery returns what is done about packets that are too long for the way to an address.
func (o *ipOptions) discovery(is4 bool) int {
	if is4 {
		return o.kept(storedKey{solIP, ipMTUDiscover})
	}
	return o.kept(storedKey{solIPv6, ipv6MTUDiscover})
}

// longest returns how many bytes a packet to an address may have, with its header, that leaves by out (ip_sk_ignore_df,
// ip_sk_use_pmtu, __ip6_append_data).
func (o *ipOptions) longest(to netip.Addr, out *Interface, own *ownOptions) int {
	most := headerLen(to) + maxCarried(to)
	whole := own != nil && own.whole
	if o.stored == nil && !whole {
		return most
	}
	mtu := out.MTU()
	if o.discovery(to.Is4()) < pmtuProbe {
		mtu = out.stack.mtuTo(to, mtu)
	}
	if n := o.kept(storedKey{solIPv6, ipv6MTU}); n != 0 && to.Is6() {
		mtu = min(mtu, n)
	}
	switch o.discovery(to.Is4()) {
	case pmtuDo, pmtuProbe, pmtuInterface:
		return min(mtu, most)
	}
	if to.Is6() && (whole || o.kept(storedKey{solIPv6, ipv6DontFrag}) != 0) {
		return min(mtu, most)
	}
	return most
}

// tooLong is what becomes of a packet to an address that is too long for the way by out: its sender is told, with
// IP_RECVERR in the error queue, too (ip_local_error, ipv6_local_error).
func (d *datagram) tooLong(to sockaddr.Addr, out *Interface, own *ownOptions) errno.Errno {
	if d.opts.recvErr(to.IP.Is4()) {
		if to.IP.Is4() {
			to.Port = d.remote.Port() // that of the peer, even if there is none
		}
		d.errors.addLocal(errno.EMSGSIZE, uint32(d.opts.longest(to.IP, out, own)), addr(d.family, to.AddrPort()))
		d.sock.Wake(socket.Err)
	}
	return errno.EMSGSIZE
}

// toldOfSize reports whether a socket hears of ICMP's "fragmentation needed", or "packet too big", and whether without
// IP_RECVERR it is an error: not if it has its packets fragmented (__udp4_lib_err, __udp6_lib_err, raw_err, rawv6_err).
func (d *datagram) toldOfSize(is4 bool) (told, fatal bool) {
	discovery := d.opts.discovery(is4)
	switch {
	case d.sock.Type == socket.Raw && is4:
		return true, discovery != pmtuDont
	case d.sock.Type == socket.Raw:
		return true, discovery == pmtuDo
	case discovery == pmtuDont:
		return !is4, false
	case discovery >= pmtuInterface:
		return is4, is4
	}
	return true, true
}

// mtuOption is IP_MTU, IPV6_MTU or IPV6_PATHMTU of a socket that is connected to an address, and knows of the MTU of the way
// there: 0 if it is not.
func mtuOption(name int, to netip.Addr, mtu int) ([]byte, errno.Errno) {
	if mtu == 0 {
		return nil, errno.ENOTCONN
	}
	if to.Is4() {
		mtu = min(mtu, math.MaxUint16) // a packet of IPv4 is no longer
	}
	if name == ipv6PathMTU {
		return append(make([]byte, sockaddr.LenInet6), socket.Int(mtu)...), errno.OK // struct ip6_mtuinfo (RFC 3542, 11.4)
	}
	return socket.Int(mtu), errno.OK
}
