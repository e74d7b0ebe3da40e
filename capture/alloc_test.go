// SPDX-License-Identifier: Apache-2.0

//go:build !race

// Not under the race detector, which makes sync.Pool forget at random.

package capture_test

import (
	"io"
	"testing"

	"dialtone"
	"dialtone/capture"
)

// pingPong returns what sends 100 bytes to and fro on a connection whose packets are captured.
func pingPong(t testing.TB) func() {
	t.Helper()
	n := dialtone.NewNetwork()
	n.Host("web.test")
	c, err := capture.Start(io.Discard, n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	client, server := connect(t, n, ":80")
	b := make([]byte, 100)
	return func() {
		if _, err := client.Write(b); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(server, b); err != nil {
			t.Fatal(err)
		}
		if _, err := server.Write(b); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(client, b); err != nil {
			t.Fatal(err)
		}
	}
}

// A capture allocates nothing for a packet.
func TestAllocations(t *testing.T) {
	if got := testing.AllocsPerRun(500, pingPong(t)); got > 0 {
		t.Errorf("%v allocations", got)
	}
}

func BenchmarkPingPong(b *testing.B) {
	f := pingPong(b)
	b.ReportAllocs()
	for b.Loop() {
		f()
	}
}
