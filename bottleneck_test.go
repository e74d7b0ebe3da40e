// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"io"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"dialtone/link"
)

// A connection finds out what a link carries whose queue holds 100 packets, fills it, and loses few packets by it. What
// Reno can't do is left out: to fill at once a way that holds many more packets than the queue.
func TestBottleneck(t *testing.T) {
	for _, c := range []struct {
		rate    uint64 // bits per second
		latency time.Duration
		span    time.Duration
	}{
		{1e6, 10 * time.Millisecond, 20 * time.Second},
		{10e6, 10 * time.Millisecond, 20 * time.Second},
		{100e6, time.Millisecond, 5 * time.Second},
		{100e6, 10 * time.Millisecond, 15 * time.Second},
		{1e9, time.Millisecond, 2 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			n := NewNetwork()
			n.Hub().SetLatency(c.latency)
			client, server := n.Host("client.test"), n.Host("server.test")
			// Each direction has the rate for itself.
			limit := link.Effect{Rate: c.rate}
			back := netip.PrefixFrom(client.Addresses()[0], 32)
			if err := n.Impair(link.Rule{From: back, Effect: limit}, link.Rule{Effect: limit}); err != nil {
				t.Fatal(err)
			}
			l, err := server.Listen("tcp4", ":80")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() {
				s, err := l.Accept()
				if err != nil {
					t.Error(err)
					return
				}
				defer s.Close()
				chunk := make([]byte, 64<<10)
				for began := time.Now(); time.Since(began) < c.span; {
					if _, err := s.Write(chunk); err != nil {
						t.Error(err)
						return
					}
				}
			}()
			conn, err := client.Dial("tcp4", "server.test:80")
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			began := time.Now()
			got, err := io.Copy(io.Discard, conn)
			if err != nil {
				t.Fatal(err)
			}
			share := float64(got) * 8 / time.Since(began).Seconds() / float64(c.rate)
			_, counts := n.Impaired()
			lost := float64(counts[1].Lost) / float64(counts[1].Matched)
			t.Logf("%d Mbit/s, %v: %.2f of it, %.4f lost", c.rate/1e6, c.latency, share, lost)
			if share < 0.9 || lost > 0.01 {
				t.Errorf("%d Mbit/s, %v: %.2f of it, want 0.9; %.4f lost, want 0.01", c.rate/1e6, c.latency, share, lost)
			}
		})
	}
}
