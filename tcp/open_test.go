// SPDX-License-Identifier: Apache-2.0

package tcp

import (
	"testing"
	"time"

	"dialtone/wire"
)

// TestHandshake_options: an option counts only if both sides offered it, and a SYN-ACK has no more than the SYN had.
func TestHandshake_options(t *testing.T) {
	all, none := Defaults(), *plain()
	for _, c := range []struct {
		name           string
		client, server Config
		want           bool
	}{
		{"both", all, all, true},
		{"client only", all, none, false},
		{"server only", none, all, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var client, server Conn
			var syn, synAck, ack wire.Segment
			client.Open(start, &c.client, 1, 2, 100, 1460)
			client.Next(start, &syn)
			server.Accept(start, &c.server, &syn, 200, 1440)
			server.Next(start, &synAck)
			client.Receive(start, &synAck)
			client.Next(start, &ack)
			server.Receive(start, &ack)
			for _, o := range []wire.Options{synAck.Options} {
				if o.HasTimestamps != c.want || o.HasWindowScale != c.want || o.SACKPermitted != c.want {
					t.Errorf("SYN-ACK offers %+v", o)
				}
			}
			if ack.Options.HasTimestamps != c.want {
				t.Errorf("ACK with timestamps: %v", ack.Options.HasTimestamps)
			}
			mss := uint16(1440)
			if c.want {
				mss -= 12
			}
			for _, end := range []*Conn{&client, &server} {
				i := end.Info()
				if i.State != Established || i.Timestamps != c.want || i.SACK != c.want || i.WindowScale != c.want || i.MSS != mss {
					t.Errorf("%+v", i)
				}
			}
			// Each side must read the other's windows as they are meant.
			if got, want := client.Info().SndWnd, uint32(synAck.Window); got != want {
				t.Errorf("the client reads a window of %d in the SYN-ACK, which says %d", got, want)
			}
			if got, want := server.Info().SndWnd, client.Info().RcvWnd; got != want {
				t.Errorf("the server reads a window of %d, the client offers %d", got, want)
			}
		})
	}
}

// TestOpen_mss: what the peer offers bounds the segments (RFC 9293, 3.7.1), but not without limit.
func TestOpen_mss(t *testing.T) {
	for _, c := range []struct{ offered, want uint16 }{
		{0, 536}, {536, 536}, {9000, testMSS}, {testMSS, testMSS}, {800, 800}, {1, minMSS},
	} {
		b := inSynSent(t, plain())
		s := peer(wire.SYN|wire.ACK, 0, 1, "")
		s.Options.MSS = c.offered
		b.receive(s)
		if got := b.c.MSS(); got != c.want {
			t.Errorf("offered %d: MSS %d, want %d", c.offered, got, c.want)
		}
	}
}

// TestOpen_windowScale_bounded: RFC 7323, 2.3.
func TestOpen_windowScale_bounded(t *testing.T) {
	cfg := plain()
	cfg.WindowScale = true
	b := inSynSent(t, cfg)
	s := peer(wire.SYN|wire.ACK, 0, 1, "")
	s.Options.HasWindowScale, s.Options.WindowScale = true, 200
	b.receive(s)
	if got := b.c.Info().SndScale; got != 14 {
		t.Errorf("scale %d, want 14", got)
	}
}

// The window is scaled for what the buffer could grow to, unless the buffer was set (tcp_select_initial_window; the
// numbers are those that Linux 6.18 offered with these tcp_rmem).
func TestOpen_windowScale_offered(t *testing.T) {
	for _, c := range []struct {
		most, set uint32
		want      uint8
	}{{0, 0, 2}, {6 << 20, 0, 7}, {15 << 20, 0, 8}, {32 << 20, 0, 10}, {32 << 20, 200_000, 2}} {
		cfg := Defaults()
		cfg.RcvBuf, cfg.RcvBufMost = 131072, c.most
		var conn Conn
		if c.set != 0 {
			conn.SetRcvBuf(c.set)
		}
		conn.Open(time.Second, &cfg, 1, 2, 3, 1460)
		var syn wire.Segment
		if !conn.Next(time.Second, &syn) || !syn.Options.HasWindowScale || syn.Options.WindowScale != c.want {
			t.Errorf("most %d, set %d: scale %d, want %d", c.most, c.set, syn.Options.WindowScale, c.want)
		}
	}
}

func TestSynSent_textWithSynAck_read(t *testing.T) {
	b := inSynSent(t, plain())
	ev := b.receive(peer(wire.SYN|wire.ACK|wire.FIN, 0, 1, "hello"))
	if want := Connected | Writable | Readable | PeerClosed; ev != want {
		t.Errorf("events %07b, want %07b", ev, want)
	}
	b.want(wire.ACK, 1, 7, "")
	b.in(CloseWait)
	if got := b.read(); got != "hello" || !b.c.EOF() {
		t.Errorf("read %q, EOF %v", got, b.c.EOF())
	}
}

