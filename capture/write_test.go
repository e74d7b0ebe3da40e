// SPDX-License-Identifier: Apache-2.0

package capture_test

import (
	"bytes"
	"errors"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"dialtone"
	"dialtone/capture"
	"dialtone/clock"
	"dialtone/link"
	"dialtone/wire"
)

// What is looked at: all that was asked for, and nothing else.
func TestPlaces(t *testing.T) {
	for _, c := range []struct{ places, want string }{
		{"", "client.test/lo client.test/eth0 web.test/lo web.test/eth0"},
		{"web.test", "web.test/lo web.test/eth0"},
		{"WEB.test./eth0 client.test/lo", "client.test/lo web.test/eth0"},
		{"web.test/lo web.test", "web.test/lo web.test/eth0"},
	} {
		n := dialtone.NewNetwork()
		hosts := []*dialtone.Host{n.Host("web.test"), n.Host("client.test")}
		var file bytes.Buffer
		capturing, err := capture.Start(&file, n, strings.Fields(c.places)...)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range hosts {
			for _, to := range []string{"127.0.0.1:9", "web.test:9", "client.test:9"} {
				dial, err := h.Dial("udp", to)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := dial.Write([]byte("x")); err != nil {
					t.Error(err)
				}
			}
		}
		if err := capturing.Close(); err != nil {
			t.Error(err)
		}
		all, interfaces := read(t, file.Bytes())
		var names []string
		for _, i := range interfaces {
			names = append(names, i.Name)
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("%q: interfaces %s, want %s", c.places, got, c.want)
		}
		used := map[string]bool{}
		for _, s := range all {
			used[s.where] = true
		}
		if len(used) != len(interfaces) {
			t.Errorf("%q: packets at %v, interfaces %v", c.places, used, names)
		}
	}
}

func TestNoSuchPlace(t *testing.T) {
	n := dialtone.NewNetwork()
	n.Host("web.test")
	for place, want := range map[string]string{
		"wep.test":      "capture: there is no host wep.test",
		"web.test/eth1": `capture: host web.test has no interface "eth1"`,
		"web.test/":     `capture: host web.test has no interface ""`,
	} {
		var file bytes.Buffer
		if _, err := capture.Start(&file, n, "web.test", place); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", place, err, want)
		}
		if file.Len() > 0 {
			t.Errorf("%s: %d bytes were written", place, file.Len())
		}
	}
}

// An interface is described by its addresses and its system.
func TestInterfaces(t *testing.T) {
	n := dialtone.NewNetwork()
	n.Host("web.test")
	var file bytes.Buffer
	c, err := capture.Start(&file, n)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, interfaces := read(t, file.Bytes())
	var got strings.Builder
	for _, i := range interfaces {
		got.WriteString(i.Name + ": " + i.Description + "; " + i.OS + "\n")
	}
	compare(t, got.String(), `
web.test/lo: 127.0.0.1, ::1; linux
web.test/eth0: 10.0.0.1, fd00::1; linux
`)
}

// limited is a writer that takes some bytes. It keeps how many came at a time.
type limited struct {
	bytes.Buffer
	room  int
	calls []int
}

var errFull = errors.New("no space left on device")

func (l *limited) Write(b []byte) (int, error) {
	l.calls = append(l.calls, len(b))
	n, _ := l.Buffer.Write(b[:min(len(b), l.room-l.Len())]) // never fails
	if n < len(b) {
		return n, errFull
	}
	return n, nil
}

// What can't be written ends the capture, and the network lives on. Start fails if it is the beginning.
func TestFull(t *testing.T) {
	for room := 0; ; room++ {
		n := dialtone.NewNetwork()
		n.Host("web.test")
		w := &limited{room: room}
		c, err := capture.Start(w, n)
		if err == nil {
			client, server := connect(t, n, ":80")
			transfer(t, client, server, 10)
			client.Close()
			server.Close()
			err = c.Close()
		}
		switch {
		case err == nil && room < 1000:
			t.Fatalf("all fitted into %d bytes", room)
		case err == nil:
			return
		case !errors.Is(err, errFull) || !strings.HasPrefix(err.Error(), "capture: "):
			t.Fatal(err)
		}
		if tried := sum(w.calls); w.Len() != room || tried-w.calls[len(w.calls)-1] > room {
			t.Fatalf("%d bytes of %d were written, %d were tried", w.Len(), room, tried)
		}
	}
}

