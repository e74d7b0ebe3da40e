// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"net/netip"
	"testing"
	"time"

	"dialtone/link"
	"dialtone/wire"
)

// station has one address and counts what arrives.
type station struct {
	address  netip.Addr
	received int
}

func (s *station) Answers(ip netip.Addr) bool { return ip == s.address }

func (s *station) Deliver(time.Duration, *wire.Packet) { s.received++ }

func TestSilentLink(t *testing.T) {
	hub := link.NewHub(0)
	quiet := silentLink{hub}
	a, b := &station{address: netip.MustParseAddr("10.0.0.1")}, &station{address: netip.MustParseAddr("10.0.0.2")}
	if err := quiet.Attach(a); err != nil {
		t.Fatal(err)
	}
	if err := hub.Attach(b); err != nil {
		t.Fatal(err)
	}
	if s, ok := hub.Neighbour(b, a.address); ok {
		t.Errorf("%v answers", s)
	}
	if s, ok := quiet.Neighbour(a, b.address); !ok || s != link.Station(b) {
		t.Errorf("the silent station finds %v, %v", s, ok)
	}
	hub.Send(0, b, nil, wire.NewPacket())
	quiet.Send(0, a, nil, wire.NewPacket())
	quiet.Send(0, a, b, wire.NewPacket())
	if a.received != 1 || b.received != 2 {
		t.Errorf("the silent station received %d, the other %d; want 1 and 2", a.received, b.received)
	}
	quiet.Detach(a)
	hub.Send(0, b, nil, wire.NewPacket())
	if a.received != 1 {
		t.Error("something arrived after Detach")
	}
}
