// SPDX-License-Identifier: Apache-2.0

package tcp

import (
	"runtime"
	"testing"
	"time"
	"unsafe"

	"dialtone/wire"
)

// exchange carries segments between two connections until both are silent.
func exchange(now time.Duration, a, b *Conn, s *wire.Segment) {
	for moved := true; moved; {
		moved = false
		for a.Next(now, s) {
			b.Receive(now, s)
			moved = true
		}
		for b.Next(now, s) {
			a.Receive(now, s)
			moved = true
		}
	}
}

// pair makes two connected ends.
func pair(cfg *Config, a, b *Conn, s *wire.Segment, mss uint16) {
	a.Open(start, cfg, 1, 2, 100, mss)
	a.Next(start, s)
	b.Accept(start, cfg, s, 200, mss)
	exchange(start, a, b, s)
}

// bulk is the Config of a link in memory, where one segment may carry 64 KiB.
func bulk() *Config {
	cfg := Defaults()
	cfg.MaxSegment = 1 << 16
	return &cfg
}

// TestConn_size holds the promise that a million idle connections fit.
func TestConn_size(t *testing.T) {
	if size := unsafe.Sizeof(Conn{}); size > 272 {
		t.Errorf("a Conn takes %d bytes, want at most 272", size)
	} else {
		t.Logf("a Conn takes %d bytes", size)
	}
}

// TestConn_drained_holdsNothing: an idle connection is its struct and no more, whatever went over it.
func TestConn_drained_holdsNothing(t *testing.T) {
	var a, b Conn
	var s wire.Segment
	cfg := bulk()
	pair(cfg, &a, &b, &s, 1460)
	for range 100 {
		a.Write(make([]byte, 10000))
		exchange(start, &a, &b, &s)
		b.Read(make([]byte, 7000))
		b.Read(make([]byte, 7000))
		b.Tick(start + time.Second) // the delayed ACK
		exchange(start, &a, &b, &s)
	}
	for _, c := range []*Conn{&a, &b} {
		if c.send.first.bytes != nil || c.send.rest != nil || c.recv.first.bytes != nil || c.recv.rest != nil || c.later != nil {
			t.Errorf("%+v %+v %v", c.send, c.recv, c.later)
		}
	}
}

// allocs counts the allocations of f.
func allocs(t *testing.T, what string, want float64, f func()) {
	t.Helper()
	if got := testing.AllocsPerRun(100, f); got > want {
		t.Errorf("%s: %v allocations, want at most %v", what, got, want)
	}
}

// TestNoAllocs: the state machine allocates nothing; Write allocates the copy of the bytes, and that is all.
func TestNoAllocs(t *testing.T) {
	var a, b Conn
	var s wire.Segment
	cfg := bulk()
	allocs(t, "open, handshake, close, TIME-WAIT", 0, func() {
		pair(cfg, &a, &b, &s, 1460)
		a.Close(start)
		exchange(start, &a, &b, &s)
		b.Close(start)
		exchange(start, &a, &b, &s)
		at, _ := a.Deadline()
		if a.Tick(at); a.State() != Closed || b.State() != Closed {
			t.Fatalf("%v, %v", a.State(), b.State())
		}
	})
	pair(cfg, &a, &b, &s, 1460)
	p := make([]byte, 1<<16)
	for name, n := range map[string]int{"1 byte": 1, "1000 bytes": 1000, "10000 bytes": 10000} {
		allocs(t, "write and read of "+name, 3, func() {
			a.Write(p[:n])
			exchange(start, &a, &b, &s)
			if got := b.Read(p); got != n {
				t.Fatalf("read %d bytes", got)
			}
			b.Tick(start + time.Second)
			exchange(start, &a, &b, &s)
		})
	}
}

func BenchmarkOpenHandshakeClose(b *testing.B) {
	var x, y Conn
	var s wire.Segment
	cfg := bulk()
	b.ReportAllocs()
	for b.Loop() {
		pair(cfg, &x, &y, &s, 1460)
		x.Close(start)
		exchange(start, &x, &y, &s)
		y.Close(start)
		exchange(start, &x, &y, &s)
	}
}

func BenchmarkPingPong(b *testing.B) {
	var x, y Conn
	var s wire.Segment
	pair(bulk(), &x, &y, &s, 1460)
	p := []byte{1}
	b.ReportAllocs()
	for b.Loop() {
		x.Write(p)
		exchange(start, &x, &y, &s)
		y.Read(p)
		y.Write(p)
		exchange(start, &x, &y, &s)
		x.Read(p)
	}
}

func BenchmarkBulk(b *testing.B) {
	for name, mss := range map[string]uint16{"1460": 1460, "65483": 65483} {
		b.Run(name, func(b *testing.B) {
			var x, y Conn
			var s wire.Segment
			cfg := bulk()
			if mss == 1460 {
				cfg.MaxSegment = 0
			}
			pair(cfg, &x, &y, &s, mss)
			p := make([]byte, 1<<16)
			b.SetBytes(int64(len(p)))
			b.ReportAllocs()
			for b.Loop() {
				if n := x.Write(p); n != len(p) {
					b.Fatalf("wrote %d", n)
				}
				for exchange(start, &x, &y, &s); y.Read(p) > 0; {
					exchange(start, &x, &y, &s)
				}
				if y.ackAt != 0 {
					y.Tick(y.ackAt)
					exchange(start, &x, &y, &s)
				}
			}
		})
	}
}

// BenchmarkIdleConns reports the memory of connected pairs.
func BenchmarkIdleConns(b *testing.B) {
	const n = 100_000
	cfg := bulk()
	var s wire.Segment
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		ends := make([]*Conn, 2*n)
		for i := 0; i < len(ends); i += 2 {
			ends[i], ends[i+1] = new(Conn), new(Conn)
			pair(cfg, ends[i], ends[i+1], &s, 1460)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "B/pair")
		runtime.KeepAlive(ends)
	}
}
