// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"encoding/binary"

	"dialtone/tcp"
)

// linuxStates are the numbers that TCP_INFO has for the states (enum in net/tcp_states.h).
var linuxStates = map[tcp.State]byte{
	tcp.Established: 1, tcp.SynSent: 2, tcp.SynReceived: 3, tcp.FinWait1: 4, tcp.FinWait2: 5, tcp.TimeWait: 6,
	tcp.Closed: 7, tcp.CloseWait: 8, tcp.LastAck: 9, tcp.Closing: 11,
}

const linuxListen = 10

// info returns a struct tcp_info, as far as the first 104 bytes go (linux/tcp.h).
func (c *stream) info() []byte {
	i := c.conn.Info()
	b := make([]byte, 104)
	b[0] = linuxStates[c.state()]
	if c.queue != nil {
		b[0] = linuxListen
	}
	b[2] = i.Retransmits
	if i.Timestamps {
		b[5] |= 1
	}
	if i.SACK {
		b[5] |= 2
	}
	if i.WindowScale {
		b[5] |= 4
	}
	if i.SynText {
		b[5] |= 32
	}
	b[6] = i.SndScale | i.RcvScale<<4
	put := func(at int, v uint32) { binary.LittleEndian.PutUint32(b[at:], v) }
	put(8, uint32(i.RTO.Microseconds()))
	put(16, uint32(i.MSS))
	put(20, uint32(i.MSS))
	put(68, uint32(i.SRTT.Microseconds()))
	put(72, uint32(i.RTTVar.Microseconds()))
	put(76, i.Ssthresh)
	put(80, i.Cwnd/max(uint32(i.MSS), 1))
	return b
}
