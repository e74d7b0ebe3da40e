// SPDX-License-Identifier: Apache-2.0

package socket

import (
	"testing"
	"time"

	"dialtone/clock"
	"dialtone/errno"
	"dialtone/personality"
	"dialtone/sockaddr"
)

// fake is a space of endpoints that do what a test tells them: connect answers what it is set to, and counts.
type fake struct {
	answer       errno.Errno
	connects     int
	disconnects  int
	closed       int
	room         Queue
	waitsForRoom bool
}

func (f *fake) NewEndpoint(*Call, *Socket) (Endpoint, errno.Errno) { return f, errno.OK }
func (f *fake) Pair(*Call, *Socket, *Socket) (Endpoint, Endpoint, errno.Errno) {
	return nil, nil, errno.EOPNOTSUPP
}
func (f *fake) Bind(*Call, []byte) errno.Errno { return errno.OK }
func (f *fake) Listen(*Call, int) errno.Errno  { return errno.OK }
func (f *fake) Connect(c *Call, _ []byte) errno.Errno {
	f.connects++
	if f.answer == errno.EAGAIN && f.waitsForRoom {
		c.WaitAt = &f.room
	}
	return f.answer
}
func (f *fake) Disconnect(*Call) errno.Errno { f.disconnects++; return errno.OK }
func (f *fake) Accept(*Call, *Socket) (Endpoint, errno.Errno) {
	return nil, errno.EAGAIN
}
func (f *fake) Name() sockaddr.Addr                           { return sockaddr.Addr{} }
func (f *fake) Peer() (sockaddr.Addr, errno.Errno)            { return sockaddr.Addr{}, errno.ENOTCONN }
func (f *fake) Send(*Call, *Message) (int, errno.Errno)       { return 0, errno.EAGAIN }
func (f *fake) Recv(*Call, *Message) (int, errno.Errno)       { return 0, errno.EAGAIN }
func (f *fake) Shutdown(*Call, How) errno.Errno               { return errno.OK }
func (f *fake) Option(*Call, int, int) ([]byte, errno.Errno)  { return nil, errno.ENOPROTOOPT }
func (f *fake) SetOption(*Call, int, int, []byte) errno.Errno { return errno.ENOPROTOOPT }
func (f *fake) Ready() Events                                 { return 0 }
func (f *fake) Close(*Call)                                   { f.closed++ }

var somewhere = sockaddr.Addr{Family: sockaddr.Inet}.Append(nil)

// inState returns a stream socket in a state, over a fake endpoint.
func inState(t *testing.T, state personality.State) (*clock.Manual, *Socket, *fake) {
	t.Helper()
	m := clock.NewManual()
	core := NewCore(m, personality.Linux)
	f := &fake{}
	core.AddSpace(sockaddr.Inet, f)
	core.AddSpace(sockaddr.Unix, f)
	s, e := core.NewSocket(&Call{}, sockaddr.Inet, Stream, 0)
	if e != errno.OK {
		t.Fatal(e)
	}
	s.state = state
	return m, s, f
}

// What connect says in each state, and where it leads: linux.go's table, driven through the call. The rows are those of
// the state machine of inet_stream_connect, by experiment on Linux 6.18.
func TestConnectInEachState(t *testing.T) {
	for _, c := range []struct {
		state       personality.State
		pending     errno.Errno
		answer      errno.Errno // the endpoint's
		want        errno.Errno // of a non-blocking call
		to          personality.State
		disconnects int
	}{
		{state: personality.Fresh, answer: errno.EINPROGRESS, want: errno.EINPROGRESS, to: personality.Connecting},
		{state: personality.Fresh, answer: errno.ENETUNREACH, want: errno.ENETUNREACH, to: personality.Fresh},
		{state: personality.Listening, want: errno.EISCONN, to: personality.Listening},
		{state: personality.Connecting, want: errno.EALREADY, to: personality.Connecting},
		{state: personality.Unreported, want: errno.OK, to: personality.Connected},
		{state: personality.Connected, want: errno.EISCONN, to: personality.Connected},
		{state: personality.Connected, pending: errno.ECONNRESET, want: errno.EISCONN, to: personality.Connected},
		{state: personality.Failed, pending: errno.ECONNREFUSED, want: errno.ECONNREFUSED, to: personality.Fresh, disconnects: 1},
		{state: personality.Failed, want: errno.ECONNABORTED, to: personality.Fresh, disconnects: 1},
	} {
		_, s, f := inState(t, c.state)
		s.err, f.answer = c.pending, c.answer
		if e := s.Connect(&Call{NonBlocking: true}, somewhere); e != c.want {
			t.Errorf("%v, %s pending: connect = %s, want %s", c.state, c.pending.Name(), e.Name(), c.want.Name())
		}
		if s.state != c.to {
			t.Errorf("%v, %s pending: then %v, want %v", c.state, c.pending.Name(), s.state, c.to)
		}
		if f.disconnects != c.disconnects {
			t.Errorf("%v, %s pending: %d disconnects, want %d", c.state, c.pending.Name(), f.disconnects, c.disconnects)
		}
	}
}

