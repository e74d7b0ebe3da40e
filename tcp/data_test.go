// SPDX-License-Identifier: Apache-2.0

package tcp

import (
	"strings"
	"testing"
	"time"

	"dialtone/wire"
)

func text(n int) string { return strings.Repeat("x", n) }

func TestEstablished_outOfOrder_putTogether(t *testing.T) {
	b := inEstablished(t, plain())
	if ev := b.receive(peer(wire.ACK|wire.FIN, 7, 1, "world")); ev != 0 {
		t.Errorf("events %07b before the gap is closed", ev)
	}
	b.want(wire.ACK, 1, 1, "")
	b.receive(peer(wire.ACK, 4, 1, "lo_w")) // touches the second half
	b.want(wire.ACK, 1, 1, "")
	if ev := b.receive(peer(wire.ACK, 1, 1, "hello")); ev != Readable|PeerClosed {
		t.Errorf("events %07b, want Readable and PeerClosed", ev)
	}
	b.want(wire.ACK, 1, 13, "")
	b.in(CloseWait)
	if got := b.read(); got != "hello_world" || !b.c.EOF() {
		t.Errorf("read %q, EOF %v", got, b.c.EOF())
	}
	if b.c.later != nil {
		t.Error("memory for a gap is kept")
	}
}

func TestEstablished_beyondTheWindow_cut(t *testing.T) {
	cfg := plain()
	cfg.RcvBuf = 10
	b := inEstablished(t, cfg)
	b.receive(peer(wire.ACK|wire.FIN, 1, 1, "hello, world"))
	if s := b.want(wire.ACK, 1, 11, ""); s.Window != 0 {
		t.Errorf("window %d, want 0", s.Window)
	}
	b.in(Established) // the FIN was behind what was cut
	b.receive(peer(wire.ACK, 11, 1, "ld"))
	b.want(wire.ACK, 1, 11, "")
	if got := b.read(); got != "hello, wor" {
		t.Errorf("read %q", got)
	}
	if s := b.want(wire.ACK, 1, 11, ""); s.Window != 10 { // the window opens again
		t.Errorf("window %d, want 10", s.Window)
	}
	b.receive(peer(wire.ACK|wire.FIN, 11, 1, "ld"))
	if got := b.read(); got != "ld" || !b.c.PeerClosed() {
		t.Errorf("read %q", got)
	}
}

// TestEstablished_window_noSillySteps: the window opens by half a buffer or two segments, not by each byte read
// (RFC 9293, 3.8.6.2.2).
func TestEstablished_window_noSillySteps(t *testing.T) {
	b := inEstablished(t, plain()) // 10000 bytes
	for seq := uint32(1); seq < 10000; seq += 1000 {
		b.receive(peer(wire.ACK, seq, 1, text(1000)))
		b.want(wire.ACK, 1, seq+1000, "")
	}
	updates := 0
	for range 10000 {
		b.c.Read(make([]byte, 1))
		var s wire.Segment
		for b.c.Next(b.now, &s) {
			updates++
			if s.Window < 2*testMSS {
				t.Errorf("a window of %d bytes", s.Window)
			}
		}
	}
	if updates == 0 || updates > 3 {
		t.Errorf("%d window updates", updates)
	}
}

// TestEstablished_smallWindow_waits: a window of less than a segment, and less than half of the largest, isn't used
// before the probe timer says so (RFC 9293, 3.8.6.2.1).
func TestEstablished_smallWindow_waits(t *testing.T) {
	b := inEstablished(t, plain())
	small := peer(wire.ACK, 1, 1, "")
	small.Window = 10
	b.receive(small)
	b.c.Write([]byte(text(500)))
	b.quiet()
	b.tick(200 * time.Millisecond)
	b.want(wire.ACK, 1, 1, text(10))
	b.quiet()
}

