// SPDX-License-Identifier: Apache-2.0

package link

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"dialtone/clock"
	"dialtone/wire"
)

// TUN is the machine that all this runs on, as a station: by a TUN device of its kernel (Linux's
// Documentation/networking/tuntap.rst) it stands on a link, and hosts there and programs on the machine reach each other.
// To the machine the link is the network behind the device.
//
// A TUN device knows no neighbours: the machine sends whatever it has for the network behind it, and hears "host
// unreachable" of addresses that nobody there answers for. Packets that are longer than the device takes are fragmented,
// and fragments put together.
type TUN struct {
	device     io.ReadWriteCloser
	mtu        int // the device's, bytes
	link       Link
	clock      clock.Clock
	answers    []netip.Addr
	broadcasts []netip.Addr
	ended      chan struct{} // closed when nothing is read any more
	failed     error         // why, if not by Close; to be read after that

	parts reassembly // the reader's

	mu     sync.Mutex // a leaf
	out    []byte
	id     uint32 // of the last packet that was fragmented
	late   clock.Heap
	timer  clock.Timer
	counts TUNCounts
}

// TUNCounts are packets that went through a TUN device.
type TUNCounts struct {
	FromMachine uint64 // that the machine sent
	Malformed   uint64 // of those: no IP packets, or not right ones
	Unclaimed   uint64 // of those: to addresses that nobody answers for
	ToMachine   uint64 // that the machine was sent, before any cut into segments or fragments
	Lost        uint64 // of those: it did not take them, for the device is down
}

// OpenTUN puts the machine on a link, by the TUN device with the given name. addresses are the machine's on it, each with
// the length of the network behind the device. What is missing is made: the device, its addresses, that it is up; for
// that CAP_NET_ADMIN is needed, and without it all three must be there (ip-tuntap(8), with "user"), or the error says what
// is missing. A device that was made here goes with Close.
//
// c is the network's clock. It must be of real time: the machine's kernel knows no other.
func OpenTUN(device string, l Link, c clock.Clock, addresses ...netip.Prefix) (*TUN, error) {
	if real, ok := c.(*clock.Real); !ok || real.Bubbled() {
		return nil, fmt.Errorf("link: TUN device %s: the network's clock is not of real time (a synctest bubble's and a manual clock are not), and the kernel knows no other", device)
	}
	for _, a := range addresses {
		if !a.IsValid() || a.Addr().Is4In6() {
			return nil, fmt.Errorf("link: TUN device %s: %v is no address with the length of its network, such as 10.9.0.254/24", device, a)
		}
	}
	file, mtu, err := openDevice(device, addresses)
	if err != nil {
		return nil, fmt.Errorf("link: TUN device %s: %w", device, err)
	}
	t, err := newTUN(file, mtu, l, c, addresses)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("link: TUN device %s: %w", device, err), file.Close())
	}
	return t, nil
}

// newTUN puts whoever is behind a device on a link.
func newTUN(device io.ReadWriteCloser, mtu int, l Link, c clock.Clock, addresses []netip.Prefix) (*TUN, error) {
	t := &TUN{device: device, mtu: mtu, link: l, clock: c, ended: make(chan struct{})}
	for _, a := range addresses {
		t.answers = append(t.answers, a.Addr())
		if b, ok := broadcast(a); ok {
			t.broadcasts = append(t.broadcasts, b)
		}
	}
	if err := l.Attach(t); err != nil {
		return nil, err
	}
	go t.read()
	return t, nil
}

// broadcast returns the address of all hosts of an IPv4 network (RFC 919); networks of two have none (RFC 3021).
func broadcast(p netip.Prefix) (netip.Addr, bool) {
	if !p.Addr().Is4() || p.Bits() > 30 {
		return netip.Addr{}, false
	}
	a := p.Addr().As4()
	for bit := p.Bits(); bit < 32; bit++ {
		a[bit/8] |= 0x80 >> (bit % 8)
	}
	return netip.AddrFrom4(a), true
}

