// SPDX-License-Identifier: Apache-2.0

package tcp

import (
	"slices"
	"testing"
	"time"

	"dialtone/wire"
)

// keepSchedules are what a peer gets who is silent from the handshake on, but for its answers to the first probes:
// TestKernel_keepAlive_schedule asks the running kernel for the same.
var keepSchedules = []struct {
	name        string
	set         KeepAlive
	userTimeout time.Duration
	answers     int       // how many probes are answered
	probes      []float64 // seconds after the handshake
	end         float64   // with a reset
}{
	{"three probes", KeepAlive{time.Second, 2 * time.Second, 3}, 0, 0, []float64{1, 3, 5}, 7},
	{"one probe", KeepAlive{2 * time.Second, time.Second, 1}, 0, 0, []float64{2}, 3},
	{"the first is answered", KeepAlive{2 * time.Second, time.Second, 2}, 0, 1, []float64{2, 4, 5}, 6},
	{"a longer user timeout", KeepAlive{time.Second, time.Second, 1}, 3500 * time.Millisecond, 0, []float64{1, 2, 3}, 4},
	{"a shorter user timeout", KeepAlive{time.Second, time.Second, 9}, 1500 * time.Millisecond, 0, []float64{1}, 2},
	{"a user timeout that is over at once", KeepAlive{2 * time.Second, time.Second, 9}, time.Second, 0, []float64{2}, 3},
}

func TestKeepAlive_schedule(t *testing.T) {
	for _, k := range keepSchedules {
		t.Run(k.name, func(t *testing.T) {
			b := inEstablished(t, plain())
			b.c.SetUserTimeout(k.userTimeout)
			b.c.SetKeepAlive(b.now, k.set)
			var probes []float64
			for b.c.State() == Established {
				at, ok := b.c.Deadline()
				if !ok {
					t.Fatal("no timer runs")
				}
				b.now = at
				b.c.Tick(at)
				var s wire.Segment
				for b.c.State() == Established && b.c.Next(b.now, &s) {
					if s.Flags != wire.ACK || s.Len() != 0 || s.Seq != ourISS || s.Ack != peerISS+1 {
						t.Fatalf("the probe is %s", describe(&s))
					}
					if probes = append(probes, (b.now - start).Seconds()); len(probes) <= k.answers {
						b.receive(peer(wire.ACK, 1, 1, ""))
					}
				}
			}
			if end := (b.now - start).Seconds(); !slices.Equal(probes, k.probes) || end != k.end {
				t.Errorf("probes at %v, dead at %v; want %v, %v", probes, end, k.probes, k.end)
			}
			b.want(wire.RST|wire.ACK, 1, 1, "")
			b.quiet()
			b.ended(TimedOut)
		})
	}
}

// keptAlive is a connection whose peer is probed after 10 s, and the times it has left.
func keptAlive(t *testing.T, in func(testing.TB, *Config) *bench) *bench {
	b := in(t, plain())
	b.c.SetKeepAlive(b.now, KeepAlive{10 * time.Second, time.Second, 2})
	return b
}

// TestKeepAlive_peerReset: a peer that has forgotten the connection says so.
func TestKeepAlive_peerReset(t *testing.T) {
	b := keptAlive(t, inEstablished)
	b.tick(10 * time.Second)
	b.want(wire.ACK, 0, 1, "")
	b.receive(peer(wire.RST, 1, 0, ""))
	b.ended(Reset)
}

// TestKeepAlive_whatCame_putsOff: any segment shows that the peer is there.
func TestKeepAlive_whatCame_putsOff(t *testing.T) {
	b := keptAlive(t, inEstablished)
	b.now += 4 * time.Second
	b.receive(peer(wire.ACK, 1, 1, "text"))
	b.want(wire.ACK, 1, 5, "")
	b.tick(6 * time.Second) // set before, and of no use now
	b.quiet()
	b.tick(4 * time.Second)
	b.want(wire.ACK, 0, 5, "")
}