func TestEstablished_nagle(t *testing.T) {
	b := inEstablished(t, plain())
	b.c.Write([]byte("a"))
	b.want(wire.ACK, 1, 1, "a")
	b.c.Write([]byte("b"))
	b.c.Write([]byte("c"))
	b.quiet() // one small segment is in flight
	b.receive(peer(wire.ACK, 1, 2, ""))
	b.want(wire.ACK, 2, 1, "bc")

	b.c.Write([]byte(text(testMSS + 1))) // a full segment needn't wait, its rest must
	b.want(wire.ACK, 4, 1, text(testMSS))
	b.quiet()
	b.c.SetNoDelay(true)
	b.want(wire.ACK, 4+testMSS, 1, "x")
	b.c.Write([]byte("d"))
	b.want(wire.ACK, 5+testMSS, 1, "d")
	b.quiet()

	// A small segment behind full ones needn't wait for those (Minshall).
	b = inEstablished(t, plain())
	b.c.Write([]byte(text(testMSS + 1)))
	b.want(wire.ACK, 1, 1, text(testMSS))
	b.want(wire.ACK, 1+testMSS, 1, "x")
	b.quiet()
}

// TestEstablished_maxSegment_wholeSegments: a large segment is a multiple of the MSS, unless it ends what was written.
func TestEstablished_maxSegment_wholeSegments(t *testing.T) {
	cfg := plain()
	cfg.MaxSegment = 3500
	b := inEstablished(t, cfg)
	b.c.Write([]byte(text(7200)))
	b.want(wire.ACK, 1, 1, text(3000))
	b.want(wire.ACK, 3001, 1, text(3000))
	b.want(wire.ACK, 6001, 1, text(1200))
	b.quiet()
}

// TestEstablished_manyWrites_fullSegments: what was written in pieces that fit no segment leaves in as few as if it had
// been written at once.
func TestEstablished_manyWrites_fullSegments(t *testing.T) {
	cfg := plain()
	cfg.MaxSegment, cfg.SndBuf, cfg.InitialWindow = wire.MaxText, 300000, 100
	b := inEstablished(t, cfg)
	ack := peer(wire.ACK, 1, 1, "")
	ack.Window = 0
	b.receive(ack)
	for range 3 {
		b.c.Write([]byte(text(64 << 10)))
	}
	b.quiet()
	ack.Window = 65535
	for range 3 {
		b.receive(ack)
		if s := b.next(); len(s.Payload) != 65*testMSS {
			t.Fatalf("a segment of %d bytes", len(s.Payload))
		}
		b.quiet()
		ack.Ack += 65 * testMSS
	}
}

// TestSndBuf_growsWithCwnd: twice the congestion window, a segment of 1000 bytes counting 2304 as on Linux, up to a
// limit, and unless the size was set.
func TestSndBuf_growsWithCwnd(t *testing.T) {
	cfg := plain()
	cfg.SndBuf, cfg.SndBufMost = 16384, 80000
	b := inEstablished(t, cfg)
	want := func(size uint32) {
		t.Helper()
		b.c.Write([]byte(text(200000)))
		if got := b.c.SndBuf(); got != size || b.c.Unsent() != int(size) {
			t.Fatalf("%d bytes in a buffer of %d, want %d", b.c.Unsent(), got, size)
		}
	}
	if got := b.c.SndBuf(); got != 2*10*2304 {
		t.Errorf("%d bytes at first", got)
	}
	want(2 * 10 * 2304)
	ack := uint32(1)
	arrives := func() {
		var s wire.Segment
		for b.c.Next(b.now, &s) {
			ack += uint32(len(s.Payload))
		}
		b.receive(peer(wire.ACK, 1, ack, ""))
	}
	arrives()
	want(80000) // 8 segments more were acknowledged, for which it would be 2*18*2304
	b.c.SetSndBuf(5000)
	for b.c.Unsent() > 0 {
		arrives()
	}
	want(5000)
}

// TestEstablished_finBehindFullWindow_waits: a FIN takes a place in the window too.
func TestEstablished_finBehindFullWindow_waits(t *testing.T) {
	b := inEstablished(t, plain())
	b.c.Write([]byte(text(8000)))
	b.c.CloseWrite()
	for i := range uint32(8) {
		b.want(wire.ACK, 1+i*testMSS, 1, text(testMSS))
	}
	b.quiet()
	full := peer(wire.ACK, 1, 8001, "")
	full.Window = 0
	b.receive(full)
	b.quiet()
	b.tick(200 * time.Millisecond)
	b.want(wire.ACK, 8000, 1, "") // a probe
	b.receive(peer(wire.ACK, 1, 8001, ""))
	b.want(wire.FIN|wire.ACK, 8001, 1, "")
}

