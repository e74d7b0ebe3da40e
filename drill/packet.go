// SPDX-License-Identifier: Apache-2.0

package drill

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"dialtone/wire"
)

// packet is a packet that is put in, or expected, with the numbers of the script.
type packet struct {
	in      bool
	tcp     wire.Segment // Payload is that long, of zeros
	hasWin  bool
	options []option
	any     bool   // <...>: whatever options
	ecn     string // of the IP header
	icmp    *icmp
}

// icmp is an ICMP error about a packet that was sent.
type icmp struct {
	kind, code string
	mtu        uint32
	quoted     bool
	seq, n     uint32
}

// option is a TCP option: its bytes on the wire. Those of a timestamp are 0 where its values belong.
type option struct {
	name     string
	bytes    []byte
	val, ecr uint32 // of a timestamp
	ours     bool   // a cookie: that which the host grants
}

var (
	packetForm = regexp.MustCompile(`^([<>])\s*(?:\[([^\]]*)\]\s*)?(?:\(flowlabel[^)]*\)\s*)?([-SFRPEWUA.]+)\s+(\d+):(\d+)\s*\((\d+)\)` +
		`(?:\s+ack\s+(\d+))?(?:\s+win\s+(\d+))?(?:\s+urg\s+(\d+))?\s*(?:<(.*)>)?\s*$`)
	icmpForm = regexp.MustCompile(`^<\s*icmp\s+(\w+)(?:\s+([a-z]\w*))??(?:\s+mtu\s+(\d+))?\s*(?:\[(\d+):(\d+)\s*\((\d+)\)\])?\s*$`)
	flagOf   = map[rune]wire.Flags{
		'S': wire.SYN, 'F': wire.FIN, 'R': wire.RST, 'P': wire.PSH, '.': wire.ACK, 'E': wire.ECE, 'W': wire.CWR,
		'U': wire.URG, '-': 0,
	}
)

// number reads digits, if there are any. What is too large is the largest number.
func number(text string) uint32 {
	n, _ := strconv.ParseUint(text, 10, 32)
	return uint32(n)
}

// most bounds what one call, or one packet, of a script can have to do with, in bytes.
const most = 1 << 24

func parsePacket(row string) (*packet, error) {
	if m := icmpForm.FindStringSubmatch(row); m != nil {
		return &packet{in: true, icmp: &icmp{
			kind: m[1], code: m[2], mtu: number(m[3]), quoted: m[4] != "",
			seq: number(m[4]), n: number(m[6]),
		}}, nil
	}
	m := packetForm.FindStringSubmatch(row)
	if m == nil {
		return nil, fmt.Errorf("packet not understood: %s", row)
	}
	p := &packet{in: m[1] == "<", ecn: m[2], hasWin: m[8] != ""}
	for _, c := range m[3] {
		f, ok := flagOf[c]
		if !ok {
			return nil, fmt.Errorf("flag %c not understood", c)
		}
		p.tcp.Flags |= f
	}
	p.tcp.Seq, p.tcp.Ack, p.tcp.Window = number(m[4]), number(m[7]), uint16(number(m[8]))
	p.tcp.Urgent = uint16(number(m[9]))
	n := number(m[6])
	if n > wire.MaxText {
		return nil, fmt.Errorf("%d bytes don't fit one packet", n)
	}
	p.tcp.Payload = make([]byte, n)
	if m[10] == "..." {
		p.any = true
		return p, nil
	}
	for text := range strings.SplitSeq(m[10], ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		o, err := parseOption(strings.Fields(text))
		if err != nil {
			return nil, err
		}
		p.options = append(p.options, o)
	}
	return p, nil
}

// suiteCookie is the fast open cookie that the host of packetdrill's suite grants. It and the suite's word for it stand for
// the one that our host grants.
const suiteCookie, suiteCookieWord = "3021b9d889017eeb", "TFO_COOKIE"

func parseOption(words []string) (option, error) {
	o := option{name: words[0]}
	arg := ""
	if len(words) > 1 {
		arg = words[1]
	}
	switch n := number(arg); o.name {
	case "nop":
		o.bytes = []byte{1}
	case "eol":
		o.bytes = []byte{0}
	case "mss":
		o.bytes = []byte{2, 4, byte(n >> 8), byte(n)}
	case "wscale":
		o.bytes = []byte{3, 3, byte(n)}
	case "sackOK":
		o.bytes = []byte{4, 2}
	case "sack":
		if len(words) < 2 || len(words) > 5 {
			return o, fmt.Errorf("%d SACK blocks", len(words)-1)
		}
		o.bytes = []byte{5, byte(2 + 8*(len(words)-1))}
		for _, w := range words[1:] {
			left, right, _ := strings.Cut(w, ":")
			o.bytes = binary.BigEndian.AppendUint32(o.bytes, number(left))
			o.bytes = binary.BigEndian.AppendUint32(o.bytes, number(right))
		}
	case "TS":
		if len(words) != 5 {
			return o, fmt.Errorf("timestamp not understood: %q", words)
		}
		o.val, o.ecr = number(words[2]), number(words[4])
		o.bytes = []byte{8, 10, 0, 0, 0, 0, 0, 0, 0, 0}
	case "FO":
		if arg == suiteCookieWord {
			arg = suiteCookie
		}
		o.ours = arg == suiteCookie
		return o, o.hex(34, arg)
	case "md5":
		if len(arg) != 32 {
			return o, fmt.Errorf("a signature has 16 bytes: %s", arg)
		}
		return o, o.hex(19, arg)
	default:
		return o, notRun("TCP option %s", o.name)
	}
	return o, nil
}

// hex makes o an option of a kind with a value.
func (o *option) hex(kind byte, value string) error {
	b, err := hex.DecodeString(value)
	o.bytes = append([]byte{kind, byte(2 + len(b))}, b...)
	return err
}
