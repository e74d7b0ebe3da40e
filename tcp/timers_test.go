// SPDX-License-Identifier: Apache-2.0

package tcp

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"dialtone/wire"
)

// schedule lets time pass until the connection ends and returns when it sent something, in seconds after the start, and
// when it ended.
func (b *bench) schedule() (sent []float64, end float64) {
	b.Helper()
	var s wire.Segment
	for {
		at, ok := b.c.Deadline()
		if !ok {
			return sent, (b.now - start).Seconds()
		}
		if at <= b.now {
			b.Fatalf("deadline %v, now %v", at, b.now)
		}
		b.now = at
		b.c.Tick(b.now)
		for b.c.Next(b.now, &s) {
			sent = append(sent, (b.now - start).Seconds())
		}
	}
}

// TestSynSent_unanswered_schedule: linux.md 1.5 (t4-timeout-default, -classic, -linear0, -linear4, t4-syn-schedule,
// -usertimeout) and bsd.md (tcp_syn_backoff, TCPTV_KEEP_INIT).
func TestSynSent_unanswered_schedule(t *testing.T) {
	for _, c := range []struct {
		name   string
		config func(*Config)
		conn   func(*Conn)
		sent   []float64 // after the first SYN
		end    float64
	}{
		{"Linux", nil, nil, []float64{1, 2, 3, 4, 5, 7, 11, 19, 35, 67}, 131},
		{"no linear timeouts", func(g *Config) { g.SynLinearTimeouts = 0 }, nil, []float64{1, 3, 7, 15, 31, 63}, 127},
		{"tcp_syn_retries 1", func(g *Config) { g.SynRetries = 1 }, nil, []float64{1, 2}, 3},
		{"tcp_syn_retries 2", func(g *Config) { g.SynRetries = 2 }, nil, []float64{1, 2, 3, 4, 5}, 7},
		{"tcp_syn_retries 3", func(g *Config) { g.SynRetries = 3 }, nil, []float64{1, 2, 3, 4, 5, 7, 11}, 19},
		{"TCP_SYNCNT 4", nil, func(c *Conn) { c.SetSynRetries(4) }, []float64{1, 2, 3, 4, 5, 7, 11, 19}, 35},
		{"3 retries, not linear", func(g *Config) { g.SynRetries, g.SynLinearTimeouts = 3, 0 }, nil, []float64{1, 3, 7}, 15},
		{"TCP_USER_TIMEOUT 1.5 s", nil, func(c *Conn) { c.SetUserTimeout(1500 * time.Millisecond) }, []float64{1}, 1.5},
		{
			"FreeBSD", func(g *Config) { g.SynRetries, g.SynLinearTimeouts, g.KeepInit = 12, 0, 75*time.Second }, nil,
			[]float64{1, 3, 7, 15, 31, 63},
			75,
		},
		{
			"XNU", func(g *Config) { g.SynRetries, g.SynLinearTimeouts, g.KeepInit = 12, 4, 75*time.Second }, nil,
			[]float64{1, 2, 3, 4, 5, 7, 11, 19, 35, 67},
			75,
		},
		{
			"4.4BSD", func(g *Config) {
				g.SynRetries, g.KeepInit = 12, 75*time.Second
				g.SynBackoff = []time.Duration{6 * time.Second, 18 * time.Second, 64 * time.Second}
			}, nil, []float64{6, 24}, 75,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := plain()
			if c.config != nil {
				c.config(cfg)
			}
			b := &bench{t, new(Conn), start}
			if c.conn != nil {
				c.conn(b.c)
			}
			b.c.Open(b.now, cfg, ourPort, peerPort, ourISS, testMSS)
			b.want(wire.SYN, 0, 0, "")
			sent, end := b.schedule()
			if !slices.Equal(sent, c.sent) || end != c.end {
				t.Errorf("SYNs at %v, dead at %v; want %v, %v", sent, end, c.sent, c.end)
			}
			b.ended(TimedOut)
		})
	}
}