// TestEstablished_finIntoFullBuffer_taken: a FIN needs no room.
func TestEstablished_finIntoFullBuffer_taken(t *testing.T) {
	cfg := plain()
	cfg.RcvBuf = 10
	b := inEstablished(t, cfg)
	b.receive(peer(wire.ACK, 1, 1, "0123456789"))
	b.want(wire.ACK, 1, 11, "")
	b.receive(peer(wire.FIN|wire.ACK, 11, 1, ""))
	if s := b.want(wire.ACK, 1, 12, ""); s.Window != 0 || b.c.Info().RcvWnd != 0 {
		t.Errorf("window %d, %+v", s.Window, b.c.Info())
	}
	b.in(CloseWait)
}

// TestEstablished_littleSent_windowKeeps: a connection that never fills its window learns nothing about it.
func TestEstablished_littleSent_windowKeeps(t *testing.T) {
	b := inEstablished(t, plain())
	cwnd := b.c.Info().Cwnd
	for i := range uint32(100) {
		b.c.Write([]byte("x"))
		b.want(wire.ACK, 1+i, 1, "x")
		b.receive(peer(wire.ACK, 1, 2+i, ""))
	}
	if got := b.c.Info().Cwnd; got != cwnd {
		t.Errorf("window was %d, is %d", cwnd, got)
	}
}

// TestEstablished_after2GiB_numbersFollow: numbers of the past that are compared must not fall more than 2^31 behind.
func TestEstablished_after2GiB_numbersFollow(t *testing.T) {
	b := inEstablished(t, plain())
	b.c.sndSmall -= 1<<31 - 1500
	b.c.recover -= 1<<31 - 1500
	for i := range uint32(2) {
		b.c.Write([]byte(text(testMSS)))
		b.want(wire.ACK, 1+i*testMSS, 1, text(testMSS))
		b.receive(peer(wire.ACK, 1, 1+(i+1)*testMSS, ""))
	}
	b.c.Write([]byte("x")) // with Nagle only if nothing small is in flight
	b.want(wire.ACK, 1+2*testMSS, 1, "x")
	b.c.SetNoDelay(true)
	for range 3 {
		b.c.Write([]byte("y"))
		b.next()
	}
	for range 3 {
		b.receive(peer(wire.ACK, 1, 1+2*testMSS, ""))
	}
	b.want(wire.ACK, 1+2*testMSS, 1, "xyyy") // fast retransmit, if recover isn't ahead
}

func TestEstablished_slowStart_initialWindow(t *testing.T) {
	cfg := plain()
	cfg.SndBuf = 100000
	cfg.InitialWindow = 3
	b := inEstablished(t, cfg)
	b.c.Write([]byte(text(50000)))
	for i := range uint32(3) {
		b.want(wire.ACK, 1+i*testMSS, 1, text(testMSS))
	}
	b.quiet()
	b.receive(peer(wire.ACK, 1, 1+testMSS, "")) // one segment arrived: two more may go
	b.want(wire.ACK, 1+3*testMSS, 1, text(testMSS))
	b.want(wire.ACK, 1+4*testMSS, 1, text(testMSS))
	b.quiet()
}

// inFlight8 is an established connection with eight full segments in flight.
func inFlight8(t *testing.T) *bench {
	cfg := plain()
	cfg.SndBuf = 100000
	b := inEstablished(t, cfg)
	b.c.Write([]byte(text(20000)))
	for i := range uint32(8) { // the window of the peer
		b.want(wire.ACK, 1+i*testMSS, 1, text(testMSS))
	}
	b.quiet()
	return b
}

