// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"errors"
	"net"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"dialtone/clock"
	"dialtone/socket"
)

// A network on the wrong side of a bubble's wall is told by whatever makes a socket.
func TestWrongBubble(t *testing.T) {
	uses := map[string]func(h *Host){
		"Dial":         func(h *Host) { h.Dial("tcp", "127.0.0.1:1") },
		"Listen":       func(h *Host) { h.Listen("tcp", ":1") },
		"ListenPacket": func(h *Host) { h.ListenPacket("udp", ":1") },
		"Socket":       func(h *Host) { h.NewProcess().Socket(2, 1, 0) },
		"Socketpair":   func(h *Host) { h.NewProcess().Socketpair(1, 1, 0) },
	}
	for name, use := range uses {
		outside := NewNetwork().Host("host.test")
		var inside *Host
		synctest.Test(t, func(t *testing.T) {
			inside = NewNetwork().Host("host.test")
			wantPanic(t, name, "within the function given to synctest.Test", func() { use(outside) })
		})
		wantPanic(t, name, "outside of the function given to synctest.Test", func() { use(inside) })
	}
}

// So it is by a call that would wait, on a socket that was made on the right side, which leaves nothing locked.
func TestWrongBubbleWaits(t *testing.T) {
	uses := map[string]func(p *Process, fd int){
		"Accept": func(p *Process, fd int) { p.Accept(fd, 0) },
		"Poll":   func(p *Process, fd int) { p.Poll([]PollFD{{FD: fd, Events: socket.In}}, -1) },
	}
	listening := func() (p *Process, fd int) {
		p = NewNetwork().Host("host.test").NewProcess()
		fd, err := p.Socket(2, 1, 0)
		if err == nil {
			err = p.Listen(fd, 1)
		}
		if err != nil {
			t.Fatal(err)
		}
		return p, fd
	}
	for name, use := range uses {
		outside, fd := listening()
		var inside *Process
		synctest.Test(t, func(t *testing.T) {
			inside, _ = listening()
			wantPanic(t, name, "within the function given to synctest.Test", func() { use(outside, fd) })
		})
		wantPanic(t, name, "outside of the function given to synctest.Test", func() { use(inside, fd) })
		if err := outside.Close(fd); err != nil {
			t.Error(name, err)
		}
	}
}

func wantPanic(t *testing.T, name, want string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if text, _ := recover().(string); !strings.Contains(text, want) {
			t.Errorf("%s: panic %q, want one with %q", name, text, want)
		}
	}()
	f()
}

// So it is by a call that would wait behind another one.
func TestWrongBubble_turn(t *testing.T) {
	l, err := NewNetwork().Host("host.test").Listen("tcp", ":1")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() {
		_, err := l.Accept()
		ended <- err
	}()
	for l.(*Listener).read.state.Load() == free {
		runtime.Gosched()
	}
	synctest.Test(t, func(t *testing.T) {
		wantPanic(t, "Accept", "within the function given to synctest.Test", func() { l.Accept() })
	})
	l.Close()
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}

// With a clock of the caller's own it does not matter where the network was made.
func TestOwnClockInBubble(t *testing.T) {
	h := NewNetwork(WithClock(clock.NewManual())).Host("host.test")
	synctest.Test(t, func(t *testing.T) {
		l, err := h.Listen("tcp", ":1")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		c, err := h.Dial("tcp", "127.0.0.1:1")
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
	})
}