func sum(all []int) (s int) {
	for _, n := range all {
		s += n
	}
	return s
}

// Each write is a block, so that whatever is there can be read.
func TestWholeBlocks(t *testing.T) {
	n := dialtone.NewNetwork()
	n.Host("web.test")
	w := &limited{room: 1 << 20}
	c, err := capture.Start(w, n)
	if err != nil {
		t.Fatal(err)
	}
	connect(t, n, ":80")
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	all, interfaces := read(t, w.Bytes())
	if len(w.calls) != 1+len(interfaces)+len(all) {
		t.Errorf("%d writes for %d interfaces and %d packets", len(w.calls), len(interfaces), len(all))
	}
	connect(t, n, ":81")
	if len(w.calls) != 1+len(interfaces)+len(all) {
		t.Error("a packet was written after the end")
	}
	for length, packets := 0, 0; len(w.calls) > 0; w.calls = w.calls[1:] {
		if length += w.calls[0]; len(w.calls) > len(all) {
			continue // the reader wants an interface
		}
		packets++
		if got, _ := read(t, w.Bytes()[:length]); len(got) != packets {
			t.Errorf("the first %d bytes have %d packets, want %d", length, len(got), packets)
		}
	}
}

// Several captures at a time see the same.
func TestTwice(t *testing.T) {
	n := dialtone.NewNetwork(dialtone.WithClock(clock.NewManual()))
	var files [2]bytes.Buffer
	for i := range files {
		c, err := capture.Start(&files[i], n)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	n.Host("web.test")
	if c, err := n.Host("client.test").Dial("udp", "web.test:9"); err != nil {
		t.Error(err)
	} else if _, err := c.Write([]byte("x")); err != nil {
		t.Error(err)
	}
	if !bytes.Equal(files[0].Bytes(), files[1].Bytes()) {
		t.Error("two captures differ")
	}
	all, _ := read(t, files[0].Bytes())
	if len(all) != 4 || !all[0].at.Equal(time.Unix(0, 0)) {
		t.Errorf("%d packets, the first at %v, want 4 from 1970 on", len(all), all[0].at)
	}
}

// A host that is looked at is not clear: its bytes must not take a way of their own.
func TestNotClear(t *testing.T) {
	n := dialtone.NewNetwork()
	web, client := n.Host("web.test"), n.Host("client.test")
	clear := func() bool {
		return client.Stack().ClearTo(web.Stack(), web.Addresses()[0]) && web.Stack().ClearTo(client.Stack(), client.Addresses()[0])
	}
	for _, place := range []string{"web.test", "client.test/eth0"} {
		c, err := capture.Start(io.Discard, n, place)
		if err != nil {
			t.Fatal(err)
		}
		if clear() {
			t.Errorf("%s: clear while it is looked at", place)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if !clear() {
			t.Errorf("%s: not clear any more", place)
		}
	}
}

// What comes from a station that is no host's interface is seen, too.
func TestStranger(t *testing.T) {
	n := dialtone.NewNetwork()
	web := n.Host("web.test")
	var file bytes.Buffer
	c, err := capture.Start(&file, n)
	if err != nil {
		t.Fatal(err)
	}
	s := &stranger{}
	if err := n.Hub().Attach(s); err != nil {
		t.Fatal(err)
	}
	p := wire.NewPacket()
	p.Src, p.Dst, p.Proto, p.TTL = web.Addresses()[0].Next(), web.Addresses()[0], wire.TCP, 64
	p.TCP = wire.Segment{SrcPort: 9, DstPort: 9, Flags: wire.SYN}
	to, _ := n.Hub().Neighbour(s, p.Dst)
	n.Hub().Send(0, s, to, p)
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	all, _ := read(t, file.Bytes())
	for i := range all {
		all[i].at = time.Time{} // real
	}
	compare(t, timeline(t, all), `
0s web.test/eth0 < 10.0.0.2 10.0.0.1 SYN 0
0s web.test/eth0 > 10.0.0.1 10.0.0.2 RST|ACK 0
`)
	if s.got != 1 {
		t.Errorf("the station got %d packets", s.got)
	}
}

// stranger is a station that answers for every address.
type stranger struct{ got int }

func (*stranger) Answers(netip.Addr) bool { return true }

func (s *stranger) Deliver(time.Duration, *wire.Packet) { s.got++ }

var _ link.Station = (*stranger)(nil)
