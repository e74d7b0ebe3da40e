// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
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
			client := n.Host("client.test")
			// Each direction has the rate for itself.
			limit := link.Effect{Rate: c.rate}
			back := netip.PrefixFrom(client.Addresses()[0], 32)
			if err := n.Impair(link.Rule{From: back, Effect: limit}, link.Rule{Effect: limit}); err != nil {
				t.Fatal(err)
			}
			var began time.Time
			got, took := download(t, n, func(sent int) bool {
				if sent == 0 {
					began = time.Now()
				}
				return time.Since(began) < c.span
			}, nil)
			share := float64(got) * 8 / took.Seconds() / float64(c.rate)
			_, counts := n.Impaired()
			lost := float64(counts[1].Lost) / float64(counts[1].Matched)
			t.Logf("%d Mbit/s, %v: %.2f of it, %.4f lost", c.rate/1e6, c.latency, share, lost)
			if share < 0.9 || lost > 0.01 {
				t.Errorf("%d Mbit/s, %v: %.2f of it, want 0.9; %.4f lost, want 0.01", c.rate/1e6, c.latency, share, lost)
			}
		})
	}
}
