// SPDX-License-Identifier: Apache-2.0

package socket

import (
	"slices"
	"testing"
	"time"

	"dialtone/errno"
	"dialtone/personality"
)

// readyFake is ready for what a test says.
type readyFake struct {
	fake
	ready Events
}

func (f *readyFake) Ready() Events { return f.ready }

// becomes makes the socket ready for e, and says what of it is new.
func (f *readyFake) becomes(s *Socket, e Events) {
	s.Core.Lock()
	grown := e &^ f.ready
	f.ready = e
	s.Wake(grown)
	s.Core.Unlock()
}

// epollBench is an epoll instance and two sockets.
func epollBench(t *testing.T) (e *Epoll, s [2]*Socket, f [2]*readyFake) {
	t.Helper()
	_, first, _ := inState(t, personality.Fresh)
	for i := range s {
		f[i] = &readyFake{}
		s[i] = first
		if i > 0 {
			s[i] = first.Core.bareSocket(first.Family, Stream, 0)
		}
		s[i].Endpoint = f[i]
	}
	return NewEpoll(first.Core), s, f
}

func waited(t *testing.T, e *Epoll, most int, want ...EpollEvent) {
	t.Helper()
	got, no := e.Wait(&Call{}, most, 0)
	if no != errno.OK || !slices.Equal(got, want) {
		t.Errorf("epoll_wait = %v, %s; want %v", got, no.Name(), want)
	}
}

func add(t *testing.T, e *Epoll, fd int, s *Socket, events EpollEvents) {
	t.Helper()
	if no := e.Control(EpollAdd, fd, s, EpollEvent{events, uint64(fd)}); no != errno.OK {
		t.Fatal(no.Name())
	}
}

const in, out, hup = EpollEvents(In), EpollEvents(Out), EpollEvents(Hup)

func TestEpollLevel(t *testing.T) {
	e, s, f := epollBench(t)
	f[0].ready = Out
	add(t, e, 3, s[0], in|out)
	waited(t, e, 9, EpollEvent{out, 3})
	waited(t, e, 9, EpollEvent{out, 3})
	f[0].becomes(s[0], 0) // readiness that goes away is not told of, and is gone
	waited(t, e, 9)
	f[0].becomes(s[0], In|Hup)
	waited(t, e, 9, EpollEvent{in | hup, 3})
}

func TestEpollEdge(t *testing.T) {
	e, s, f := epollBench(t)
	f[0].ready = Out
	add(t, e, 3, s[0], in|out|EpollET)
	waited(t, e, 9, EpollEvent{out, 3}) // what is there when it is added counts as new
	waited(t, e, 9)
	f[0].becomes(s[0], Out|In)
	waited(t, e, 9, EpollEvent{in | out, 3}) // all that holds is told, not only what is new
	waited(t, e, 9)
	e.Control(EpollMod, 3, s[0], EpollEvent{in | EpollET, 4})
	waited(t, e, 9, EpollEvent{in, 4})
	waited(t, e, 9)
}

func TestEpollOneShot(t *testing.T) {
	e, s, f := epollBench(t)
	add(t, e, 3, s[0], in|EpollOneShot)
	f[0].becomes(s[0], In)
	waited(t, e, 9, EpollEvent{in, 3})
	f[0].becomes(s[0], In|Hup)
	waited(t, e, 9)
	e.Control(EpollMod, 3, s[0], EpollEvent{in | EpollOneShot, 3})
	waited(t, e, 9, EpollEvent{in | hup, 3})
}

// With less room than there are events the rest comes first the next time: nobody starves.
func TestEpollTakesTurns(t *testing.T) {
	e, s, f := epollBench(t)
	add(t, e, 3, s[0], in)
	add(t, e, 4, s[1], in)
	f[0].becomes(s[0], In)
	f[1].becomes(s[1], In)
	waited(t, e, 1, EpollEvent{in, 3})
	waited(t, e, 1, EpollEvent{in, 4})
	waited(t, e, 1, EpollEvent{in, 3})
	waited(t, e, 2, EpollEvent{in, 4}, EpollEvent{in, 3})
}