// TestFlight_threeDuplicates_fastRetransmit is RFC 5681, 3.2 and RFC 6582, 3.2.
func TestFlight_threeDuplicates_fastRetransmit(t *testing.T) {
	b := inFlight8(t)
	dup := peer(wire.ACK, 1, 1, "")
	b.receive(dup)
	b.receive(dup)
	b.quiet() // limited transmit has no window for more
	b.receive(dup)
	b.want(wire.ACK, 1, 1, text(testMSS))
	b.quiet()
	if i := b.c.Info(); i.Ssthresh != 4*testMSS || i.Cwnd != 7*testMSS {
		t.Errorf("%+v", i)
	}
	// The second and third segments were lost too: each partial acknowledgement brings the next.
	b.receive(peer(wire.ACK, 1, 1+testMSS, ""))
	b.want(wire.ACK, 1+testMSS, 1, text(testMSS))
	b.quiet()
	b.receive(peer(wire.ACK, 1, 1+2*testMSS, ""))
	b.want(wire.ACK, 1+2*testMSS, 1, text(testMSS))
	b.want(wire.ACK, 1+8*testMSS, 1, text(testMSS)) // what the window has room for is new
	b.quiet()
	b.receive(peer(wire.ACK, 1, 1+9*testMSS, ""))
	if i := b.c.Info(); i.Cwnd > i.Ssthresh || b.c.has(recovering) {
		t.Errorf("%+v", i)
	}
}

// TestFlight_windowUpdates_noDuplicates: acknowledgements that carry text or another window don't count.
func TestFlight_windowUpdates_noDuplicates(t *testing.T) {
	b := inFlight8(t)
	for i := range uint32(5) {
		b.receive(peer(wire.ACK, 1+i, 1, "x"))
		b.want(wire.ACK, 1+8*testMSS, 2+i, "")
	}
	for i := range uint16(5) {
		s := peer(wire.ACK, 6, 1, "")
		s.Window = 8000 - 1 - i
		b.receive(s)
	}
	b.quiet()
}

func TestFlight_timeout_goesBack(t *testing.T) {
	b := inFlight8(t)
	b.tick(200 * time.Millisecond)
	b.want(wire.ACK, 1, 1, text(testMSS))
	b.quiet() // a window of one segment
	if i := b.c.Info(); i.Ssthresh != 4*testMSS || i.Cwnd != testMSS {
		t.Errorf("%+v", i)
	}
	// Duplicates of the past must not start a fast retransmit (RFC 6582, 3.2, step 2).
	for range 5 {
		b.receive(peer(wire.ACK, 1, 1, ""))
	}
	b.receive(peer(wire.ACK, 1, 1+testMSS, ""))
	b.want(wire.ACK, 1+testMSS, 1, text(testMSS))
	b.want(wire.ACK, 1+2*testMSS, 1, text(testMSS))
	b.quiet()
	b.receive(peer(wire.ACK, 1, 1+8*testMSS, "")) // it had the rest
	b.want(wire.ACK, 1+8*testMSS, 1, text(testMSS))
}

// TestFlight_karn: without timestamps a segment that was sent twice measures nothing.
func TestFlight_karn(t *testing.T) {
	b := inEstablished(t, plain())
	srtt := b.c.Info().SRTT
	b.c.Write([]byte("hello"))
	b.want(wire.ACK, 1, 1, "hello")
	b.tick(200 * time.Millisecond)
	b.want(wire.ACK, 1, 1, "hello")
	b.now += 100 * time.Millisecond
	b.receive(peer(wire.ACK, 1, 6, ""))
	if got := b.c.Info().SRTT; got != srtt {
		t.Errorf("SRTT was %v, is %v", srtt, got)
	}
}

// TestSample is RFC 6298, 2.
func TestSample(t *testing.T) {
	c := Conn{cfg: plain()}
	if got := c.baseRTO(); got != time.Second {
		t.Errorf("RTO %v before a measurement", got)
	}
	c.sample(400 * time.Millisecond)
	if c.srtt.duration() != 400*time.Millisecond || c.rttvar.duration() != 200*time.Millisecond || c.baseRTO() != 1200*time.Millisecond {
		t.Errorf("%v %v %v", c.srtt, c.rttvar, c.baseRTO())
	}
	c.sample(800 * time.Millisecond)
	if c.srtt.duration() != 450*time.Millisecond || c.rttvar.duration() != 250*time.Millisecond {
		t.Errorf("%v %v", c.srtt, c.rttvar)
	}
}

