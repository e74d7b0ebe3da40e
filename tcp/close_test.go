// SPDX-License-Identifier: Apache-2.0

package tcp

import (
	"testing"

	"dialtone/wire"
)

// TestClose_unread_resets: RFC 2525, 2.17, where the system does so.
func TestClose_unread_resets(t *testing.T) {
	b := inEstablished(t, plain())
	b.receive(peer(wire.ACK, 1, 1, "unread"))
	b.c.Close(b.now)
	b.want(wire.RST|wire.ACK, 1, 7, "")
	b.quiet()
	b.ended(Aborted)

	cfg := plain()
	cfg.ResetOnUnread = false
	b = inEstablished(t, cfg)
	b.receive(peer(wire.ACK, 1, 1, "unread"))
	b.c.Close(b.now)
	b.want(wire.FIN|wire.ACK, 1, 7, "")
	b.in(FinWait1)
}

// TestTimeWait_closed_unread_stays: the peer has nothing left to be told.
func TestTimeWait_closed_unread_stays(t *testing.T) {
	b := inFinWait2(t, plain())
	b.receive(peer(wire.FIN|wire.ACK, 1, 2, "unread"))
	b.want(wire.ACK, 2, 8, "")
	b.in(TimeWait)
	b.c.Close(b.now)
	b.quiet()
	b.in(TimeWait)
	if b.c.Buffered() != 0 {
		t.Error("the bytes are kept for nobody")
	}
}

// TestClose_unsent_sentFirst: what was written goes before the FIN, though the owner is gone.
func TestClose_unsent_sentFirst(t *testing.T) {
	b := inEstablished(t, plain())
	b.c.Write([]byte(text(1500)))
	b.c.Close(b.now)
	b.want(wire.ACK, 1, 1, text(1000))
	b.want(wire.FIN|wire.ACK, 1001, 1, text(500))
	b.quiet()
}

// TestFinWait_textAfterClose_resets: bytes that nobody will read (RFC 9293, 3.6.1). After shutdown(SHUT_WR) they are
// read.
func TestFinWait_textAfterClose_resets(t *testing.T) {
	for _, s := range []State{FinWait1, FinWait2} {
		b := in[s](t, plain())
		b.receive(peer(wire.ACK, 1, 1, "text"))
		b.want(wire.ACK, 2, 5, "")
		if got := b.read(); got != "text" {
			t.Errorf("%v: read %q", s, got)
		}

		b = in[s](t, plain())
		b.c.Close(b.now)
		b.receive(peer(wire.ACK, 1, 1, "text"))
		b.want(wire.RST|wire.ACK, 2, 1, "")
		b.ended(Reset)
	}
}

// TestLastAck_aborted_unsent_resets: with bytes left an abort tells the peer that they won't come.
func TestLastAck_aborted_unsent_resets(t *testing.T) {
	b := inCloseWait(t, plain())
	b.c.Write([]byte("unsent"))
	b.c.CloseWrite()
	b.in(LastAck)
	b.c.Abort()
	b.want(wire.RST|wire.ACK, 1, 2, "")
}

// TestCloseRead_read: on Linux SHUT_RD says EOF to the reader, and still gives what comes (linux.md, t4-shutdown-before).
func TestCloseRead_read(t *testing.T) {
	b := inEstablished(t, plain())
	b.c.CloseRead()
	if !b.c.EOF() {
		t.Error("no EOF")
	}
	b.receive(peer(wire.ACK, 1, 1, "text"))
	b.want(wire.ACK, 1, 5, "")
	if b.c.EOF() {
		t.Error("EOF, and something to read")
	}
	if got := b.read(); got != "text" {
		t.Errorf("read %q", got)
	}
}

// TestReset_received_stillRead: what came before the reset can be read; then there is EOF, and the owner says the
// error first.
func TestReset_received_stillRead(t *testing.T) {
	b := inEstablished(t, plain())
	b.c.Write([]byte("lost"))
	b.receive(peer(wire.ACK, 1, 1, "text"))
	b.receive(peer(wire.ACK, 100, 1, "behind a gap"))
	if ev := b.receive(peer(wire.RST, 5, 0, "")); ev != Ended|Readable|Writable {
		t.Errorf("events %07b", ev)
	}
	b.quiet()
	if got := b.read(); got != "text" || !b.c.EOF() || !b.c.WriteClosed() || b.c.Unsent() != 0 {
		t.Errorf("read %q, EOF %v", got, b.c.EOF())
	}
	b.ended(Reset)
	if b.c.later != nil {
		t.Error("what can't be read any more is kept")
	}
}

// TestPredicates: what a socket's read, write and poll follow from, by state.
func TestPredicates(t *testing.T) {
	type row struct{ eof, peerClosed, writeClosed, writable bool }
	want := map[State]row{
		SynSent: {}, SynReceived: {},
		Established: {writable: true},
		FinWait1:    {writeClosed: true, writable: true},
		FinWait2:    {writeClosed: true, writable: true},
		CloseWait:   {eof: true, peerClosed: true, writable: true},
		Closing:     {true, true, true, true},
		LastAck:     {true, true, true, true},
		TimeWait:    {true, true, true, true},
	}
	for _, s := range states {
		b := in[s](t, plain())
		if got := (row{b.c.EOF(), b.c.PeerClosed(), b.c.WriteClosed(), b.c.Writable()}); got != want[s] {
			t.Errorf("%v: %+v, want %+v", s, got, want[s])
		}
	}
}
