// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"net/netip"

	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/wire"
)

// hears reports whether a packet of a protocol from remote to local that came by in is for r: one bound to an address
// hears what is for it alone, one connected hears its peer alone.
func (r *raw) hears(proto wire.Protocol, local, remote netip.Addr, in *Interface) bool {
	dev := r.sock.Options().Device()
	switch {
	case int32(proto) != r.sock.Protocol, local.Is4() != (r.family == sockaddr.Inet), dev != "" && dev != r.stack.arrival(in, local):
		return false
	case !r.hold.addr.IsUnspecified() && r.hold.addr != local:
		return false
	case local.IsMulticast() && !r.hearsGroup(local, remote, in):
		return false
	}
	return !r.remote.IsValid() || r.remote.Addr() == remote
}

// inputRaw gives each raw socket that hears p a copy, and reports whether there is one.
func (s *Stack) inputRaw(p *wire.Packet, in *Interface) (heard bool) {
	for _, r := range s.raws {
		if !r.hears(p.Proto, p.Dst, p.Src, in) {
			continue
		}
		heard = true
		if p.Proto == wire.ICMP && p.ICMP.Type < 32 || p.Proto == wire.ICMPv6 {
			if t := p.ICMP.Type; r.filter[t/32]>>(t%32)&1 == 1 {
				continue
			}
		}
		if sender, message, admission := r.mayArrive(p, in); admission == socket.Admit {
			b := carried(p)
			if p.Is4() {
				b = whole(p) // raw(7): the IPv4 header is part of what is read
			}
			r.push(&received{from: netip.AddrPortFrom(p.Src, 0), sender: sender, message: message, payload: b}, p, in)
		}
	}
	return heard
}

// whole returns p's bytes; none if its options fit no header.
func whole(p *wire.Packet) []byte {
	b, err := wire.Append(nil, p)
	if err != nil {
		return nil
	}
	return b
}

// carried returns the bytes behind p's IP header.
func carried(p *wire.Packet) []byte {
	b := whole(p)
	return b[min(headerLen(p.Dst), len(b)):]
}

// headerLen is the length of the IP header of a packet to an address, without options, in bytes.
func headerLen(to netip.Addr) int {
	if to.Is4() {
		return 20
	}
	return 40
}

// noNextHeader says that nothing follows an IPv6 header (RFC 8200, 4.7); nobody is told that it was not understood.
const noNextHeader = 59

// nextHeader is where an IPv6 header says what follows it, in bytes, for an ICMPv6 parameter problem (RFC 4443, 3.4).
func nextHeader(p *wire.Packet) uint32 {
	if p.Is4() {
		return 0
	}
	return 6
}
