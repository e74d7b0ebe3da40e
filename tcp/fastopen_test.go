// SPDX-License-Identifier: Apache-2.0

package tcp

import (
	"testing"
	"time"

	"dialtone/wire"
)

// fastSynSent is a connection whose SYN carries "hello" with a cookie; the SYN has been sent.
func fastSynSent(t *testing.T) *bench {
	t.Helper()
	b := &bench{TB: t, c: &Conn{}, now: start}
	b.c.Open(b.now, plain(), ourPort, peerPort, ourISS, testMSS)
	if room := b.c.SendInSYN([]byte("cookie"), 0); room < 5 {
		t.Fatalf("room for %d bytes", room)
	}
	b.c.Write([]byte("hello"))
	syn := b.want(wire.SYN, 0, 0, "hello")
	if !syn.Options.HasFastOpen || string(syn.Options.FastOpen) != "cookie" {
		t.Errorf("SYN with %+v", syn.Options)
	}
	b.quiet()
	return b
}

func TestFastOpen_peerTakesText(t *testing.T) {
	b := fastSynSent(t)
	b.receive(peer(wire.SYN|wire.ACK, 0, 6, ""))
	b.want(wire.ACK, 6, 1, "")
	if b.c.State() != Established || b.c.Unsent() != 0 {
		t.Errorf("%v, %d bytes unsent", b.c.State(), b.c.Unsent())
	}
	b.c.Write([]byte("more"))
	b.want(wire.ACK, 6, 1, "more")
}

func TestFastOpen_peerTakesSYNAlone_textIsSentAgain(t *testing.T) {
	b := fastSynSent(t)
	b.receive(peer(wire.SYN|wire.ACK, 0, 1, ""))
	b.want(wire.ACK, 1, 1, "hello")
	if b.c.State() != Established {
		t.Errorf("%v", b.c.State())
	}
}

// RFC 7413, 4.1.3: whatever lost the SYN, the next one is a plain one.
func TestFastOpen_lost_plainSYN(t *testing.T) {
	b := fastSynSent(t)
	b.now += time.Second
	b.c.Tick(b.now)
	if syn := b.want(wire.SYN, 0, 0, ""); syn.Options.HasFastOpen {
		t.Error("the option again")
	}
	b.receive(peer(wire.SYN|wire.ACK, 0, 6, "")) // the first one arrived after all
	if b.c.State() != Established || b.c.Unsent() != 0 {
		t.Errorf("%v, %d bytes unsent", b.c.State(), b.c.Unsent())
	}
}

func TestFastOpen_refused(t *testing.T) {
	b := fastSynSent(t)
	b.receive(peer(wire.RST|wire.ACK, 0, 6, ""))
	b.ended(Refused)
}

func TestFastOpen_cookieIsGranted(t *testing.T) {
	b := &bench{TB: t, c: &Conn{}, now: start}
	b.c.Open(b.now, plain(), ourPort, peerPort, ourISS, testMSS)
	b.c.RequestCookie()
	b.c.Write([]byte("hello"))
	if syn := b.want(wire.SYN, 0, 0, ""); !syn.Options.HasFastOpen || len(syn.Options.FastOpen) != 0 {
		t.Errorf("SYN with %+v", syn.Options)
	}
	answer := peer(wire.SYN|wire.ACK, 0, 1, "")
	answer.Options.HasFastOpen, answer.Options.FastOpen = true, []byte("granted!")
	b.receive(answer)
	if cookie, mss := b.c.GrantedCookie(); string(cookie) != "granted!" || mss != defaultMSS {
		t.Errorf("granted %q, with an MSS of %d", cookie, mss)
	}
	b.want(wire.ACK, 1, 1, "hello")
}

// A SYN carries what fits the MSS that the peer offered before, all options there may be included (tcp_send_syn_data).
func TestFastOpen_room(t *testing.T) {
	for _, c := range []struct {
		mss  uint16
		want int
	}{{0, 1420}, {1040, 1000}, {9000, 1420}, {10, minMSS}} {
		b := &bench{TB: t, c: &Conn{}, now: start}
		b.c.Open(b.now, plain(), ourPort, peerPort, ourISS, 1460)
		if room := b.c.SendInSYN([]byte("cookie"), c.mss); room != c.want {
			t.Errorf("MSS %d: room for %d, want %d", c.mss, room, c.want)
		}
		b.c.Write(make([]byte, 2000))
		var syn wire.Segment
		if !b.c.Next(b.now, &syn) || len(syn.Payload) != c.want {
			t.Errorf("MSS %d: a SYN with %d bytes, want %d", c.mss, len(syn.Payload), c.want)
		}
	}
}

// A cookie has 4 to 16 bytes, and an even number of them (RFC 7413, 4.1.1).
func TestFastOpen_validCookie(t *testing.T) {
	for n := range 20 {
		if got := validCookie(make([]byte, n)) != nil; got != (n >= 4 && n <= 16 && n%2 == 0) {
			t.Errorf("%d bytes: %v", n, got)
		}
	}
}

func TestFastOpen_server(t *testing.T) {
	b := &bench{TB: t, c: &Conn{}, now: start}
	syn := peer(wire.SYN, 0, 0, "hello")
	b.c.Accept(b.now, plain(), syn, ourISS, testMSS)
	b.c.GrantCookie([]byte("cookie"))
	b.c.TakeSYNText(syn)
	if s := b.want(wire.SYN|wire.ACK, 0, 6, ""); string(s.Options.FastOpen) != "cookie" {
		t.Errorf("SYN-ACK with %+v", s.Options)
	}
	text := make([]byte, 9)
	if n := b.c.Read(text); b.c.State() != SynReceived || string(text[:n]) != "hello" {
		t.Errorf("read %q in %v", text[:n], b.c.State())
	}
	b.receive(peer(wire.ACK, 6, 1, "more"))
	if n := b.c.Read(text); b.c.State() != Established || string(text[:n]) != "more" {
		t.Errorf("read %q in %v", text[:n], b.c.State())
	}
}
