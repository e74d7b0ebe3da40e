// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"dialtone/conformance/internal/linux"
)

// controlKind says how a control message is written and laid out.
type controlKind int

const (
	controlInt      controlKind = iota
	controlByte                 // IP_TOS as it is received: one byte
	controlShort                // UDP_SEGMENT: 16 bits
	controlPktInfo              // struct in_pktinfo: interface, the host's address, and, received, the destination
	controlPktInfo6             // struct in6_pktinfo: interface, address
	controlAddress              // a socket address
	controlTime                 // a date, which is written as nothing
)

// controlName names a control message (cmsg(3)).
type controlName struct {
	name       string
	level, typ int
	kind       controlKind
}

// controlNames are those that scripts may send and answers tell, but for those of the error queue.
var controlNames = []controlName{
	{"SO_TIMESTAMP", linux.SOL_SOCKET, 29, controlTime},
	{"SO_TIMESTAMPNS", linux.SOL_SOCKET, 35, controlTime},
	{"SO_MARK", linux.SOL_SOCKET, linux.SO_MARK, controlInt},
	{"SO_PRIORITY", linux.SOL_SOCKET, 12, controlInt},
	{"SO_RXQ_OVFL", linux.SOL_SOCKET, 40, controlInt},
	{"IP_PKTINFO", linux.IPPROTO_IP, 8, controlPktInfo},
	{"IP_TTL", linux.IPPROTO_IP, linux.IP_TTL, controlInt},
	{"IP_TOS", linux.IPPROTO_IP, 1, controlByte},
	{"IP_ORIGDSTADDR", linux.IPPROTO_IP, 20, controlAddress},
	{"IPV6_PKTINFO", linux.IPPROTO_IPV6, 50, controlPktInfo6},
	{"IPV6_2292PKTINFO", linux.IPPROTO_IPV6, 2, controlPktInfo6},
	{"IPV6_HOPLIMIT", linux.IPPROTO_IPV6, 52, controlInt},
	{"IPV6_2292HOPLIMIT", linux.IPPROTO_IPV6, 8, controlInt},
	{"IPV6_TCLASS", linux.IPPROTO_IPV6, 67, controlInt},
	{"IPV6_DONTFRAG", linux.IPPROTO_IPV6, 62, controlInt},
	{"IPV6_ORIGDSTADDR", linux.IPPROTO_IPV6, 74, controlAddress},
	{"UDP_SEGMENT", linux.IPPROTO_UDP, 103, controlShort},
}

// Control is a control message that is sent.
type Control struct {
	Level, Type int
	Data        []byte
	// Device is the interface whose index, in 32 bits, the arm fills in at IndexAt; "": there is none, or it is a number.
	Device  string
	IndexAt int
	Big     bool // in the network's byte order
}

// Resolved returns the data with the interface's index.
func (c Control) Resolved(index func(string) (int, error)) ([]byte, error) {
	if c.Device == "" {
		return c.Data, nil
	}
	n, err := index(c.Device)
	if err != nil {
		return nil, err
	}
	b := append([]byte(nil), c.Data...)
	if c.Big {
		binary.BigEndian.PutUint32(b[c.IndexAt:], uint32(n))
	} else {
		binary.NativeEndian.PutUint32(b[c.IndexAt:], uint32(n))
	}
	return b, nil
}

// parseControl reads a control message:
//
//	IP_TTL 5   IP_TOS byte 5   IP_TTL hex:0500   numbers as an int, in one byte, or any bytes
//	IP_PKTINFO a0 10.0.0.7     an interface, or an index (0 is none), and an address
func parseControl(s string) (Control, error) {
	name, value, _ := strings.Cut(s, " ")
	value = strings.TrimSpace(value)
	for _, n := range controlNames {
		if n.name != name {
			continue
		}
		c := Control{Level: n.level, Type: n.typ}
		if text, ok := strings.CutPrefix(value, "hex:"); ok {
			b, err := hex.DecodeString(text)
			c.Data = b
			return c, err
		}
		var err error
		switch n.kind {
		case controlPktInfo, controlPktInfo6:
			err = c.pktInfo(value, n.kind == controlPktInfo6)
		case controlShort:
			var v uint64
			v, err = strconv.ParseUint(value, 0, 16)
			c.Data = binary.NativeEndian.AppendUint16(nil, uint16(v))
		case controlInt, controlByte:
			c.Data, err = Option{Name: name}.encode(value)
		default:
			err = fmt.Errorf("%s can't be sent", name)
		}
		return c, err
	}
	return Control{}, fmt.Errorf("expected a control message as in IP_TTL 5, got %q", s)
}

// pktInfo lays out struct in_pktinfo or in6_pktinfo.
func (c *Control) pktInfo(s string, is6 bool) error {
	device, address, _ := strings.Cut(s, " ")
	ip, err := netip.ParseAddr(strings.TrimSpace(address))
	if err != nil || ip.Is6() != is6 {
		return fmt.Errorf("expected an interface and an address as in a0 10.0.0.7, got %q", s)
	}
	n, err := strconv.ParseUint(device, 10, 32)
	if err != nil {
		c.Device = device
	}
	index := binary.NativeEndian.AppendUint32(nil, uint32(n))
	if is6 {
		c.Data, c.IndexAt = append(ip.AsSlice(), index...), 16
	} else {
		c.Data = append(append(index, ip.AsSlice()...), 0, 0, 0, 0)
	}
	return nil
}

// ControlText writes a control message that was received; "" for one of the error queue, which [QueuedError] writes. zone
// names an interface.
func ControlText(level, typ int, b []byte, zone func(int) string) string {
	isError := level == linux.IPPROTO_IP && typ == linux.IP_RECVERR || level == linux.IPPROTO_IPV6 && typ == linux.IPV6_RECVERR
	if isError {
		return ""
	}
	for _, n := range controlNames {
		if n.level != level || n.typ != typ {
			continue
		}
		word := func(at int) int { return int(int32(binary.NativeEndian.Uint32(b[at:]))) }
		device := func(at int) string {
			if word(at) == 0 {
				return "0"
			}
			return zone(word(at))
		}
		switch {
		case n.kind == controlTime && len(b) == 16:
			return n.name
		case n.kind == controlAddress:
			return n.name + " " + AddressText(b, zone)
		case n.kind == controlByte && len(b) == 1:
			return fmt.Sprintf("%s %d", n.name, b[0])
		case n.kind == controlInt && len(b) == 4:
			return fmt.Sprintf("%s %d", n.name, word(0))
		case n.kind == controlPktInfo && len(b) == 12:
			return fmt.Sprintf("%s %s %v %v", n.name, device(0), netip.AddrFrom4([4]byte(b[4:])), netip.AddrFrom4([4]byte(b[8:])))
		case n.kind == controlPktInfo6 && len(b) == 20:
			return fmt.Sprintf("%s %s %v", n.name, device(16), netip.AddrFrom16([16]byte(b)))
		}
		return fmt.Sprintf("%s of %d bytes", n.name, len(b))
	}
	return fmt.Sprintf("control message %d/%d", level, typ)
}

// WithControl is the value of recvmsg(2) with the control messages behind it.
func WithControl(value string, control []string) string {
	for _, c := range control {
		if c != "" {
			value += ", " + c
		}
	}
	return value
}