// waiting is a connect that waits in a goroutine of the clock's own.
type waiting struct {
	call  Call
	done  bool
	errno errno.Errno
}

func startConnect(m *clock.Manual, s *Socket) *waiting {
	w := &waiting{call: Call{Caller: &Caller{}}}
	m.Go(func() {
		w.errno = s.Connect(&w.call, somewhere)
		w.done = true
	})
	m.Settle()
	return w
}

func TestBlockingConnectEnds(t *testing.T) {
	lock := func(s *Socket, f func()) {
		s.Core.Lock()
		f()
		s.Core.Unlock()
	}
	for _, c := range []struct {
		name    string
		timeout time.Duration // SO_SNDTIMEO
		end     func(m *clock.Manual, s *Socket, w *waiting)
		want    errno.Errno
		to      personality.State
		waits   bool // still, after end
	}{
		{name: "established", end: func(_ *clock.Manual, s *Socket, _ *waiting) {
			lock(s, s.Established)
		}, to: personality.Connected},
		{name: "refused", end: func(_ *clock.Manual, s *Socket, _ *waiting) {
			lock(s, func() { s.Fail(errno.ECONNREFUSED, "test") })
		}, want: errno.ECONNREFUSED, to: personality.Fresh},
		{name: "signal", end: func(_ *clock.Manual, s *Socket, w *waiting) {
			w.call.Caller.Interrupt(s.Core, false)
		}, want: errno.EINTR, to: personality.Connecting},
		{name: "signal with SA_RESTART", end: func(_ *clock.Manual, s *Socket, w *waiting) {
			w.call.Caller.Interrupt(s.Core, true)
		}, to: personality.Connecting, waits: true},
		{name: "signal with SA_RESTART and a timeout", timeout: time.Minute, end: func(_ *clock.Manual, s *Socket, w *waiting) {
			w.call.Caller.Interrupt(s.Core, true)
		}, want: errno.EINTR, to: personality.Connecting},
		{name: "SO_SNDTIMEO", timeout: time.Second, end: func(m *clock.Manual, _ *Socket, _ *waiting) {
			m.Advance(time.Second)
		}, want: errno.EINPROGRESS, to: personality.Connecting},
		{name: "cancelled", end: func(_ *clock.Manual, s *Socket, w *waiting) {
			w.call.Cancel(s.Core)
		}, want: errno.ECANCELED, to: personality.Connecting},
		{name: "dissolved by another thread", end: func(_ *clock.Manual, s *Socket, _ *waiting) {
			s.Connect(&Call{}, sockaddr.Addr{}.Append(nil))
			lock(s, func() { s.Wake(Out) })
		}, want: errno.EPIPE, to: personality.Fresh},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, s, f := inState(t, personality.Fresh)
			f.answer = errno.EINPROGRESS
			s.opts.change().sendTimeout = c.timeout
			w := startConnect(m, s)
			if w.done {
				t.Fatalf("returned %s at once", w.errno.Name())
			}
			c.end(m, s, w)
			m.Settle()
			if w.done == c.waits {
				t.Fatalf("done %v", w.done)
			}
			if !c.waits && w.errno != c.want {
				t.Errorf("connect = %s, want %s", w.errno.Name(), c.want.Name())
			}
			if s.state != c.to {
				t.Errorf("state %v, want %v", s.state, c.to)
			}
			w.call.Cancel(s.Core)
			m.Settle()
		})
	}
}

