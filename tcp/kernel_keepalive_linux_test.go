// SPDX-License-Identifier: Apache-2.0

package tcp

import (
	"errors"
	"fmt"
	"math"
	"net"
	"strings"
	"testing"
	"time"

	"dialtone/wire"

	"golang.org/x/sys/unix"
)

// TestKernel_keepAlive_schedule asks the running kernel for the schedules of TestKeepAlive_schedule. Where this machine
// stood still for a while, that looks like another schedule: what differs is asked again.
func TestKernel_keepAlive_schedule(t *testing.T) {
	for again := 2; ; again-- {
		differences := askKeepSchedules(t)
		if len(differences) == 0 {
			return
		}
		if again == 0 {
			t.Fatal(strings.Join(differences, "\n"))
		}
		t.Logf("asked again: %s", strings.Join(differences, "; "))
	}
}

// askKeepSchedules asks for all schedules at once, and returns what differs from ours.
func askKeepSchedules(t *testing.T) (differences []string) {
	k, l := newKernelPeer(t)
	type result struct {
		conn   *net.TCPConn
		iss    uint32
		since  time.Time
		probes []float64
		end    float64
	}
	results := map[uint16]*result{} // by our port
	for i, s := range keepSchedules {
		k.port = uint16(20000 + i)
		c := k.enter(Established, l)
		defer c.Close()
		setKeepAlive(t, c, s.set, s.userTimeout)
		results[k.port] = &result{conn: c, iss: k.iss, since: time.Now()}
	}
	limit := time.Now().Add(15 * time.Second)
	if err := k.file.SetReadDeadline(limit); err != nil {
		t.Fatal(err)
	}
	for ended := 0; ended < len(keepSchedules); {
		n, err := k.file.Read(k.buf)
		if err != nil {
			t.Fatalf("%v, when %d of %d were over", err, ended, len(keepSchedules))
		}
		p, err := wire.Parse(append([]byte(nil), k.buf[:n]...))
		r := results[p.TCP.DstPort]
		if err != nil || p.Proto != wire.TCP || r == nil {
			continue // the kernel speaks of other things too
		}
		at := time.Since(r.since).Seconds()
		if p.TCP.Flags.Has(wire.RST) {
			r.end = at
			ended++
			continue
		}
		if p.TCP.Flags != wire.ACK || p.TCP.Len() != 0 || p.TCP.Seq != r.iss || p.TCP.Ack != peerISS+1 {
			t.Errorf("the kernel's probe is %s", describe(&p.TCP))
		}
		if r.probes = append(r.probes, at); len(r.probes) <= keepSchedules[p.TCP.DstPort-20000].answers {
			k.port, k.iss = p.TCP.DstPort, r.iss
			k.put(peer(wire.ACK, 1, 1, ""))
		}
	}
	for i, s := range keepSchedules {
		r := results[uint16(20000+i)]
		near := func(a, b float64) bool { return math.Abs(a-b) < 0.45 } // a timer's slack, and the test's machine's
		same := len(r.probes) == len(s.probes) && near(r.end, s.end)
		for j := range r.probes {
			same = same && near(r.probes[j], s.probes[j])
		}
		if !same {
			differences = append(differences, fmt.Sprintf("%s: the kernel's probes at %.1f, dead at %.1f; ours %v, %v",
				s.name, r.probes, r.end, s.probes, s.end))
		}
		if state := kernelState(t, r.conn); state != "7, error 110" {
			t.Errorf("%s: the kernel's socket says %s, want CLOSE and ETIMEDOUT", s.name, state)
		}
	}
	return differences
}

func setKeepAlive(t *testing.T, c *net.TCPConn, k KeepAlive, userTimeout time.Duration) {
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var all error
	err = raw.Control(func(fd uintptr) {
		for _, o := range []struct{ level, name, value int }{
			{unix.SOL_TCP, unix.TCP_KEEPIDLE, int(k.Idle / time.Second)},
			{unix.SOL_TCP, unix.TCP_KEEPINTVL, int(k.Interval / time.Second)},
			{unix.SOL_TCP, unix.TCP_KEEPCNT, int(k.Probes)},
			{unix.SOL_TCP, unix.TCP_USER_TIMEOUT, int(userTimeout / time.Millisecond)},
			{unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
		} {
			all = errors.Join(all, unix.SetsockoptInt(int(fd), o.level, o.name, o.value))
		}
	})
	if err = errors.Join(err, all); err != nil {
		t.Fatal(err)
	}
}
