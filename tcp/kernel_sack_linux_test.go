// SPDX-License-Identifier: Apache-2.0

package tcp

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"dialtone/wire"

	"golang.org/x/sys/unix"
)

// TestKernel_sack: of ten segments the first and the fifth are lost, each way. The one who sent them is told which
// arrived, and sends two again.
func TestKernel_sack(t *testing.T) {
	w := newTUN(t, 0)
	l, err := net.ListenTCP("tcp4", net.TCPAddrFromAddrPort(netip.AddrPortFrom(tunKernel, 0)))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	const size = 10 * 1448
	cfg := Defaults()
	cfg.MinRTO = 10 * time.Second // what is lost is not told by the time, however slow the machine is
	w.c.Open(w.now(), &cfg, 40000, l.Addr().(*net.TCPAddr).AddrPort().Port(), 12345, 1460)
	w.run(func() bool { return w.c.State().synchronized() })
	kernel, err := l.AcceptTCP()
	if err != nil {
		t.Fatal(err)
	}
	defer kernel.Close()

	segments, most := 0, 0
	var from uint16
	w.lose = func(s *wire.Segment) bool {
		if s.SrcPort != from || len(s.Payload) == 0 {
			return false
		}
		segments++
		return segments == 1 || segments == 5
	}
	from = w.c.LocalPort()
	w.c.Write(make([]byte, size))
	w.run(func() bool {
		if s := w.c.scoreboard(); s != nil {
			most = max(most, len(s.spans))
		}
		return w.c.inFlight() == 0 && w.c.Unsent() == 0
	})
	if most != 2 || segments != 12 {
		t.Errorf("the kernel has told of %d spans, and we sent %d segments; want 2 and 12", most, segments)
	}

	segments, from = 0, w.c.RemotePort()
	if _, err := kernel.Write(make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	sacked, again := uint32(0), uint32(0)
	w.run(func() bool {
		info := kernelInfo(t, kernel)
		sacked, again = max(sacked, info.Sacked), info.Total_retrans
		return w.c.Buffered() == size
	})
	if sacked == 0 || again < 2 || again >= 8 { // a tail loss probe may be among them, and on a slow machine a timeout's
		t.Errorf("the kernel has heard of %d segments, and sent %d again; want some, and 2 but not the 8 that came", sacked, again)
	}
}

// kernelInfo is TCP_INFO of the kernel's socket.
func kernelInfo(t *testing.T, c *net.TCPConn) (info *unix.TCPInfo) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if e := raw.Control(func(fd uintptr) { info, err = unix.GetsockoptTCPInfo(int(fd), unix.SOL_TCP, unix.TCP_INFO) }); e != nil || err != nil {
		t.Fatal(e, err)
	}
	return info
}
