// SPDX-License-Identifier: Apache-2.0

package dialtone_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dialtone"
	"dialtone/errno"
	"dialtone/firewall"
	"dialtone/link"
	"dialtone/trail"
)

var timelineRuns = flag.Int("timeline.runs", 100, "how often the timeline is recorded")

const timelineConnects = 1000

// timeline runs a thousand connects of all kinds on a bad link, many at a time, and writes down what became of each: when,
// from which port, by which decisions.
func timeline(t *testing.T, seed uint64) string {
	lines := make([]string, timelineConnects)
	synctest.Test(t, func(t *testing.T) {
		n := dialtone.NewNetwork(dialtone.WithSeed(seed))
		n.Hub().SetLatency(3 * time.Millisecond)
		if err := n.Impair(
			link.Rule{ToPort: 82, Action: link.Reset},
			link.Rule{ToPort: 83, Action: link.Prohibited},
			link.Rule{Effect: link.Effect{
				Loss: 0.1, Jitter: 20 * time.Millisecond, Reorder: 0.05, ReorderBy: 30 * time.Millisecond, Duplicate: 0.05,
				Bursts: link.GilbertElliott{ToBad: 0.05, ToGood: 0.5, LossBad: 0.9},
			}},
		); err != nil {
			t.Fatal(err)
		}
		var servers []io.Closer
		var echoing sync.WaitGroup
		for i := range 3 {
			h := n.Host(fmt.Sprintf("s%d.test", i))
			l, err := h.Listen("tcp", ":80")
			if err != nil {
				t.Fatal(err)
			}
			p, err := h.ListenPacket("udp", ":53")
			if err != nil {
				t.Fatal(err)
			}
			servers = append(servers, l, p)
			go echoStreams(l, &echoing)
			go echoPackets(p)
		}
		if _, err := n.Fault(dialtone.Fault{To: "s1.test", Port: 80, Nth: 7, Times: 5, Errno: errno.ENETDOWN}); err != nil {
			t.Fatal(err)
		}
		n.Host("silent.test").Firewall(func(f *firewall.Firewall) { f.Input.Policy = firewall.Verdict{Action: firewall.Drop} })
		kinds := []struct{ network, address string }{
			{"tcp4", "s0.test:80"},
			{"tcp6", "s1.test:80"},
			{"tcp4", "s1.test:80"},
			{"tcp4", "s2.test:81"}, // refused
			{"udp4", "s0.test:53"},
			{"udp6", "s2.test:54"},
			{"tcp4", "s0.test:82"},
			{"tcp4", "s1.test:83"},
			{"tcp4", "silent.test:80"},
			{"tcp4", "203.0.113.1:80"},
			{"tcp4", "10.200.0.1:80"}, // no route; no neighbour
		}
		var wg sync.WaitGroup
		start := time.Now()
		for i := range timelineConnects {
			client := n.Host(fmt.Sprintf("c%d.test", i%10))
			k := kinds[i%len(kinds)]
			wg.Go(func() {
				time.Sleep(time.Duration(i) * 1300 * time.Microsecond) // hundreds are under way at a time
				var why trail.Trail
				ctx, cancel := context.WithTimeout(dialtone.WithTrail(t.Context(), &why), 40*time.Second)
				defer cancel()
				var b strings.Builder
				fmt.Fprintf(&b, "%d %s %s %s: ", i, client.Name(), k.network, k.address)
				c, err := client.DialContext(ctx, k.network, k.address)
				if err != nil {
					fmt.Fprintf(&b, "%v", err)
				} else {
					fmt.Fprintf(&b, "%v -> %v, %s", c.LocalAddr(), c.RemoteAddr(), exchange(c))
				}
				fmt.Fprintf(&b, ", by %v\n", time.Since(start))
				for _, line := range why.Lines {
					fmt.Fprintf(&b, "\t%v %s %s\n", line.At, line.Layer, line.Text)
				}
				lines[i] = b.String()
			})
		}
		wg.Wait()
		for _, s := range servers {
			s.Close()
		}
		echoing.Wait()
	})
	return strings.Join(lines, "")
}

// exchange sends something, waits for the echo, and says what came.
func exchange(c net.Conn) string {
	defer c.Close()
	if _, err := c.Write([]byte("hello, who is there?")); err != nil {
		return err.Error()
	}
	c.SetReadDeadline(time.Now().Add(30 * time.Second))
	b := make([]byte, 20)
	n, err := io.ReadFull(c, b)
	if errors.Is(err, io.ErrUnexpectedEOF) || err == nil {
		return fmt.Sprintf("%q", b[:n])
	}
	return err.Error()
}

func echoStreams(l net.Listener, running *sync.WaitGroup) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		running.Go(func() {
			// A client's last reset may be lost: the server never hears of its end.
			c.SetDeadline(time.Now().Add(time.Hour))
			io.Copy(c, c)
			c.Close()
		})
	}
}

func echoPackets(p net.PacketConn) {
	b := make([]byte, 1500)
	for {
		n, from, err := p.ReadFrom(b)
		if err != nil {
			return
		}
		p.WriteTo(b[:n], from)
	}
}

// The same seed gives the same run, to the byte, however the goroutines are scheduled; another seed another one. All
// goroutines end with the last socket: a synctest bubble fails otherwise.
func TestSameSeedSameRun(t *testing.T) {
	first := timeline(t, 1)
	t.Logf("%d bytes, SHA-256 %x", len(first), sha256.Sum256([]byte(first)))
	for run := 1; run < *timelineRuns; run++ {
		if again := timeline(t, 1); again != first {
			t.Fatalf("run %d differs:\n%s", run, firstDifference(first, again))
		}
	}
	if timeline(t, 2) == first {
		t.Error("another seed makes no difference")
	}
	for outcome, least := range map[string]int{
		"hello, who": 200, "connection refused": 50, "i/o timeout": 50, "network is unreachable": 50, "no route to host": 50,
		"ENETDOWN": 5,
	} {
		if n := strings.Count(first, outcome); n < least {
			t.Errorf("%d lines with %q, want %d at least: the run is not as mixed as it should be", n, outcome, least)
		}
	}
}

func firstDifference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return fmt.Sprintf("line %d\n%s\n%s", i, x[i], y[i])
		}
	}
	return fmt.Sprintf("%d lines and %d", len(x), len(y))
}