// TestSynReceived_unanswered_schedule: tcp_synack_retries 5.
func TestSynReceived_unanswered_schedule(t *testing.T) {
	b := inSynReceived(t, plain())
	sent, end := b.schedule()
	if want := []float64{1, 3, 7, 15, 31}; !slices.Equal(sent, want) || end != 63 {
		t.Errorf("SYN-ACKs at %v, dead at %v; want %v, 63", sent, end, want)
	}
	b.ended(TimedOut)
}

// TestSynReceived_synAgain_answered: a repeated SYN gets its SYN-ACK, and doesn't put off the end.
func TestSynReceived_synAgain_answered(t *testing.T) {
	b := inSynReceived(t, plain())
	b.now += 900 * time.Millisecond
	b.receive(peer(wire.SYN, 0, 0, ""))
	b.want(wire.SYN|wire.ACK, 0, 1, "")
	b.tick(100 * time.Millisecond)
	b.want(wire.SYN|wire.ACK, 0, 1, "")
}

// TestEstablished_unanswered_schedule: bytes are sent again with doubled waits up to MaxRTO, and given up when
// tcp_retries2 says so: after at least 924.6 s (ip-sysctl.rst).
func TestEstablished_unanswered_schedule(t *testing.T) {
	b := inEstablished(t, plain())
	b.c.Write([]byte("hello"))
	b.want(wire.ACK, 1, 1, "hello")
	sent, end := b.schedule()
	if first := sent[:5]; !slices.Equal(first, []float64{0.2, 0.6, 1.4, 3, 6.2}) {
		t.Errorf("sent again at %v", first)
	}
	if last := len(sent) - 1; sent[last]-sent[last-1] != 120 {
		t.Errorf("the last wait is %v s, want 120", sent[last]-sent[last-1])
	}
	if end != 924.6 {
		t.Errorf("dead at %v, want 924.6", end)
	}
	b.ended(TimedOut)
}

// TestEstablished_unanswered_longest: tcp_retries2 may be 255, which is nine doublings and 246 times MaxRTO
// (tcp_model_timeout).
func TestEstablished_unanswered_longest(t *testing.T) {
	cfg := plain()
	cfg.Retries2 = 255
	b := inEstablished(t, cfg)
	b.c.Write([]byte("hello"))
	b.want(wire.ACK, 1, 1, "hello")
	if _, end := b.schedule(); end != 29724.6 {
		t.Errorf("dead at %v, want 29724.6", end)
	}
	b.ended(TimedOut)
}

// TestFinWait1_closed_unanswered_schedule: nobody waits for an orphan's bytes that long (tcp_orphan_retries 8).
func TestFinWait1_closed_unanswered_schedule(t *testing.T) {
	b := inEstablished(t, plain())
	b.c.Write([]byte("hello"))
	b.c.Close(b.now)
	b.want(wire.FIN|wire.ACK, 1, 1, "hello")
	if sent, end := b.schedule(); end != 102.2 {
		t.Errorf("sent at %v, dead at %v, want 102.2", sent, end)
	}
	b.ended(TimedOut)
}

// TestEstablished_zeroWindow_userTimeout: TCP_USER_TIMEOUT also bounds how long a peer may keep its window closed.
func TestEstablished_zeroWindow_userTimeout(t *testing.T) {
	b := inEstablished(t, plain())
	b.c.SetUserTimeout(10 * time.Second)
	closed := peer(wire.ACK, 1, 1, "")
	closed.Window = 0
	b.receive(closed)
	b.c.Write([]byte("hello"))
	b.quiet()
	for b.c.State() == Established {
		b.now, _ = b.c.Deadline()
		b.c.Tick(b.now)
		var s wire.Segment
		for b.c.Next(b.now, &s) {
			b.receive(closed)
		}
		if b.now > time.Minute {
			t.Fatal("no end")
		}
	}
	if b.now != start+10*time.Second {
		t.Errorf("dead at %v, want 10s", b.now-start)
	}
	b.ended(TimedOut)
}