// TestAccept_textWithSyn_left: without fast open only the SYN is acknowledged, the bytes come again.
func TestAccept_textWithSyn_left(t *testing.T) {
	b := &bench{t, new(Conn), start}
	b.c.Accept(b.now, plain(), peer(wire.SYN, 0, 0, "hello"), ourISS, testMSS)
	b.want(wire.SYN|wire.ACK, 0, 1, "")
	b.receive(peer(wire.ACK, 1, 1, "hello"))
	b.want(wire.ACK, 1, 6, "")
	if got := b.read(); got != "hello" {
		t.Errorf("read %q", got)
	}
}

// TestSynSent_written_sentWhenConnected: what was written early goes with the handshake's last segment.
func TestSynSent_written_sentWhenConnected(t *testing.T) {
	b := inSynSent(t, plain())
	b.c.Write([]byte("hello"))
	b.quiet()
	b.receive(peer(wire.SYN|wire.ACK, 0, 1, ""))
	b.want(wire.ACK, 1, 1, "hello")
	b.quiet()
}

// TestSynReceived_closed_finFollows: RFC 9293, 3.10.4.
func TestSynReceived_closed_finFollows(t *testing.T) {
	b := inSynReceived(t, plain())
	b.c.Write([]byte("bye"))
	b.c.CloseWrite()
	b.quiet()
	b.receive(peer(wire.ACK, 1, 1, ""))
	b.in(FinWait1)
	b.want(wire.FIN|wire.ACK, 1, 1, "bye")
}

// TestSynSent_lost_slowStart: a SYN that was lost leaves a window of one segment (RFC 5681, 3.1) and, without a
// measurement, a timeout of 3 s (RFC 6298, 5.7).
func TestSynSent_lost_slowStart(t *testing.T) {
	b := inSynSent(t, plain())
	b.tick(time.Second)
	b.want(wire.SYN, 0, 0, "")
	b.receive(peer(wire.SYN|wire.ACK, 0, 1, ""))
	if i := b.c.Info(); i.Cwnd != uint32(i.MSS) || i.RTO != 3*time.Second || i.Retransmits != 0 {
		t.Errorf("%+v", i)
	}
}

// TestOpen_again: a Conn can be used again after it has ended; options set on it stay, all else is fresh.
func TestOpen_again(t *testing.T) {
	b := inEstablished(t, plain())
	b.c.SetNoDelay(true)
	b.c.SetSndBuf(77)
	b.receive(peer(wire.ACK, 1, 1, "left over"))
	b.c.Abort()
	b.c.Open(b.now, plain(), ourPort, peerPort, ourISS, testMSS)
	b.want(wire.SYN, 0, 0, "")
	if b.c.Reason() != Running || b.c.Buffered() != 0 || !b.c.has(noDelay) || b.c.sndBuf != 77 {
		t.Errorf("%v, %d bytes left", b.c.Reason(), b.c.Buffered())
	}
}

// TestSimultaneousOpen: RFC 9293, figure 8.
func TestSimultaneousOpen(t *testing.T) {
	w := newNetwork(t, faults{latency: time.Millisecond}, 1)
	cfg := Defaults()
	w.ends[0].Open(w.now, &cfg, 1000, 2000, 1, 1460)
	w.ends[1].Open(w.now, &cfg, 2000, 1000, 1<<31, 1460)
	w.drain(0)
	w.drain(1)
	w.run(w.now+time.Second, func() bool { return w.heard[0]&w.heard[1]&Connected != 0 })
	if w.now != start+2*time.Millisecond {
		t.Errorf("took %v, want two flights", w.now-start)
	}
	x := &transfer{bite: 1000, data: [2][]byte{[]byte("ping"), []byte("pong")}}
	w.step = func(end int) { x.step(w, end) }
	w.act(0)
	w.act(1) // both close at once: RFC 9293, figure 13
	w.run(w.now+time.Second, func() bool { return w.ends[0].State() == TimeWait && w.ends[1].State() == TimeWait })
	if string(x.got[0])+string(x.got[1]) != "pongping" {
		t.Errorf("got %q and %q", x.got[0], x.got[1])
	}
}

// TestSelfConnect: a connection to its own port is a simultaneous open with itself (linux.md, t4-self).
func TestSelfConnect(t *testing.T) {
	for _, timestamps := range []bool{false, true} {
		cfg := plain()
		cfg.Timestamps = timestamps
		b := &bench{t, new(Conn), start}
		b.c.Open(b.now, cfg, 7000, 7000, ourISS, testMSS)
		loop := func() (ev Events) {
			var s wire.Segment
			for n := 0; b.c.Next(b.now, &s); n++ {
				if n > 10 {
					t.Fatalf("no end: %s", describe(&s))
				}
				ev |= b.c.Receive(b.now, &s)
			}
			return ev
		}
		if ev := loop(); ev&Connected == 0 || b.c.State() != Established {
			t.Fatalf("events %07b, %v", ev, b.c.State())
		}
		b.c.Write([]byte("echo"))
		loop()
		if got := b.read(); got != "echo" {
			t.Errorf("read %q", got)
		}
		b.c.CloseWrite()
		loop()
		if b.c.State() != TimeWait || !b.c.EOF() {
			t.Errorf("%v, EOF %v", b.c.State(), b.c.EOF())
		}
	}
}
