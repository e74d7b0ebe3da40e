// SPDX-License-Identifier: Apache-2.0

package tcp

import (
	"testing"
	"time"

	"dialtone/wire"
)

// fastPair opens a connection with bytes in the SYN to a listener that takes them or not, and returns both ends and the
// SYN.
func fastPair(t *testing.T, takes bool) (client, server *Conn, syn wire.Segment) {
	cfg := plain()
	client, server = new(Conn), new(Conn)
	client.Open(start, cfg, 1, 2, 100, 1000)
	if room := client.SendInSYN([]byte("cookie01")); room < 5 {
		t.Fatalf("room for %d bytes", room)
	}
	client.Write([]byte("hello"))
	if !client.Next(start, &syn) {
		t.Fatal("no SYN")
	}
	if syn.Flags != wire.SYN || string(syn.Payload) != "hello" || string(syn.Options.FastOpen) != "cookie01" {
		t.Fatalf("SYN %+v", syn)
	}
	server.Accept(start, cfg, &syn, 200, 1000)
	if takes {
		server.TakeSYNText(&syn)
		server.GrantCookie([]byte("cookie02"))
	}
	return client, server, syn
}

// TestFastOpen_textInSYN: RFC 7413, 4.2: bytes in the SYN can be read before the handshake is complete; a server that
// doesn't take them gets them again behind it.
func TestFastOpen_textInSYN(t *testing.T) {
	for _, takes := range []bool{true, false} {
		client, server, _ := fastPair(t, takes)
		p := make([]byte, 10)
		if n := server.Read(p); takes != (string(p[:n]) == "hello") {
			t.Errorf("takes %v: read %q early", takes, p[:n])
		}
		var s wire.Segment
		exchange(start, client, server, &s)
		client.Write([]byte(", world"))
		client.SetNoDelay(true)
		exchange(start, client, server, &s)
		want := "hello, world"
		if takes {
			want = ", world"
		}
		p = make([]byte, 20)
		if n := server.Read(p); string(p[:n]) != want || client.State() != Established || server.State() != Established {
			t.Errorf("takes %v: read %q, want %q; %v, %v", takes, p[:n], want, client.State(), server.State())
		}
		if got := string(client.GrantedCookie()); takes != (got == "cookie02") {
			t.Errorf("takes %v: granted %q", takes, got)
		}
	}
}

// TestFastOpen_synLost_plainSYN: RFC 7413, 4.1.3.
func TestFastOpen_synLost_plainSYN(t *testing.T) {
	client, _, _ := fastPair(t, false)
	at, _ := client.Deadline()
	client.Tick(at)
	var s wire.Segment
	if !client.Next(at, &s) || len(s.Payload) != 0 || s.Options.HasFastOpen {
		t.Errorf("SYN %+v", s)
	}
	// The first SYN's answer may come after all.
	client.Receive(at, &wire.Segment{Flags: wire.SYN | wire.ACK, Seq: 200, Ack: 106, Window: 8000})
	if client.State() != Established || client.Unsent() != 0 {
		t.Errorf("%v, %d bytes unsent", client.State(), client.Unsent())
	}
}

// TestFastOpen_synAgain_answered: a SYN that comes again is answered by the SYN-ACK, also if its bytes were taken.
func TestFastOpen_synAgain_answered(t *testing.T) {
	_, server, syn := fastPair(t, true)
	var s wire.Segment
	server.Next(start, &s)
	syn.Payload, syn.Options.HasFastOpen = nil, false
	server.Receive(start+time.Millisecond, &syn)
	if !server.Next(start+time.Millisecond, &s) || s.Flags != wire.SYN|wire.ACK || s.Ack != 106 {
		t.Errorf("answered %s", describe(&s))
	}
	if got := server.rcvAdv - server.rcvNxt; got != uint32(s.Window) {
		t.Errorf("offers %d bytes, takes %d", s.Window, got)
	}
}

func TestFastOpen_cookieRequest(t *testing.T) {
	cfg := plain()
	var client Conn
	client.Open(start, cfg, 1, 2, 100, 1000)
	client.RequestCookie()
	var s wire.Segment
	client.Next(start, &s)
	if !s.Options.HasFastOpen || len(s.Options.FastOpen) != 0 || len(s.Payload) != 0 {
		t.Errorf("SYN %+v", s)
	}
}