// TestEstablished_paws: RFC 7323, 5.3.
func TestEstablished_paws(t *testing.T) {
	b := inEstablished(t, plain())
	b.c.notes |= tsOK
	b.c.tsRecent, b.c.tsRecentAt = 1000, seconds(b.now)
	stamped := func(ts uint32, flags wire.Flags, text string) *wire.Segment {
		s := peer(flags, 1, 1, text)
		s.Options.HasTimestamps, s.Options.TSVal = true, ts
		return s
	}
	b.receive(stamped(999, wire.ACK, "old"))
	b.want(wire.ACK, 1, 1, "")
	if b.c.Buffered() != 0 {
		t.Error("an old segment's text was taken")
	}
	b.receive(stamped(1000, wire.ACK, "new"))
	if s := b.want(wire.ACK, 1, 4, ""); s.Options.TSEcr != 1000 {
		t.Errorf("echoes %d", s.Options.TSEcr)
	}
	// What is echoed is the timestamp of the segment that moved the window on (RFC 7323, 4.3).
	early := stamped(2000, wire.ACK, "gap")
	early.Seq += 100
	b.receive(early)
	if s := b.want(wire.ACK, 1, 4, ""); s.Options.TSEcr != 1000 {
		t.Errorf("behind a gap: echoes %d", s.Options.TSEcr)
	}
	// After 24 days nobody knows what is old (RFC 7323, 5.5).
	b.now += 25 * 24 * time.Hour
	s := stamped(999, wire.ACK, "newer")
	s.Seq += 3
	b.receive(s)
	b.want(wire.ACK, 1, 9, "")
	// Without one a segment is taken, too: Linux 6.18 does so, whatever RFC 7323, 3.2 says.
	had := b.c.Buffered()
	b.receive(peer(wire.ACK, 9, 1, "bare"))
	if b.c.Buffered() != had+4 {
		t.Error("a segment without a timestamp was not taken")
	}
	// A reset needs no timestamp.
	b.receive(peer(wire.RST, 13, 0, ""))
	b.ended(Reset)
}

func TestWrite_full(t *testing.T) {
	cfg := plain()
	cfg.SndBuf = 1500
	b := inEstablished(t, cfg)
	if n := b.c.Write([]byte(text(1500))); n != 1500 { // all of it: nobody was told that it's full now
		t.Errorf("wrote %d, want 1500", n)
	}
	if b.c.Writable() || b.c.Write([]byte("x")) != 0 {
		t.Error("full, and writable")
	}
	b.want(wire.ACK, 1, 1, text(1000))
	b.want(wire.ACK, 1001, 1, text(500))
	if ev := b.receive(peer(wire.ACK, 1, 2, "")); ev != 0 {
		t.Errorf("events %07b: one byte of room is too little to tell", ev)
	}
	if ev := b.receive(peer(wire.ACK, 1, 1001, "")); ev != Writable || !b.c.Writable() {
		t.Errorf("events %07b, want Writable", ev)
	}
	if n := b.c.Write([]byte(text(2000))); n != 1000 {
		t.Errorf("wrote %d, want 1000", n)
	}
}

func TestDiscard(t *testing.T) {
	b := inEstablished(t, plain())
	b.receive(peer(wire.ACK, 1, 1, "hello"))
	if n := b.c.Discard(4); n != 4 || b.c.Buffered() != 1 {
		t.Errorf("discarded %d, %d left", n, b.c.Buffered())
	}
	if n := b.c.Discard(4); n != 1 {
		t.Errorf("discarded %d of the last", n)
	}
}

func TestPeek(t *testing.T) {
	b := inEstablished(t, plain())
	b.receive(peer(wire.ACK, 1, 1, "hello"))
	p := make([]byte, 3)
	if n := b.c.Peek(p, 1); string(p[:n]) != "ell" {
		t.Errorf("peeked %q", p[:n])
	}
	if n := b.c.Peek(p, 5); n != 0 {
		t.Errorf("peeked %d bytes behind the end", n)
	}
	if got := b.read(); got != "hello" {
		t.Errorf("read %q", got)
	}
}
