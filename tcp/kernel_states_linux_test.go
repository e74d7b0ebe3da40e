// SPDX-License-Identifier: Apache-2.0

package tcp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"dialtone/wire"

	"golang.org/x/sys/unix"
)

// kernelPeer plays the peer of a connection of the running kernel by hand, segment by segment.
type kernelPeer struct {
	*tun
	port, kernelPort uint16
	iss              uint32 // the kernel's
	rcv, snd         uint32 // the kernel's, relative: what it expects next, and the end of what it sent
	pings            uint32
}

// newKernelPeer makes a peer for connections of a new listener of the kernel's, whose window is about that of plain().
func newKernelPeer(t *testing.T) (*kernelPeer, *net.TCPListener) {
	k := &kernelPeer{tun: newTUN(t, 0), port: 10000}
	// Answers to what can't be right are what we want to see, all of them. The file is that of this thread's namespace.
	if err := os.WriteFile("/proc/sys/net/ipv4/tcp_invalid_ratelimit", []byte("0"), 0o644); err != nil {
		t.Skipf("can't lift a limit: %v", err)
	}
	config := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) (err error) {
		return errors.Join(err, raw.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 10000)
		}))
	}}
	config.SetMultipathTCP(false)
	listener, err := config.Listen(context.Background(), "tcp4", netip.AddrPortFrom(tunKernel, 0).String())
	if err != nil {
		t.Fatal(err)
	}
	l := listener.(*net.TCPListener)
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	k.kernelPort = l.Addr().(*net.TCPAddr).AddrPort().Port()

	return k, l
}

// put gives the kernel a segment, numbers as of peer().
func (k *kernelPeer) put(s *wire.Segment) {
	s.SrcPort, s.DstPort = k.port, k.kernelPort
	if s.Flags.Has(wire.ACK) {
		s.Ack += k.iss - ourISS
	}
	k.tun.put(s)
}

// answers returns what the kernel has sent since it was asked last. A ping marks the end: its answer comes after those
// to the segments before it.
func (k *kernelPeer) answers() (got []wire.Segment) {
	k.Helper()
	k.pings++
	b, err := wire.Append(nil, &wire.Packet{
		Src: tunOurs, Dst: tunKernel, Proto: wire.ICMP, TTL: 64, ICMP: wire.Message{Type: 8, Info: k.pings},
	})
	if err != nil {
		k.Fatal(err)
	}
	if _, err := k.file.Write(b); err != nil {
		k.Fatal(err)
	}
	if err := k.file.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		k.Fatal(err)
	}
	for {
		n, err := k.file.Read(k.buf)
		if err != nil {
			k.Fatal(err)
		}
		p, err := wire.Parse(append([]byte(nil), k.buf[:n]...))
		switch {
		case err != nil:
			k.Fatal(err)
		case p.Proto == wire.ICMP && p.ICMP.Type == 0 && p.ICMP.Info == k.pings:
			return got
		case p.Proto == wire.TCP && p.TCP.DstPort == k.port:
			got = append(got, p.TCP)
		}
	}
}

// awaited is answers, with the patience for a delayed ACK: 40 ms, while a retransmission takes 200.
func (k *kernelPeer) awaited() (got []wire.Segment) {
	k.Helper()
	limit := time.Now().Add(150 * time.Millisecond)
	for late := false; len(got) == 0 && !late; {
		late = time.Now().After(limit) // and once more, for what came while we slept
		got = k.answers()
	}
	return got
}

// one returns the one segment the kernel has sent, and notes how far it is.
func (k *kernelPeer) one(flags wire.Flags) wire.Segment {
	k.Helper()
	got := k.awaited()
	if len(got) != 1 || got[0].Flags&^wire.PSH != flags {
		k.Fatalf("the kernel sent %v, want one with flags %05b", got, flags)
	}
	if flags.Has(wire.SYN) {
		k.iss = got[0].Seq
	}
	k.rcv, k.snd = got[0].Ack-peerISS, got[0].Seq+got[0].Len()-k.iss
	return got[0]
}

// enter brings a new connection of the listener's into the state, and returns the kernel's end of it, nil before it is
// accepted.
func (k *kernelPeer) enter(s State, l *net.TCPListener) *net.TCPConn {
	k.Helper()
	syn := peer(wire.SYN, 0, 0, "")
	syn.Options.MSS = testMSS
	k.put(syn)
	k.one(wire.SYN | wire.ACK)
	if s == SynReceived {
		return nil
	}
	k.put(peer(wire.ACK, 1, 1, ""))
	c, err := l.AcceptTCP()
	if err != nil {
		k.Fatal(err)
	}
	closeWrite := func() {
		if err := c.CloseWrite(); err != nil {
			k.Fatal(err)
		}
		k.one(wire.FIN | wire.ACK)
	}
	switch s {
	case FinWait1, FinWait2, Closing, TimeWait:
		closeWrite()
		if s != FinWait1 && s != Closing {
			k.put(peer(wire.ACK, 1, 2, ""))
		}
		if s == Closing || s == TimeWait {
			k.put(peer(wire.FIN|wire.ACK, 1, map[State]uint32{Closing: 1, TimeWait: 2}[s], ""))
			k.one(wire.ACK)
		}
	case CloseWait, LastAck:
		k.put(peer(wire.FIN|wire.ACK, 1, 1, ""))
		k.one(wire.ACK)
		if s == LastAck {
			closeWrite()
		}
	}
	return c
}

