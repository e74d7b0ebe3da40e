// SPDX-License-Identifier: Apache-2.0

package tcp

import (
	"fmt"
	"testing"

	"dialtone/wire"
)

// timeWaitSYN is a SYN for a connection in TIME-WAIT, and whether it begins a new one (tcp_timewait_state_process).
type timeWaitSYN struct {
	stamps  bool // the old connection had timestamps
	seq     int  // from the number after the peer's FIN
	stamp   int  // from the peer's last timestamp
	stamped bool
	reopens bool
}

func (s timeWaitSYN) String() string {
	if !s.stamped {
		return fmt.Sprintf("timestamps %t: SYN %+d without", s.stamps, s.seq)
	}
	return fmt.Sprintf("timestamps %t: SYN %+d, timestamp %+d", s.stamps, s.seq, s.stamp)
}

const oldStamp = 100000 // the last timestamp of the old connection's peer

// segment returns the SYN, numbers as of peer.
func (s timeWaitSYN) segment() *wire.Segment {
	syn := peer(wire.SYN, uint32(2+s.seq), 0, "")
	if s.stamped {
		syn.Options.HasTimestamps, syn.Options.TSVal = true, uint32(oldStamp+s.stamp)
	}
	return syn
}

var timeWaitSYNs = []timeWaitSYN{
	{stamps: true, seq: +100, stamped: true, stamp: +10, reopens: true},
	{stamps: true, seq: +100, stamped: true, stamp: 0, reopens: true},
	{stamps: true, seq: +100, stamped: true, stamp: -10},
	{stamps: true, seq: +1, stamped: true, stamp: 0, reopens: true},
	{stamps: true, seq: +1, stamped: true, stamp: -10},
	{stamps: true, seq: 0, stamped: true, stamp: +10, reopens: true},
	{stamps: true, seq: 0, stamped: true, stamp: 0},
	{stamps: true, seq: 0, stamped: true, stamp: -10},
	{stamps: true, seq: -1000, stamped: true, stamp: +10, reopens: true},
	{stamps: true, seq: -1000, stamped: true, stamp: 0},
	{stamps: true, seq: -1000, stamped: true, stamp: -10},
	{stamps: true, seq: +100, reopens: true},
	{stamps: true, seq: 0},
	{stamps: true, seq: -1000},
	{stamps: false, seq: +100, reopens: true},
	{stamps: false, seq: 0},
	{stamps: false, seq: +100, stamped: true, stamp: +10, reopens: true},
	{stamps: false, seq: -1000, stamped: true, stamp: +10},
}

func TestTimeWait_SYN_reopens(t *testing.T) {
	for _, s := range timeWaitSYNs {
		b := inTimeWait(t, plain())
		if s.stamps {
			b.c.notes |= tsOK
			b.c.tsRecent = oldStamp
		}
		ev := b.receive(s.segment())
		if s.reopens {
			if ev&Reopen == 0 {
				t.Errorf("%v: events %07b, want Reopen", s, ev)
				continue
			}
			b.ended(Finished)
			continue
		}
		if ev&Reopen != 0 {
			t.Errorf("%v: Reopen", s)
			continue
		}
		b.want(wire.ACK, 2, 2, "")
		b.in(TimeWait)
	}
}
