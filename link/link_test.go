// SPDX-License-Identifier: Apache-2.0

package link

import (
	"net/netip"
	"testing"
	"time"

	"dialtone/wire"
)

// station answers for one address and keeps what arrives.
type station struct {
	ip  netip.Addr
	got []time.Duration
}

func (s *station) Answers(ip netip.Addr) bool { return ip == s.ip }
func (s *station) Deliver(at time.Duration, p *wire.Packet) {
	s.got = append(s.got, at)
	p.Free()
}

func stations(t *testing.T, l Link, n int) []*station {
	t.Helper()
	var all []*station
	ip := netip.MustParseAddr("10.0.0.1")
	for range n {
		s := &station{ip: ip}
		if err := l.Attach(s); err != nil {
			t.Fatal(err)
		}
		all, ip = append(all, s), ip.Next()
	}
	return all
}

func TestCableHasTwoEnds(t *testing.T) {
	l := NewCable(0)
	s := stations(t, l, 2)
	if err := l.Attach(&station{}); err != ErrCableFull {
		t.Errorf("third end: %v", err)
	}
	l.Detach(s[0])
	if err := l.Attach(&station{}); err != nil {
		t.Errorf("after an end left: %v", err)
	}
}

func TestLatencyIsAddedOnce(t *testing.T) {
	l := NewHub(200 * time.Millisecond)
	s := stations(t, l, 3)
	to, ok := l.Neighbour(s[0], s[2].ip)
	if !ok {
		t.Fatal("no neighbour")
	}
	l.Send(time.Second, s[0], to, wire.NewPacket())
	l.SetLatency(0)
	l.Send(time.Second, s[0], nil, wire.NewPacket())
	if len(s[0].got) != 0 || len(s[1].got) != 1 || len(s[2].got) != 2 {
		t.Fatalf("arrivals %v %v %v", s[0].got, s[1].got, s[2].got)
	}
	if s[2].got[0] != 1200*time.Millisecond || s[2].got[1] != time.Second {
		t.Errorf("arrived at %v", s[2].got)
	}
}

func TestNobodyIsOwnNeighbour(t *testing.T) {
	l := NewHub(0)
	s := stations(t, l, 2)
	if _, ok := l.Neighbour(s[0], s[0].ip); ok {
		t.Error("a station found itself")
	}
	if _, ok := l.Neighbour(s[0], netip.MustParseAddr("10.0.0.9")); ok {
		t.Error("somebody answered for an address nobody has")
	}
	if to, ok := (Loopback{}).Neighbour(s[0], netip.MustParseAddr("127.0.0.1")); !ok || to != s[0] {
		t.Error("loopback does not lead back")
	}
}

// TestNeighboursOfManyComeAndGo: on a hub of many, too, a neighbour is who answers now.
func TestNeighboursOfManyComeAndGo(t *testing.T) {
	l := NewHub(0)
	s := stations(t, l, 3*few)
	last := s[len(s)-1]
	for range 2 { // looked for, and remembered
		if to, ok := l.Neighbour(s[0], last.ip); !ok || to != last {
			t.Fatalf("%v answered for %v", to, last.ip)
		}
	}
	moved := last.ip
	last.ip, s[1].ip = s[1].ip, last.ip
	if to, ok := l.Neighbour(s[0], moved); !ok || to != s[1] {
		t.Errorf("the address moved, and %v answered for it", to)
	}
	l.Detach(s[1])
	if to, ok := l.Neighbour(s[0], moved); ok {
		t.Errorf("its station is gone, and %v answered for it", to)
	}
}

func TestCutLosesUntilHealed(t *testing.T) {
	l := NewCable(0)
	s := stations(t, l, 2)
	l.Cut()
	l.Send(0, s[0], s[1], wire.NewPacket())
	if len(s[1].got) != 0 {
		t.Error("a packet crossed a cut link")
	}
	if _, ok := l.Neighbour(s[0], s[1].ip); !ok {
		t.Error("a cut link forgot who is on it")
	}
	l.Heal()
	l.Send(0, s[0], s[1], wire.NewPacket())
	if len(s[1].got) != 1 {
		t.Error("a healed link lost a packet")
	}
}
