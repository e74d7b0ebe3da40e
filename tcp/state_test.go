// SPDX-License-Identifier: Apache-2.0

package tcp

import (
	"testing"

	"dialtone/wire"
)

func TestHandshakeDataClose(t *testing.T) {
	b := inEstablished(t, plain())
	if n := b.c.Write([]byte("hello")); n != 5 {
		t.Fatalf("wrote %d", n)
	}
	b.want(wire.ACK, 1, 1, "hello")
	b.receive(peer(wire.ACK, 1, 6, "answer"))
	b.want(wire.ACK, 6, 7, "")
	if got := b.read(); got != "answer" {
		t.Fatalf("read %q", got)
	}
	b.c.CloseWrite()
	b.want(wire.FIN|wire.ACK, 6, 7, "")
	b.in(FinWait1)
	b.receive(peer(wire.FIN|wire.ACK, 7, 7, ""))
	b.want(wire.ACK, 7, 8, "")
	b.in(TimeWait)
	b.tick(b.c.cfg.TimeWait)
	b.ended(Finished)
}
