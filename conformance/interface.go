// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// onInterface lays out the value of an option that an interface is part of; no Data: it is none of these.
//
//	239.1.2.3            [239.1.2.3 10.0.0.2]   [239.1.2.3 a0]   [ff02::5 a0]     a group, on no interface in particular or on one
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
	case optionVia:
		return c.on(nil, s, true), nil
	case optionIndex, optionIndexBig:
		c = c.on(nil, s, false)
		c.Big = o.kind == optionIndexBig
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