// A blocking AF_UNIX connect waits where its endpoint says, and asks again; a non-blocking one does not wait.
func TestConnectWaitsForRoom(t *testing.T) {
	m, _, f := inState(t, personality.Fresh)
	core := NewCore(m, personality.Linux)
	core.AddSpace(sockaddr.Unix, f)
	s, e := core.NewSocket(&Call{}, sockaddr.Unix, Stream, 0)
	if e != errno.OK {
		t.Fatal(e)
	}
	f.answer, f.waitsForRoom = errno.EAGAIN, true
	if e := s.Connect(&Call{NonBlocking: true}, somewhere); e != errno.EAGAIN {
		t.Errorf("non-blocking: %s", e.Name())
	}
	w := startConnect(m, s)
	if w.done || f.connects != 2 {
		t.Fatalf("done %v after %d attempts", w.done, f.connects)
	}
	core.Lock()
	f.answer = errno.OK
	f.room.Wake(Out)
	core.Unlock()
	m.Settle()
	if !w.done || w.errno != errno.OK || f.connects != 3 || s.state != personality.Connected {
		t.Errorf("done %v, %s, %d attempts, %v", w.done, w.errno.Name(), f.connects, s.state)
	}
}

// A call holds the description: close from another thread takes effect when the call returns (close(2)).
func TestCloseWhileConnecting(t *testing.T) {
	m, s, f := inState(t, personality.Fresh)
	f.answer = errno.EINPROGRESS
	w := startConnect(m, s)
	s.Close(&Call{})
	if f.closed != 0 || w.done {
		t.Fatal("close did not wait for the call")
	}
	s.Core.Lock()
	s.Established()
	s.Core.Unlock()
	m.Settle()
	if !w.done || w.errno != errno.OK || f.closed != 1 {
		t.Errorf("done %v, %s, closed %d times", w.done, w.errno.Name(), f.closed)
	}
	if e := s.Connect(&Call{}, somewhere); e != errno.EBADF {
		t.Errorf("a call on the closed socket: %s", e.Name())
	}
}

// The order of descriptor and address, per system: each may fail, and which error the caller gets is a fact.
func TestArgumentOrder(t *testing.T) {
	_, s, _ := inState(t, personality.Connected)
	addressFirst, socketFirst := *personality.Linux, *personality.Linux
	addressFirst.Call.AddressFirst = true
	socketFirst.Call.SocketFirst = true
	bad := sockaddr.Raw{Mem: []byte{}, Len: 16}
	long := sockaddr.Raw{Mem: make([]byte, 200), Len: 129}
	for _, c := range []struct {
		name string
		p    *personality.Personality
		f    File
		raw  sockaddr.Raw
		want errno.Errno
	}{
		{"no descriptor, bad pointer", personality.Linux, nil, bad, errno.EBADF},
		{"no descriptor, bad pointer, address first", &addressFirst, nil, bad, errno.EFAULT},
		{"no socket, bad pointer", personality.Linux, file{}, bad, errno.EFAULT},
		{"no socket, bad pointer, socket first", &socketFirst, file{}, bad, errno.ENOTSOCK},
		{"no socket", personality.Linux, file{}, sockaddr.Bytes(somewhere), errno.ENOTSOCK},
		{"too long", personality.Linux, s, long, errno.EINVAL},
		{"negative", personality.Linux, s, sockaddr.Raw{Len: -1}, errno.EINVAL},
		{"null of no length", personality.Linux, s, sockaddr.Raw{}, errno.EINVAL},
		{"bad pointer", personality.Linux, s, bad, errno.EFAULT},
		{"all well", personality.Linux, s, sockaddr.Bytes(somewhere), errno.EISCONN},
	} {
		if e := Connect(&Call{NonBlocking: true}, c.p, c.f, c.raw); e != c.want {
			t.Errorf("%s: %s, want %s", c.name, e.Name(), c.want.Name())
		}
	}
}

// file is an open file that is no socket.
type file struct{}

func (file) Socket() *Socket { return nil }
