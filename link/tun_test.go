// SPDX-License-Identifier: Apache-2.0

package link

import (
	"bytes"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"dialtone/clock"
	"dialtone/wire"
)

// paperDevice is a device whose machine is the test.
type paperDevice struct {
	from   chan []byte // what the machine sends
	closed chan struct{}
	to     chan []byte // what it is sent
}

func newPaperDevice() *paperDevice {
	return &paperDevice{make(chan []byte), make(chan struct{}), make(chan []byte, 100)}
}

func (d *paperDevice) Read(b []byte) (int, error) {
	select {
	case p := <-d.from:
		return copy(b, p), nil
	case <-d.closed:
		return 0, os.ErrClosed
	}
}

func (d *paperDevice) Write(b []byte) (int, error) {
	d.to <- bytes.Clone(b)
	return len(b), nil
}

func (d *paperDevice) Close() error {
	close(d.closed)
	return nil
}

var (
	machine  = netip.MustParsePrefix("10.0.0.254/24")
	neighbor = netip.MustParseAddr("10.0.0.1")
)

func newPaperTUN(t testing.TB, l Link) (*TUN, *paperDevice) {
	t.Helper()
	d := newPaperDevice()
	tun, err := newTUN(d, DefaultMTU, l, clock.NewReal(), []netip.Prefix{machine})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tun.Close(); err != nil {
			t.Error(err)
		}
		if _, ok := l.Neighbour(nil, machine.Addr()); ok {
			t.Error("the machine is still on the link")
		}
	})
	return tun, d
}

// segment is one from the host to the machine.
func segment(payload []byte) *wire.Packet {
	p := wire.NewPacket()
	p.Src, p.Dst, p.Proto, p.TTL = neighbor, machine.Addr(), wire.TCP, 64
	p.TCP = wire.Segment{SrcPort: 1, DstPort: 2, Flags: wire.ACK | wire.PSH, Payload: payload, Part: 1000}
	return p
}

// A segment that stands for many comes out as those.
func TestTUN_segments(t *testing.T) {
	l := NewHub(0)
	tun, d := newPaperTUN(t, l)
	payload := bytes.Repeat([]byte("abcdefghij"), 250)
	l.Send(0, nil, tun, segment(payload))
	var got []byte
	for len(got) < len(payload) {
		p, err := wire.Parse(<-d.to)
		if err != nil {
			t.Fatal(err)
		}
		if int(p.TCP.Seq) != len(got) || p.TCP.Flags.Has(wire.PSH) != (len(got) == 2000) {
			t.Errorf("after %d bytes: %+v", len(got), p.TCP)
		}
		got = append(got, p.TCP.Payload...)
	}
	if !bytes.Equal(got, payload) || tun.Counts() != (TUNCounts{ToMachine: 1}) {
		t.Errorf("%d bytes; %+v", len(got), tun.Counts())
	}
}

// What is under way arrives when it should, and in order.
func TestTUN_late(t *testing.T) {
	l := NewHub(0)
	tun, d := newPaperTUN(t, l)
	now := tun.clock.Now()
	for i, late := range []time.Duration{40, 20, 20, 0} {
		p := segment([]byte{byte(i)})
		l.Send(now+late*time.Millisecond, nil, tun, p)
	}
	var order []byte
	for range 4 {
		p, err := wire.Parse(<-d.to)
		if err != nil {
			t.Fatal(err)
		}
		order = append(order, p.TCP.Payload[0])
	}
	if took := tun.clock.Now() - now; !slices.Equal(order, []byte{3, 1, 2, 0}) || took < 40*time.Millisecond {
		t.Errorf("order %v, after %v", order, took)
	}
}

// What the machine sends to everybody, everybody gets, and what it sends to nobody it hears of.
func TestTUN_destinations(t *testing.T) {
	l := NewHub(0)
	tun, d := newPaperTUN(t, l)
	all := stations(t, l, 3)
	send := func(to string) {
		p := segment(nil)
		p.Src, p.Dst = machine.Addr(), netip.MustParseAddr(to)
		b, err := wire.Append(nil, p)
		if err != nil {
			t.Fatal(err)
		}
		d.from <- b
		d.from <- nil // is taken when the one before has been
	}
	for _, c := range []struct {
		to   string
		want []int
	}{
		{"10.0.0.2", []int{0, 1, 0}}, {"10.0.0.255", []int{1, 2, 1}}, {"224.0.0.1", []int{2, 3, 2}}, {"10.0.0.9", []int{2, 3, 2}},
	} {
		send(c.to)
		if got := []int{len(all[0].got), len(all[1].got), len(all[2].got)}; !slices.Equal(got, c.want) {
			t.Errorf("after one to %s: %v, want %v", c.to, got, c.want)
		}
	}
	p, err := wire.Parse(<-d.to)
	if err != nil || p.Proto != wire.ICMP || p.ICMP.Type != 3 || p.ICMP.Code != 1 || p.Dst != machine.Addr() {
		t.Errorf("the answer is %+v, %v", p, err)
	}
	if c := tun.Counts(); c.FromMachine < 7 || c.Malformed < 3 || c.Unclaimed != 1 || c.ToMachine != 1 || c.Lost != 0 {
		t.Errorf("%+v", c)
	}
}

// Whatever comes by the device, it is taken, and counted, and the next packet is.
func FuzzTUN(f *testing.F) {
	good, err := wire.Append(nil, segment([]byte("text")))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:30])
	f.Add([]byte{0x60})
	f.Fuzz(func(t *testing.T, b []byte) {
		l := NewHub(0)
		s := stations(t, l, 1)[0]
		tun, d := newPaperTUN(t, l)
		b = b[:min(len(b), 1<<16-1)]
		d.from <- b
		d.from <- nil
		p := segment(nil)
		p.Src, p.Dst = machine.Addr(), s.ip
		right, err := wire.Append(nil, p)
		if err != nil {
			t.Fatal(err)
		}
		before := len(s.got)
		d.from <- right
		d.from <- nil
		if len(s.got) != before+1 {
			t.Errorf("%d packets came after %x", len(s.got)-before, b)
		}
		if c := tun.Counts(); c.FromMachine < 3 {
			t.Errorf("%+v", c)
		}
	})
}
