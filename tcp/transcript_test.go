// SPDX-License-Identifier: Apache-2.0

package tcp

import (
	"fmt"
	"strings"

	"dialtone/wire"
)

// describe writes a segment as tcpdump(8) does, with absolute numbers.
func describe(s *wire.Segment) string {
	var b strings.Builder
	for i, name := range "FSRP.UEW" {
		if s.Flags&(1<<i) != 0 {
			b.WriteRune(name)
		}
	}
	fmt.Fprintf(&b, " seq %d", s.Seq)
	if s.Flags.Has(wire.ACK) {
		fmt.Fprintf(&b, " ack %d", s.Ack)
	}
	fmt.Fprintf(&b, " win %d", s.Window)
	if o := &s.Options; o.MSS != 0 {
		fmt.Fprintf(&b, " mss %d", o.MSS)
	}
	if len(s.Payload) > 0 {
		fmt.Fprintf(&b, " len %d", len(s.Payload))
	}
	return b.String()
}
