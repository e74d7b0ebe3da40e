// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"encoding/binary"
	"math"

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
	switch {
	case i.Recovering:
		b[1] = 3 // TCP_CA_Recovery
	case i.Losing:
		b[1] = 4 // TCP_CA_Loss
	case i.Reordered:
		b[1] = 1 // TCP_CA_Disorder
	}
	b[2], b[4] = i.Retransmits, i.Retransmits
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
	put(20, uint32(i.RcvMSS))
	mss := max(uint32(i.MSS), 1)
	packets := func(bytes uint32) uint32 { return (bytes + mss - 1) / mss }
	put(24, packets(i.InFlight))
	put(28, packets(i.Sacked))
	put(60, uint32(c.mtu()))
	put(68, uint32(i.SRTT.Microseconds()))
	put(72, uint32(i.RTTVar.Microseconds()))
	if i.Ssthresh == math.MaxUint32 {
		put(76, math.MaxInt32) // TCP_INFINITE_SSTHRESH
	} else {
		put(76, packets(i.Ssthresh))
	}
	put(80, i.Cwnd/mss)
	offer := uint32(i.Offer)
	if i.Timestamps {
		offer -= min(offer, 12) // which they take of each segment
	}
	put(84, offer)
	put(88, 3) // how many duplicate acknowledgements show a loss (RFC 5681, 3.2; net.ipv4.tcp_reordering)
	return b
}
