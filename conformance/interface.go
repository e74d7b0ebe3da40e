// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// onInterface lays out the value of an option that an interface is part of; no Data: it is none of these.
//
//	239.1.2.3            [239.1.2.3 10.0.0.2]   [239.1.2.3 a0]   [ff02::5 a0]     a group, on no interface in particular or on one
//	239.1.2.3 10.0.0.2 10.0.0.1   [ff05::5 a0 fd00::1]                            a group, an interface, a source
//	10.0.0.2  a0                                                                  an interface
func (o Option) onInterface(s string) (c Control, err error) {
	switch o.kind {
	case optionGroup:
		group, on, _ := strings.Cut(s, " ")
		ip, err := netip.ParseAddr(group)
		if err != nil {
			return c, fmt.Errorf("%s: expected a group, and perhaps an interface, as in 239.1.2.3 a0, got %q", o.Name, s)
		}
		return c.on(ip.AsSlice(), strings.TrimSpace(on), ip.Is4()), nil
	case optionSource:
		return o.source(s)
	case optionVia:
		return c.on(nil, s, true), nil
	case optionIndex, optionIndexBig:
		c = c.on(nil, s, false)
		c.Big = o.kind == optionIndexBig
	}
	return c, nil
}

// source lays out a group, an interface and a source: of IPv4 struct ip_mreq_source, where the interface is an address, of IPv6
// struct group_source_req, where it is an index.
func (o Option) source(s string) (c Control, err error) {
	words := strings.Fields(s)
	bad := fmt.Errorf("%s: expected a group, an interface and a source, got %q", o.Name, s)
	if len(words) != 3 {
		return c, bad
	}
	group, err1 := netip.ParseAddr(words[0])
	source, err2 := netip.ParseAddr(words[2])
	if err1 != nil || err2 != nil || group.Is4() != source.Is4() {
		return c, bad
	}
	if group.Is4() {
		by, err := netip.ParseAddr(words[1])
		if err != nil || !by.Is4() {
			return c, bad
		}
		c.Data = slices.Concat(group.AsSlice(), by.AsSlice(), source.AsSlice())
		return c, nil
	}
	c = c.on(nil, words[1], false)
	c.Data = append(c.Data, make([]byte, 4)...)
	for _, ip := range []netip.Addr{group, source} {
		c.Data = append(c.Data, append(inetBytes(netip.AddrPortFrom(ip, 0)), make([]byte, 128-28)...)...)
	}
	return c, nil
}

// on appends an interface to b: an address, a name, or an index.
func (c Control) on(b []byte, s string, is4 bool) Control {
	if ip, err := netip.ParseAddr(s); is4 && err == nil {
		c.Data = append(b, ip.AsSlice()...)
		return c
	}
	if is4 && s == "" {
		c.Data = append(b, 0, 0, 0, 0)
		return c
	}
	if is4 {
		b = append(b, make([]byte, 8-len(b))...) // struct ip_mreqn: group, address, index
	}
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		c.Device = s
	}
	c.IndexAt, c.Data = len(b), binary.NativeEndian.AppendUint32(b, uint32(n))
	return c
}