func TestEpollErrors(t *testing.T) {
	e, s, _ := epollBench(t)
	add(t, e, 3, s[0], in)
	for _, c := range []struct {
		name string
		op   int
		fd   int
		s    *Socket
		want errno.Errno
	}{
		{"added twice", EpollAdd, 3, s[0], errno.EEXIST},
		{"the same socket by another descriptor", EpollAdd, 5, s[0], errno.OK},
		{"changed, not added", EpollMod, 4, s[1], errno.ENOENT},
		{"deleted, not added", EpollDel, 4, s[1], errno.ENOENT},
		{"no such operation", 9, 3, s[0], errno.EINVAL},
		{"deleted", EpollDel, 3, s[0], errno.OK},
		{"deleted twice", EpollDel, 3, s[0], errno.ENOENT},
	} {
		if no := e.Control(c.op, c.fd, c.s, EpollEvent{Events: in}); no != c.want {
			t.Errorf("%s: %s, want %s", c.name, no.Name(), c.want.Name())
		}
	}
	if _, no := e.Wait(&Call{}, 0, 0); no != errno.EINVAL {
		t.Errorf("room for no event: %s", no.Name())
	}
}

// A socket that is closed leaves the set by itself; one that was deleted says nothing any more.
func TestEpollForgets(t *testing.T) {
	e, s, f := epollBench(t)
	add(t, e, 3, s[0], in)
	add(t, e, 4, s[1], in)
	f[0].becomes(s[0], In)
	f[1].becomes(s[1], In)
	e.Control(EpollDel, 4, s[1], EpollEvent{})
	s[0].Close(&Call{})
	waited(t, e, 9)
	if len(e.interest) != 0 {
		t.Errorf("%d left in the set", len(e.interest))
	}
	add(t, e, 4, s[1], in)
	e.Close()
	if s[1].watchers.first != nil {
		t.Error("a closed instance still watches")
	}
}

func TestEpollWaits(t *testing.T) {
	m, s, _ := inState(t, personality.Fresh)
	f := &readyFake{}
	s.Endpoint = f
	e := NewEpoll(s.Core)
	add(t, e, 3, s, in)
	var got []EpollEvent
	var no errno.Errno
	caller := &Caller{}
	wait := func(timeout time.Duration) {
		m.Go(func() { got, no = e.Wait(&Call{Caller: caller}, 9, timeout) })
		m.Settle()
	}
	wait(time.Second)
	m.Advance(time.Second)
	if got != nil || no != errno.OK {
		t.Errorf("nothing within the time: %v, %s", got, no.Name())
	}
	wait(-1)
	f.becomes(s, In)
	m.Settle()
	if len(got) != 1 {
		t.Errorf("it came while waited for: %v, %s", got, no.Name())
	}
	f.becomes(s, 0)
	wait(-1)
	caller.Interrupt(s.Core, true)
	m.Settle()
	if no != errno.EINTR { // signal(7): never restarted
		t.Errorf("interrupted: %s", no.Name())
	}
}

// What is deleted leaves no trace, though nobody waits.
func TestEpollDeletedWhileReady(t *testing.T) {
	e, s, f := epollBench(t)
	f[0].becomes(s[0], In)
	f[1].becomes(s[1], In)
	add(t, e, 1, s[1], EpollEvents(In))
	for range 3 {
		add(t, e, 0, s[0], EpollEvents(In))
		if no := e.Control(EpollDel, 0, s[0], EpollEvent{}); no != errno.OK {
			t.Fatal(no.Name())
		}
	}
	if len(e.ready) != 1 {
		t.Errorf("%d in line, want 1", len(e.ready))
	}
	waited(t, e, 8, EpollEvent{EpollEvents(In), 1})
	e.Close()
}
