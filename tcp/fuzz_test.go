// SPDX-License-Identifier: Apache-2.0

package tcp

import (
	"testing"
	"time"

	"dialtone/wire"
)

// FuzzReceive: whatever a peer sends in whatever state, and whatever the owner does meanwhile, nothing panics, nothing
// grows beyond its bound, and the sequence numbers stay in order.
func FuzzReceive(f *testing.F) {
	for i := range states {
		f.Add([]byte{byte(i), 0, byte(wire.ACK), 0, 0, 4, 1, byte(wire.FIN | wire.ACK), 0, 0, 0, 9, 9, 9})
		f.Add([]byte{byte(i), 1, byte(wire.SYN), 0, 0, 0, 2, byte(wire.RST), 0, 0, 0, 3, 100})
	}
	f.Add([]byte{2, 3, byte(wire.ACK), 2, 0, 40, byte(wire.ACK), 0x81, 0, 40, 200, 100, 210, 255, 220, 230, 240, 250})
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) < 2 {
			return
		}
		cfg := plain()
		cfg.RcvBuf, cfg.SndBuf = 3000, 3000
		cfg.DelayedAck = 40 * time.Millisecond
		cfg.WindowScale, cfg.SACK = script[1]&1 != 0, script[1]&1 != 0
		b := in[states[int(script[0])%len(states)]](t, cfg)
		if script[1]&2 != 0 {
			b.c.cfg.MaxSegment = 2500
		}
		if script[1]&4 != 0 { // as if agreed in the handshake
			b.c.cfg.Timestamps = true
			b.c.set(tsOK, b.c.State() != SynSent)
		}
		b.c.set(sackOK, cfg.SACK && b.c.State() != SynSent)
		script = script[2:]
		take := func() byte {
			if len(script) == 0 {
				return 0
			}
			v := script[0]
			script = script[1:]
			return v
		}
		for len(script) > 0 {
			switch op := take(); {
			case op < 192:
				b.receive(b.hostile(wire.Flags(op), take))
			case op < 208:
				b.c.Write(make([]byte, int(take())*16))
			case op < 216:
				b.c.Read(make([]byte, int(take())*16))
			case op < 232:
				if at, ok := b.c.Deadline(); ok && at < time.Hour {
					b.now = max(b.now, at)
					b.tickDue()
				}
			case op < 236:
				b.now += time.Duration(take()) * time.Millisecond
				b.tickDue()
			case op < 240:
				b.c.CloseWrite()
			case op < 242:
				b.c.CloseRead()
			case op < 243:
				b.c.Close(b.now)
			case op < 244:
				b.c.Abort()
			case op < 246:
				b.c.Narrow(uint16(take()) * 8)
			case op < 248:
				b.c.SetRcvBuf(uint32(take()) * 16)
			case op < 251:
				idle := time.Duration(take()) * time.Millisecond
				b.c.SetKeepAlive(b.now, KeepAlive{Idle: idle, Interval: 3 * time.Millisecond, Probes: 3})
			case op < 253:
				b.c.SetCork(op&1 != 0)
			case op < 254:
				b.c.ExpectMore()
				b.c.SetQuickAck(int(take()))
			case op < 255:
				b.c.SetUnsentLow(uint32(take()) * 16)
				b.c.SetWindowClamp(uint32(take()) * 16)
			default:
				b.c.SetNoDelay(take()&1 != 0)
			}
			b.drainSane()
		}
	})
}

// tickDue has the connection do what is due. Nothing is due then: its owner's timer would fire without end.
func (b *bench) tickDue() {
	b.Helper()
	b.c.Tick(b.now)
	b.drainSane()
	if at, ok := b.c.Deadline(); ok && at <= b.now {
		b.Fatalf("%v: due at %v, and it is %v", b.c.State(), at, b.now)
	}
}

// hostile makes a segment near the windows from a few bytes.
func (b *bench) hostile(flags wire.Flags, take func() byte) *wire.Segment {
	near := func(base uint32) uint32 {
		v := take()
		offset := uint32(int32(int8(v)))
		if v&1 != 0 {
			offset *= 64 // further, also out of the window
		}
		return base + offset
	}
	s := &wire.Segment{
		SrcPort: peerPort, DstPort: ourPort, Flags: flags,
		Seq: near(b.c.rcvNxt), Ack: near(b.c.sndUna),
		Window:  uint16(take()) * 32,
		Payload: make([]byte, int(take())*8),
	}
	if options := take(); options != 0 {
		s.Options = wire.Options{
			HasTimestamps: options&1 != 0, TSVal: near(b.c.tsRecent), TSEcr: uint32(take()),
			HasWindowScale: options&2 != 0, WindowScale: take(), SACKPermitted: options&4 != 0,
			MSS: uint16(take()) * 8,
		}
		for s.Options.SACKBlocks < options>>5&3 {
			s.Options.SACK[s.Options.SACKBlocks] = wire.SACKBlock{Left: near(b.c.sndUna), Right: near(b.c.sndUna)}
			s.Options.SACKBlocks++
		}
	}
	return s
}

// drainSane drains the connection and checks what must always hold.
func (b *bench) drainSane() {
	b.Helper()
	c := b.c
	var s wire.Segment
	for n, quiet := 0, c.Quiet(); c.Next(b.now, &s); n, quiet = n+1, c.Quiet() {
		if quiet {
			b.Fatalf("%v: quiet, and yet there was %s", c.State(), describe(&s))
		}
		if n > 10000 {
			b.Fatalf("%v: no end of segments, last %s\n%+v", c.State(), describe(&s), c.Info())
		}
		if len(s.Payload) > c.largest() {
			b.Fatalf("a payload of %d bytes, MSS %d", len(s.Payload), c.mss)
		}
	}
	if after(c.sndUna, c.sndNxt) || after(c.sndNxt, c.sndMax) || after(c.rcvNxt, c.rcvAdv) {
		b.Fatalf("%v: una %d nxt %d max %d, rcv %d to %d", c.State(), c.sndUna, c.sndNxt, c.sndMax, c.rcvNxt, c.rcvAdv)
	}
	if most := 10000 + 1<<c.rcvScale; c.recv.size > most || c.send.size > most {
		b.Fatalf("queues of %d and %d bytes", c.recv.size, c.send.size)
	}
	if c.later != nil && len(c.later.runs) > maxRuns+c.later.size/smallChunk {
		b.Fatalf("%d runs", len(c.later.runs))
	}
	if board := c.scoreboard(); board != nil {
		end := c.sndUna
		for _, s := range board.spans {
			if before(s.from, end) || !before(s.from, s.to) || after(s.to, c.sndMax) || len(board.spans) > maxSpans {
				b.Fatalf("una %d max %d spans %v", c.sndUna, c.sndMax, board.spans)
			}
			end = s.to
		}
	}
	at, ok := c.Deadline()
	switch {
	case c.State() == Closed:
		if ok || c.Reason() == Running {
			b.Fatalf("closed, reason %v, deadline %v %v", c.Reason(), at, ok)
		}
	case c.Reason() != Running:
		b.Fatalf("%v, reason %v", c.State(), c.Reason())
	case !ok && (c.inFlight() > 0 || c.send.size > 0 && c.State().synchronized()):
		b.Fatalf("%v: something to send and no timer\n%+v", c.State(), c.Info())
	}
}
