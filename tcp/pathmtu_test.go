// SPDX-License-Identifier: Apache-2.0

package tcp

import (
	"testing"

	"dialtone/wire"
)

// TestNarrow: what is under way goes again at once, cut anew, as many segments as the window had; what the peer has does not.
func TestNarrow(t *testing.T) {
	b := sending(t)
	b.receive(sack(1, 1001, 2001))
	b.c.Narrow(400)
	b.want(wire.ACK, 1, 1, text(400))
	b.want(wire.ACK, 401, 1, text(400))
	b.want(wire.ACK, 801, 1, text(200)) // up to what the peer has
	for i := range uint32(7) {
		b.want(wire.ACK, 2001+400*i, 1, text(400))
	}
	b.want(wire.ACK, 4801, 1, text(200))
	b.quiet()
	if i := b.c.Info(); i.MSS != 400 || i.Cwnd != 10*400 || !i.Losing || i.Retransmits != 0 {
		t.Errorf("%+v", i)
	}
	b.receive(peer(wire.ACK, 1, 10001, ""))
	if i := b.c.Info(); i.Losing || i.InFlight != 0 {
		t.Errorf("all is acknowledged: %+v", i)
	}
}

// TestNarrow_small: segments that are small enough are not lost.
func TestNarrow_small(t *testing.T) {
	b := inEstablished(t, plain())
	b.c.Write([]byte("text"))
	b.want(wire.ACK, 1, 1, "text")
	at := b.c.rexmitAt
	b.c.Narrow(400)
	if b.quiet(); b.c.rexmitAt != at || b.c.Info().Losing {
		t.Errorf("%+v", b.c.Info())
	}
}

// TestSetMSS: no more than the peer takes, and the window keeps its segments.
func TestSetMSS(t *testing.T) {
	b := inEstablished(t, plain())
	for _, step := range []struct{ mss, want uint16 }{{700, 700}, {1400, testMSS}, {10, minMSS}, {900, 900}, {900, 900}} {
		b.c.SetMSS(step.mss)
		if i := b.c.Info(); i.MSS != step.want || i.Cwnd/uint32(i.MSS) > 10 || i.Cwnd/uint32(i.MSS) < 9 {
			t.Errorf("%d: %d bytes, a window of %d", step.mss, i.MSS, i.Cwnd)
		}
	}
}