// kernelDiffers are the outcomes in which the running kernel and we differ, and why.
var kernelDiffers = map[string]string{
	"SYN outside of the window in TIME_WAIT": "we leave it to the owner's listener (Reopen); the kernel's has answered",
	"SYN in the window in SYN_RECV": "to the kernel this state is a note of the listener's, which such a SYN ends with a " +
		"reset (tcp_check_req); RFC 5961, 4 wants a challenge ACK",
	"the last number once more, with FIN in SYN_RECV": "there, for the same reason, the kernel's window begins with the " +
		"next number (tcp_in_window)",
}

// TestKernel_everyStateEveryEvent gives the kernel the segments of the table, in each state that a server has, and
// compares its answers and what its socket says then with ours.
func TestKernel_everyStateEveryEvent(t *testing.T) {
	k, l := newKernelPeer(t)
	for _, e := range stateEvents {
		for i, s := range states {
			if s == SynSent {
				continue // a server is never there
			}
			name := e.name + " in " + s.String()
			k.port++
			c := k.enter(s, l)
			seg := e.seg(k.rcv, k.snd)
			k.put(seg)
			want := e.want[i]
			got := k.answers()
			if want.answer != "none" && len(got) == 0 {
				got = k.awaited()
			}
			differs := ""
			if answer := kind(got); answer != want.answer {
				differs = fmt.Sprintf("the kernel answers %s %v, we %s", answer, got, want.answer)
			}
			if s == SynReceived && (want.state == Established || want.state == CloseWait) {
				if err := l.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
					t.Fatal(err)
				}
				accepted, err := l.AcceptTCP()
				if errors.Is(err, os.ErrDeadlineExceeded) {
					differs = "the kernel has no connection, we have"
				} else if err != nil {
					t.Fatal(err)
				}
				c = accepted
				if err := l.SetDeadline(time.Time{}); err != nil {
					t.Fatal(err)
				}
			}
			if c != nil {
				if got, want := kernelState(t, c), says(want, s); got != want {
					differs = fmt.Sprintf("the kernel's socket says %s, ours %s", got, want)
				}
				if err := errors.Join(c.SetLinger(0), c.Close()); err != nil {
					t.Fatal(err)
				}
			}
			switch why := kernelDiffers[name]; {
			case differs != "" && why == "":
				t.Errorf("%s: %s", name, differs)
			case differs == "" && why != "":
				t.Errorf("%s: no difference, though %q", name, why)
			}
			k.answers()
		}
	}
}

// TestKernel_everyStateEveryCall does with the kernel's socket what the table does with ours, and compares what is sent.
func TestKernel_everyStateEveryCall(t *testing.T) {
	k, l := newKernelPeer(t)
	calls := map[string]func(*net.TCPConn) error{
		"CloseWrite": (*net.TCPConn).CloseWrite,
		"Close":      (*net.TCPConn).Close,
		"Abort":      func(c *net.TCPConn) error { return errors.Join(c.SetLinger(0), c.Close()) },
	}
	for _, e := range stateCalls {
		call := calls[e.name]
		for i, s := range states {
			if call == nil || s == SynSent || s == SynReceived {
				continue // there is no such call, or no such socket
			}
			k.port++
			c := k.enter(s, l)
			if err := call(c); err != nil && !errors.Is(err, unix.ENOTCONN) { // shutdown(2) in TIME-WAIT
				t.Fatalf("%s in %v: %v", e.name, s, err)
			}
			got := kind(k.answers())
			if got == "refuse" {
				got = "RST"
			}
			if got != e.want[i].sent {
				t.Errorf("%s in %v: the kernel sends %s, we %s", e.name, s, got, e.want[i].sent)
			}
			if e.name == "CloseWrite" {
				if err := errors.Join(c.SetLinger(0), c.Close()); err != nil {
					t.Fatal(err)
				}
				k.answers()
			}
		}
	}
}

// kind says in a word what the kernel has sent.
func kind(got []wire.Segment) string {
	switch {
	case len(got) == 0:
		return "none"
	case len(got) > 1:
		return "more than one"
	}
	switch got[0].Flags &^ wire.PSH {
	case wire.ACK:
		return "ACK"
	case wire.SYN | wire.ACK:
		return "SYN-ACK"
	case wire.FIN | wire.ACK:
		return "FIN"
	case wire.RST, wire.RST | wire.ACK:
		return "refuse"
	}
	return "something else"
}

// kernelState returns the state and the pending error of the kernel's socket.
func kernelState(t *testing.T, c *net.TCPConn) (s string) {
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) {
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.SOL_TCP, unix.TCP_INFO)
		if err != nil {
			t.Fatal(err)
		}
		pending, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR)
		if err != nil {
			t.Fatal(err)
		}
		s = fmt.Sprintf("%d, error %d", info.State, pending)
	}); err != nil {
		t.Fatal(err)
	}
	return s
}

// says returns what the kernel's socket should say where we would have this outcome in state s: states as in
// net/tcp_states.h. A socket whose connection is in TIME-WAIT says CLOSE: the kernel keeps the rest elsewhere.
func says(o outcome, s State) string {
	if o.state == stay {
		o.state = s
	}
	number := map[State]int{
		Established: 1, FinWait1: 4, FinWait2: 5, TimeWait: 7, Closed: 7, CloseWait: 8, LastAck: 9, Closing: 11,
	}[o.state]
	pending := map[Reason]unix.Errno{Reset: unix.ECONNRESET, ResetAfterFIN: unix.EPIPE}[o.reason]
	return fmt.Sprintf("%d, error %d", number, int(pending))
}
