// SPDX-License-Identifier: Apache-2.0

package tcp

import (
	"testing"

	"dialtone/wire"
)

// TestKernel_timeWait_SYN_reopens gives the kernel what TestTimeWait_SYN_reopens gives us.
func TestKernel_timeWait_SYN_reopens(t *testing.T) {
	k, l := newKernelPeer(t)
	for _, s := range timeWaitSYNs {
		k.port++
		var echo uint32 // the kernel's timestamp
		old := func(seg *wire.Segment) {
			if s.stamps {
				seg.Options.HasTimestamps, seg.Options.TSVal, seg.Options.TSEcr = true, oldStamp, echo
			}
			k.put(seg)
		}
		old(peer(wire.SYN, 0, 0, ""))
		echo = k.one(wire.SYN | wire.ACK).Options.TSVal
		old(peer(wire.ACK, 1, 1, ""))
		c, err := l.AcceptTCP()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		k.one(wire.FIN | wire.ACK)
		old(peer(wire.FIN|wire.ACK, 1, 2, ""))
		k.one(wire.ACK)

		k.put(s.segment())
		want := "ACK"
		if s.reopens {
			want = "SYN-ACK"
		}
		if got := kind(k.awaited()); got != want {
			t.Errorf("%v: the kernel answers %s, want %s", s, got, want)
		}
	}
}