// TestKeepAlive_inFlight_quiet: bytes in flight are retransmitted, which is probing enough; the probes begin when they
// were acknowledged.
func TestKeepAlive_inFlight_quiet(t *testing.T) {
	b := keptAlive(t, inEstablished)
	b.now += 10*time.Second - 100*time.Millisecond
	b.c.Write([]byte("text"))
	b.want(wire.ACK, 1, 1, "text")
	b.tick(100 * time.Millisecond)
	b.quiet()
	b.tick(100 * time.Millisecond)
	b.want(wire.ACK, 1, 1, "text") // by the retransmission timer
	b.receive(peer(wire.ACK, 1, 5, ""))
	b.tick(9900 * time.Millisecond)
	b.quiet()
	b.tick(100 * time.Millisecond)
	b.want(wire.ACK, 4, 1, "")
}

// TestKeepAlive_changed: new times count from when the peer was heard; what has passed already is due at once
// (tcp_sock_set_keepidle_locked).
func TestKeepAlive_changed(t *testing.T) {
	b := keptAlive(t, inEstablished)
	b.now += 4 * time.Second
	b.c.SetKeepAlive(b.now, KeepAlive{6 * time.Second, time.Second, 2})
	if at, _ := b.c.Deadline(); at != start+6*time.Second {
		t.Errorf("due at %v, want 6 s", at-start)
	}
	b.c.SetKeepAlive(b.now, KeepAlive{time.Second, time.Second, 2})
	b.tick(0)
	b.want(wire.ACK, 0, 1, "")
	b.c.SetKeepAlive(b.now, KeepAlive{time.Second, 3 * time.Second, 2})
	b.tick(time.Second)
	b.want(wire.ACK, 0, 1, "")
	if at, _ := b.c.Deadline(); at != b.now+3*time.Second {
		t.Errorf("due in %v, want 3 s", at-b.now)
	}
	b.c.SetKeepAlive(b.now, KeepAlive{})
	if at, ok := b.c.Deadline(); ok {
		t.Errorf("off, and due at %v", at-start)
	}
}

// TestKeepAlive_setBeforeOpen: it counts from the handshake on.
func TestKeepAlive_setBeforeOpen(t *testing.T) {
	b := &bench{t, new(Conn), start}
	b.c.SetKeepAlive(b.now, KeepAlive{10 * time.Second, time.Second, 2})
	b.c.Open(b.now, plain(), ourPort, peerPort, ourISS, testMSS)
	b.want(wire.SYN, 0, 0, "")
	b.tick(time.Second)
	b.want(wire.SYN, 0, 0, "")
	b.receive(peer(wire.SYN|wire.ACK, 0, 1, ""))
	b.want(wire.ACK, 1, 1, "")
	b.tick(10 * time.Second)
	b.want(wire.ACK, 0, 1, "")
}

// TestKeepAlive_mostProbes: net.ipv4.tcp_keepalive_probes may be 255.
func TestKeepAlive_mostProbes(t *testing.T) {
	b := inEstablished(t, plain())
	b.c.SetKeepAlive(b.now, KeepAlive{time.Second, time.Second, 255})
	for range 255 {
		b.tick(time.Second)
		b.want(wire.ACK, 0, 1, "")
	}
	b.tick(time.Second)
	b.want(wire.RST|wire.ACK, 1, 1, "")
	b.ended(TimedOut)
}

// TestKeepAlive_otherTimes: the timer is shared with FIN-WAIT-2, after close, and TIME-WAIT, which end as ever.
func TestKeepAlive_otherTimes(t *testing.T) {
	b := keptAlive(t, inFinWait2)
	b.tick(10 * time.Second) // half-closed: still somebody's
	b.want(wire.ACK, 1, 1, "")
	b.c.Close(b.now)
	b.tick(60 * time.Second)
	b.ended(Finished)

	b = keptAlive(t, inFinWait2)
	b.receive(peer(wire.FIN|wire.ACK, 1, 2, ""))
	b.want(wire.ACK, 2, 2, "")
	b.tick(60 * time.Second)
	b.ended(Finished)

	b = keptAlive(t, inEstablished)
	b.c.Close(b.now)
	b.want(wire.FIN|wire.ACK, 1, 1, "")
	b.tick(200 * time.Millisecond)
	b.want(wire.FIN|wire.ACK, 1, 1, "")
	b.receive(peer(wire.ACK, 1, 2, ""))
	b.tick(60 * time.Second)
	b.ended(Finished)
}