func TestEstablished_userTimeout(t *testing.T) {
	b := inEstablished(t, plain())
	b.c.SetUserTimeout(2 * time.Second)
	b.c.Write([]byte("hello"))
	b.want(wire.ACK, 1, 1, "hello")
	if sent, end := b.schedule(); end != 2 {
		t.Errorf("sent at %v, dead at %v, want 2", sent, end)
	}
	b.ended(TimedOut)
}

// beforeClosedWindow has bytes to send to a peer whose window is closed, which closed says again.
func beforeClosedWindow(t *testing.T) (b *bench, closed *wire.Segment) {
	b = inEstablished(t, plain())
	closed = peer(wire.ACK, 1, 1, "")
	closed.Window = 0
	b.receive(closed)
	b.c.Write([]byte("hello"))
	b.quiet()
	return b, closed
}

// TestEstablished_zeroWindow: a closed window is probed as long as the peer answers, ever more seldom; when it opens,
// the bytes go.
func TestEstablished_zeroWindow(t *testing.T) {
	b, closed := beforeClosedWindow(t)
	for wait := 200 * time.Millisecond; wait < 2*b.c.cfg.MaxRTO; wait *= 2 {
		b.tick(min(wait, b.c.cfg.MaxRTO))
		b.want(wire.ACK, 0, 1, "") // an old number: the peer must answer
		b.quiet()
		b.receive(closed)
		b.quiet()
	}
	for range 100 { // many more than tcp_retries2
		b.tick(b.c.cfg.MaxRTO)
		b.want(wire.ACK, 0, 1, "")
		b.receive(closed)
		b.quiet()
	}
	b.receive(peer(wire.ACK, 1, 1, ""))
	b.want(wire.ACK, 1, 1, "hello")
	b.quiet()
	b.tick(200 * time.Millisecond) // the probes' backoff is over
	b.want(wire.ACK, 1, 1, "hello")
	b.receive(peer(wire.ACK, 1, 6, ""))
	if _, ok := b.c.Deadline(); ok {
		t.Error("a timer runs with nothing to do")
	}
}

// TestFinWait1_zeroWindow_ends: after Close the peer may not keep its window closed for ever. Linux 6.18 gave up after
// 338 s over loopback: ten doubled waits, of some 210 ms at first, and one of 120 s.
func TestFinWait1_zeroWindow_ends(t *testing.T) {
	b, closed := beforeClosedWindow(t)
	b.c.Close(b.now)
	b.quiet()
	start := b.now
	for b.c.State() != Closed {
		at, ok := b.c.Deadline()
		if !ok {
			t.Fatal("no timer runs")
		}
		if b.tick(at - b.now); b.c.State() != Closed {
			b.want(wire.ACK, 0, 1, "")
			b.receive(closed)
			b.quiet()
		}
	}
	if took := b.now - start; took.Truncate(time.Second) != 324*time.Second {
		t.Errorf("given up after %v", took)
	}
	b.ended(TimedOut)
}

func TestEstablished_zeroWindowUnanswered_timesOut(t *testing.T) {
	b, _ := beforeClosedWindow(t)
	if sent, _ := b.schedule(); len(sent) != int(b.c.cfg.Retries2) {
		t.Errorf("%d probes, want %d", len(sent), b.c.cfg.Retries2)
	}
	b.ended(TimedOut)
}

// TestEstablished_windowShut_inFlight: what is in flight when the window closes is still sent again, one segment.
func TestEstablished_windowShut_inFlight(t *testing.T) {
	b := inEstablished(t, plain())
	b.c.Write([]byte("hello"))
	b.want(wire.ACK, 1, 1, "hello")
	closed := peer(wire.ACK, 1, 1, "text, so no duplicate ACK")
	closed.Window = 0
	b.receive(closed)
	b.want(wire.ACK, 1, 26, "") // not 6: beyond the window
	b.tick(200 * time.Millisecond)
	b.want(wire.ACK, 1, 26, "hello")
	b.quiet()
}