// Close takes the machine off the link again, and gives the device back. An error says why nothing came from the machine
// any more before.
func (t *TUN) Close() error {
	t.link.Detach(t)
	err := t.device.Close()
	<-t.ended
	t.mu.Lock()
	if t.timer != nil {
		t.timer.Stop()
	}
	t.mu.Unlock()
	return errors.Join(t.failed, err)
}

// Counts returns what has gone through until now.
func (t *TUN) Counts() TUNCounts {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counts
}

// Answers implements [Station].
func (t *TUN) Answers(ip netip.Addr) bool { return slices.Contains(t.answers, ip) }

// Deliver implements [Station].
func (t *TUN) Deliver(at time.Duration, p *wire.Packet) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.late.Len() == 0 && at <= t.clock.Now() {
		t.write(p)
		return
	}
	ev := &clock.Event{Task: clock.Func(func() { t.write(p) })}
	t.late.Set(ev, at)
	t.arm()
}

// due writes what was under way for as long as it had to be.
func (t *TUN) due() {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock.Now()
	for ev := t.late.Due(now); ev != nil; ev = t.late.Due(now) {
		ev.Task.Due()
	}
	t.arm()
}

func (t *TUN) arm() {
	at, ok := t.late.Next()
	if !ok {
		return
	}
	if d := at - t.clock.Now(); t.timer == nil {
		t.timer = t.clock.AfterFunc(d, t.due)
	} else {
		t.timer.Reset(d)
	}
}

// write gives p to the machine.
func (t *TUN) write(p *wire.Packet) {
	t.counts.ToMachine++
	var lost error
	cut(p, t.mtu, func(p *wire.Packet) {
		lost = errors.Join(lost, t.encode(p))
		p.Free()
	})
	if lost != nil {
		t.counts.Lost++
	}
}

func (t *TUN) encode(p *wire.Packet) error {
	b, err := wire.Append(t.out[:0], p)
	if err != nil {
		return err
	}
	t.out = b
	t.id++
	for piece := range wire.Fragments(b, t.mtu, t.id) {
		if _, err := t.device.Write(piece); err != nil {
			return err
		}
	}
	return nil
}

// read takes in what the machine sends, until the device is closed.
func (t *TUN) read() {
	defer close(t.ended)
	buf := make([]byte, math.MaxUint16)
	for {
		n, err := t.device.Read(buf)
		switch {
		case err == nil:
			t.take(bytes.Clone(buf[:n]))
		case errors.Is(err, os.ErrClosed):
			return
		default:
			t.failed = err
			return
		}
	}
}

// take takes one packet of the machine's.
func (t *TUN) take(b []byte) {
	p, err := t.decode(b)
	t.mu.Lock()
	t.counts.FromMachine++
	if err != nil {
		t.counts.Malformed++
	}
	t.mu.Unlock()
	if p == nil {
		return
	}
	now := t.clock.Now()
	if p.Dst.IsMulticast() || slices.Contains(t.broadcasts, p.Dst) {
		t.link.Send(now, t, nil, p)
		return
	}
	to, ok := t.link.Neighbour(t, p.Dst)
	if ok {
		t.link.Send(now, t, to, p)
		return
	}
	t.mu.Lock()
	t.counts.Unclaimed++
	if answer := answerTo(Unreachable, p); answer != nil {
		t.write(answer)
	}
	t.mu.Unlock()
	p.Free()
}

// decode returns the packet that b is, or completes; nil: neither.
func (t *TUN) decode(b []byte) (*wire.Packet, error) {
	f, ok, err := wire.ParseFragment(b)
	if err == nil && ok {
		b, err = t.parts.add(t.clock.Now(), f)
	}
	if err != nil || b == nil {
		return nil, err
	}
	parsed, err := wire.Parse(b)
	if err != nil {
		return nil, err
	}
	p := wire.NewPacket()
	*p = parsed
	return p, nil
}
