// SPDX-License-Identifier: Apache-2.0

package dialtone_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dialtone/errno"
	"dialtone/socket"
)

// model is the naive twin of the state table: one TCP socket on Linux as conformance/cases tell of it, in plain words.
// It knows no packets, no queues, no timers but one.
type model struct {
	state    string // fresh, listening, connecting, unreported, connected, failed, dead
	blocking bool
	err      errno.Errno // pending in SO_ERROR
	rd, wr   bool        // halves that are shut
	finSent  bool        // by shutdown
	fin      bool        // the peer has closed
	over     bool        // the connection has ended
	now      time.Duration
	dies     time.Duration // when the attempt under way times out
}

// synsTake is how long an attempt with TCP_SYNCNT 1 takes to fail.
const synsTake = 3 * time.Second

// clear is what disconnecting leaves.
func (m *model) clear() {
	m.state, m.rd, m.wr, m.finSent, m.fin, m.over = "fresh", false, false, false, false, false
}

// end is the end of a connection, or of an attempt that nobody waits for.
func (m *model) end(e errno.Errno) {
	m.rd, m.wr, m.over = true, true, true
	if e != errno.OK {
		m.err = e
	}
	if m.state == "connecting" || m.state == "unreported" {
		m.state = "failed"
	}
}

func (m *model) wait(d time.Duration) {
	m.now += d
	if m.state == "connecting" && m.now >= m.dies {
		m.end(errno.ETIMEDOUT)
	}
}

func (m *model) open() bool { return (m.state == "unreported" || m.state == "connected") && !m.over }

func (m *model) take() errno.Errno {
	e := m.err
	m.err = errno.OK
	return e
}

func (m *model) connect(target string) errno.Errno {
	switch target {
	case "short":
		return errno.EINVAL
	case "unspec":
		if m.state == "connecting" || m.open() {
			m.err = errno.ECONNRESET
		}
		m.clear()
		return errno.OK
	}
	switch m.state {
	case "listening", "connected":
		return errno.EISCONN
	case "connecting":
		if !m.blocking {
			return errno.EALREADY
		}
		m.wait(m.dies - m.now)
		m.clear()
		return m.take()
	case "unreported":
		m.state = "connected"
		return errno.OK
	case "failed":
		m.clear()
		if e := m.take(); e != errno.OK {
			return e
		}
		return errno.ECONNABORTED
	case "dead":
		return errno.EINVAL
	}
	if target == "family" {
		return errno.EAFNOSUPPORT
	}
	m.err = errno.OK
	switch {
	case target == "listener" && m.blocking:
		m.state = "connected"
		return errno.OK
	case target == "listener":
		m.state = "unreported"
	case target == "closed" && m.blocking:
		m.clear()
		return errno.ECONNREFUSED
	case target == "closed":
		m.state = "connecting"
		m.end(errno.ECONNREFUSED)
	case m.blocking: // nobody answers
		m.wait(synsTake)
		m.clear()
		return errno.ETIMEDOUT
	default:
		m.state, m.dies = "connecting", m.now+synsTake
	}
	return errno.EINPROGRESS
}

func (m *model) poll() (e socket.Events) {
	if m.state == "listening" {
		return 0
	}
	closed := m.state == "fresh" || m.over
	if m.err != errno.OK {
		e |= socket.Err
	}
	if (m.rd || m.fin) && m.wr || closed {
		e |= socket.Hup
	}
	if m.rd || m.fin {
		e |= socket.In | socket.RdHup
	}
	if m.state != "connecting" {
		e |= socket.Out
	}
	return e
}

// send is of one byte, with MSG_DONTWAIT.
func (m *model) send() errno.Errno {
	switch {
	case m.state == "connecting":
		return errno.EAGAIN
	case m.err != errno.OK:
		return m.take()
	case !m.open() || m.wr:
		return errno.EPIPE
	case m.fin: // the peer, who is gone, answers with a reset
		m.end(errno.EPIPE)
	}
	return errno.OK
}

// recv is with MSG_DONTWAIT; the peer never sends a byte.
func (m *model) recv() errno.Errno {
	switch {
	case m.state == "listening":
		return errno.ENOTCONN
	case m.fin:
		return errno.OK
	case m.err != errno.OK:
		return m.take()
	case m.rd:
		return errno.OK
	case m.state == "fresh":
		return errno.ENOTCONN
	}
	return errno.EAGAIN
}

func (m *model) listen() errno.Errno {
	if m.state != "fresh" && m.state != "listening" {
		return errno.EINVAL
	}
	m.state = "listening"
	return errno.OK
}

func (m *model) shutdown(rd, wr bool) errno.Errno {
	switch {
	case m.state == "listening" && !rd:
		return errno.OK
	case m.state == "listening":
		m.clear()
		return errno.OK
	case m.state == "connecting":
		m.clear()
		m.err = errno.ECONNRESET
		return errno.OK
	}
	was := m.open()
	m.rd, m.wr = m.rd || rd, m.wr || wr
	switch {
	case m.state == "failed":
		m.state = "dead"
	case m.state == "unreported":
		m.state = "connected"
	}
	if !was {
		return errno.ENOTCONN
	}
	if m.finSent = m.finSent || wr; m.finSent && m.fin {
		m.end(errno.OK)
	}
	return errno.OK
}

func (m *model) peerCloses() {
	m.fin = true
	if m.finSent {
		m.end(errno.OK)
	}
}

func (m *model) peerResets() { m.end(errno.ECONNRESET) }

func (m *model) String() string { return fmt.Sprintf("%+v", *m) }

// TestStateTableAgainstNaiveModel makes random calls on a socket and on the model, and compares every answer.
func TestStateTableAgainstNaiveModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := newStateBench(t)
		m := &model{state: "fresh", blocking: true}
		ops := []string{
			"connect listener", "connect listener", "connect closed", "connect silent", "connect short", "connect family",
			"connect unspec", "SO_ERROR", "send", "recv", "listen", "shutdown RD", "shutdown WR", "shutdown RDWR",
			"block", "don't block", "don't block", "peer closes", "peer resets", "a second", "five seconds",
		}
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			op := rapid.SampledFrom(ops).Draw(t, "op")
			if b.peer < 0 && (op == "peer closes" || op == "peer resets") || op == "peer closes" && m.fin {
				continue
			}
			want, got := m.do(op), b.do(op)
			b.m.Settle()
			if want != got {
				t.Fatalf("%s: %s, want %s\nmodel now: %v", op, got.Name(), want.Name(), m)
			}
			if now := b.m.Now(); now != m.now {
				t.Fatalf("%s: it is %v, want %v", op, now, m.now)
			}
			if want, got := m.poll(), b.poll(); want != got {
				t.Fatalf("after %s: poll %v, want %v\nmodel now: %v", op, got, want, m)
			}
			b.accept(m.open())
		}
	})
}

func (m *model) do(op string) errno.Errno {
	var target string
	switch op {
	case "SO_ERROR":
		return m.take()
	case "send":
		return m.send()
	case "recv":
		return m.recv()
	case "listen":
		return m.listen()
	case "shutdown RD":
		return m.shutdown(true, false)
	case "shutdown WR":
		return m.shutdown(false, true)
	case "shutdown RDWR":
		return m.shutdown(true, true)
	case "block", "don't block":
		m.blocking = op == "block"
	case "peer closes":
		m.peerCloses()
	case "peer resets":
		m.peerResets()
	case "a second":
		m.wait(time.Second)
	case "five seconds":
		m.wait(5 * time.Second)
	default:
		fmt.Sscanf(op, "connect %s", &target)
		return m.connect(target)
	}
	return errno.OK
}