func TestEstablished_delayedACK(t *testing.T) {
	cfg := plain()
	cfg.DelayedAck, cfg.QuickAcks = 40*time.Millisecond, 0
	b := inEstablished(t, cfg)
	b.receive(peer(wire.ACK, 1, 1, "text"))
	b.quiet()
	b.tick(40 * time.Millisecond)
	b.want(wire.ACK, 1, 5, "")
	b.quiet()

	// Bytes of ours take it along.
	b.receive(peer(wire.ACK, 5, 1, "text"))
	b.c.Write([]byte("answer"))
	b.want(wire.ACK, 1, 9, "answer")
	b.quiet()
	b.receive(peer(wire.ACK, 9, 7, ""))
	if _, ok := b.c.Deadline(); ok {
		t.Error("a timer runs with nothing to do")
	}

	// Two full segments don't wait.
	full := string(make([]byte, testMSS))
	b.receive(peer(wire.ACK, 9, 7, full))
	b.quiet()
	b.receive(peer(wire.ACK, 1009, 7, full))
	b.want(wire.ACK, 7, 2009, "")
	b.quiet()

	// A gap doesn't either, and neither does what closes it.
	b.receive(peer(wire.ACK, 2011, 7, "cd"))
	b.want(wire.ACK, 7, 2009, "")
	b.receive(peer(wire.ACK, 2009, 7, "ab"))
	b.want(wire.ACK, 7, 2013, "")
	b.quiet()
}

// The first acknowledgements don't wait, until bytes were sent in answer (tcp_in_quickack_mode).
func TestEstablished_quickACK(t *testing.T) {
	cfg := plain()
	cfg.DelayedAck, cfg.QuickAcks = 40*time.Millisecond, 3
	b := inEstablished(t, cfg)
	for at := range uint32(3) {
		b.receive(peer(wire.ACK, 1+at, 1, "x"))
		b.want(wire.ACK, 1, 2+at, "")
	}
	b.receive(peer(wire.ACK, 4, 1, "x")) // the fourth
	b.quiet()

	b = inEstablished(t, cfg)
	b.c.Write([]byte("first")) // in answer to nothing
	b.want(wire.ACK, 1, 1, "first")
	b.receive(peer(wire.ACK, 1, 6, "x"))
	b.want(wire.ACK, 6, 2, "")
	b.c.Write([]byte("answer"))
	b.want(wire.ACK, 6, 2, "answer")
	b.receive(peer(wire.ACK, 2, 12, "x"))
	b.quiet()
}

func TestTimeWait_finAgain_beginsAnew(t *testing.T) {
	b := inTimeWait(t, plain())
	b.now += 50 * time.Second
	b.receive(peer(wire.FIN|wire.ACK, 1, 2, ""))
	b.want(wire.ACK, 2, 2, "")
	b.tick(60 * time.Second)
	b.ended(Finished)
}

// TestFinWait2_closed_ends: after close(2) nobody waits for the peer's FIN longer than tcp_fin_timeout; after
// shutdown(2) one does.
func TestFinWait2_closed_ends(t *testing.T) {
	b := inFinWait2(t, plain())
	if _, ok := b.c.Deadline(); ok {
		t.Error("half-closed: a timer runs")
	}
	b.c.Close(b.now)
	b.tick(60 * time.Second)
	b.ended(Finished)

	b = inEstablished(t, plain())
	b.c.Close(b.now)
	b.want(wire.FIN|wire.ACK, 1, 1, "")
	b.receive(peer(wire.ACK, 1, 2, ""))
	b.tick(60 * time.Second)
	b.ended(Finished)
}

// TestTick_early: to be called too early must change nothing, owners are told they may.
func TestTick_early(t *testing.T) {
	for _, s := range states {
		b := in[s](t, plain())
		at, ok := b.c.Deadline()
		if !ok {
			continue
		}
		before := *b.c
		if ev := b.c.Tick(at - 1); ev != 0 || !reflect.DeepEqual(before, *b.c) {
			t.Errorf("%v: a tick too early did something", s)
		}
	}
}
