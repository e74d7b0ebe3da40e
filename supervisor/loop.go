// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"encoding/binary"
	"sync"

	"golang.org/x/sys/unix"
)

// A loop is the one goroutine that waits on descriptors for the supervisor,
// and that acts on events of the socket layer, which may not call back into it
// themselves.
type loop struct {
	epoll int
	wake  int // an eventfd

	mu      sync.Mutex
	next    uint64
	entries map[uint64]func(events uint32)
	posted  []func()
	busy    bool // it will look at posted before it waits again
	closed  bool
	done    chan struct{}
}

const wakeID = 0 // of the eventfd among the entries

func newLoop() (*loop, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		unix.Close(epoll)
		return nil, err
	}
	l := &loop{epoll: epoll, wake: wake, entries: map[uint64]func(uint32){}, done: make(chan struct{})}
	if e := l.add(wake, unix.EPOLLIN, wakeID); e != 0 {
		unix.Close(epoll)
		unix.Close(wake)
		return nil, e
	}
	go l.run()
	return l, nil
}

// add registers fd with the number that its events bear.
func (l *loop) add(fd int, events uint32, id uint64) unix.Errno {
	ev := unix.EpollEvent{Events: events, Fd: int32(uint32(id)), Pad: int32(uint32(id >> 32))}
	return errnoOf(unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &ev))
}

// watch calls f on the loop's goroutine for events of fd. It ends with drop,
// before fd is closed.
func (l *loop) watch(fd int, events uint32, f func(events uint32)) (id uint64, e unix.Errno) {
	l.mu.Lock()
	l.next++
	id = l.next
	l.entries[id] = f
	l.mu.Unlock()
	if e = l.add(fd, events, id); e != 0 {
		l.mu.Lock()
		delete(l.entries, id)
		l.mu.Unlock()
	}
	return id, e
}

// forget ends the watch of a descriptor that is closed next and has no
// duplicates. Its function may still run once, if it is about to.
func (l *loop) forget(id uint64) {
	l.mu.Lock()
	delete(l.entries, id)
	l.mu.Unlock()
}

// drop ends the watch of a descriptor that stays open, as forget does.
func (l *loop) drop(fd int, id uint64) {
	l.forget(id)
	_ = unix.EpollCtl(l.epoll, unix.EPOLL_CTL_DEL, fd, nil) // ENOENT: fd was never added
}

// rearm looks at fd anew: for sockets that tell of a change only to those who
// have looked since the one before.
func (l *loop) rearm(fd int, events uint32, id uint64) {
	ev := unix.EpollEvent{Events: events, Fd: int32(uint32(id)), Pad: int32(uint32(id >> 32))}
	_ = unix.EpollCtl(l.epoll, unix.EPOLL_CTL_MOD, fd, &ev) // ENOENT: it was dropped
}

// post has f run on the loop's goroutine, soon. It never waits, so that it may
// be called with a host locked.
func (l *loop) post(f func()) {
	l.mu.Lock()
	ring := len(l.posted) == 0 && !l.busy
	l.posted = append(l.posted, f)
	l.mu.Unlock()
	if ring {
		l.ring()
	}
}

func (l *loop) ring() {
	var one [8]byte
	binary.NativeEndian.PutUint64(one[:], 1)
	_, _ = unix.Write(l.wake, one[:]) // EAGAIN: it rings already
}

func (l *loop) run() {
	defer close(l.done)
	events := make([]unix.EpollEvent, 128)
	for wait := -1; ; {
		n, err := unix.EpollWait(l.epoll, events, wait)
		if err != nil && err != unix.EINTR {
			panic("supervisor: epoll_wait: " + err.Error()) // EBADF, EINVAL: our mistake
		}
		l.mu.Lock()
		l.busy = true
		l.mu.Unlock()
		for i := range max(n, 0) {
			id := uint64(uint32(events[i].Fd)) | uint64(uint32(events[i].Pad))<<32
			if id == wakeID {
				var b [8]byte
				_, _ = unix.Read(l.wake, b[:])
				continue
			}
			l.mu.Lock()
			f := l.entries[id]
			l.mu.Unlock()
			if f != nil {
				f(events[i].Events)
			}
		}
		more, closed := l.runPosted()
		if closed {
			return
		}
		wait = -1
		if more {
			wait = 0
		}
	}
}

// runPosted runs what has been posted. more: something was meanwhile, which
// comes after the descriptors' events, or somebody who always has more to do
// would keep the others waiting.
func (l *loop) runPosted() (more, closed bool) {
	l.mu.Lock()
	posted, closed := l.posted, l.closed
	l.posted = nil
	l.mu.Unlock()
	for _, f := range posted {
		f()
	}
	if closed {
		return false, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy = len(l.posted) > 0
	return l.busy, false
}

// close ends the loop and returns when it has ended.
func (l *loop) close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.ring()
	<-l.done
	unix.Close(l.epoll)
	unix.Close(l.wake)
}

// once returns a channel that is closed when fd has one of events, and a
// function that gives the wait up; fd must stay open until it is called.
func (l *loop) once(fd int, events uint32) (ready <-chan struct{}, stop func()) {
	ch := make(chan struct{})
	var fired sync.Once
	id, e := l.watch(fd, events|unix.EPOLLONESHOT, func(uint32) { fired.Do(func() { close(ch) }) })
	if e != 0 {
		close(ch) // the caller asks the descriptor itself, and hears why
		return ch, func() {}
	}
	return ch, func() { l.drop(fd, id) }
}
