// SPDX-License-Identifier: Apache-2.0

package capture_test

import (
	"bytes"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dialtone"
)

// Many goroutines at once: on a link that loses nothing, what one host sends is what the other gets, in the same order and
// after the link's latency.
func TestBothSidesAgree(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		latency := time.Duration(rapid.IntRange(0, 3).Draw(r, "latency in ms")) * time.Millisecond
		lengths := rapid.SliceOfN(rapid.IntRange(1, 100_000), 1, 4).Draw(r, "bytes of each connection")
		all := captured(t, func(t *testing.T, n *dialtone.Network) {
			n.Hub().SetLatency(latency)
			converse(t, n, lengths)
		})
		if e := agree(all, "client.test/eth0", "web.test/eth0", latency) + agree(all, "web.test/eth0", "client.test/eth0", latency); e != "" {
			r.Fatal(e)
		}
	})
}

// converse has client.test say so many bytes to web.test on connections of their own, IPv4 and IPv6 by turns.
func converse(t *testing.T, n *dialtone.Network, lengths []int) {
	l, err := n.Host("web.test").Listen("tcp", ":80")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i, length := range lengths {
		all.Go(func() {
			c, err := n.Host("client.test").Dial([]string{"tcp4", "tcp6"}[i%2], "web.test:80")
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := c.Write(make([]byte, length)); err != nil {
				t.Error(err)
			}
			c.Close()
		})
	}
	for range lengths {
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			if _, err := io.Copy(io.Discard, c); err != nil {
				t.Error(err)
			}
			c.Close()
		})
	}
	all.Wait()
	l.Close()
	time.Sleep(time.Minute) // of the bubble: nothing is under way any more
}

// agree says in what the packets that left by one interface differ from those that came in by another.
func agree(all []seen, from, to string, latency time.Duration) string {
	var sent, got []seen
	for _, s := range all {
		switch {
		case s.where == from && s.out:
			s.at = s.at.Add(latency)
			sent = append(sent, s)
		case s.where == to && !s.out:
			got = append(got, s)
		}
	}
	if len(sent) == 0 || !slices.EqualFunc(sent, got, func(a, b seen) bool { return a.at.Equal(b.at) && bytes.Equal(a.data, b.data) }) {
		return from + " has not sent what " + to + " got"
	}
	return ""
}
