// SPDX-License-Identifier: Apache-2.0

package socket

import (
	"slices"
	"time"

	"dialtone/errno"
)

// EpollEvents are the events of epoll_ctl(2), in its numbers: those of poll(2), and flags.
type EpollEvents uint32

// The flags.
const (
	EpollET      EpollEvents = 1 << 31 // report an event once, when it comes
	EpollOneShot EpollEvents = 1 << 30 // report one event, then none until EPOLL_CTL_MOD
)

// The operations of epoll_ctl(2).
const (
	EpollAdd = 1
	EpollDel = 2
	EpollMod = 3
)

// EpollEvent is struct epoll_event: what happened, and what the caller wanted to be told with it.
type EpollEvent struct {
	Events EpollEvents
	Data   uint64
}

// Epoll is an epoll(7) instance: descriptors of one host's sockets, and which of them have something to say. The host's
// lock guards it. It implements [File].
type Epoll struct {
	core     *Core
	interest map[epollKey]*epollItem
	ready    []*epollItem // may have something to say, in the order it came
	watchers Queue
}

// epollKey is what epoll knows an entry by: the descriptor and where it leads (epoll(7), question 0).
type epollKey struct {
	fd int
	s  *Socket
}

type epollItem struct {
	key    epollKey
	want   EpollEvent
	watch  Watch
	queued bool // in ready
}

// NewEpoll is epoll_create(2).
func NewEpoll(core *Core) *Epoll { return &Epoll{core: core, interest: map[epollKey]*epollItem{}} }

// Socket implements [File]: an epoll instance is none.
func (*Epoll) Socket() *Socket { return nil }

// Control is epoll_ctl(2) on the descriptor fd that leads to s.
func (e *Epoll) Control(op, fd int, s *Socket, want EpollEvent) errno.Errno {
	e.core.Lock()
	defer e.core.Unlock()
	key := epollKey{fd, s}
	item := e.interest[key]
	switch {
	case op == EpollAdd && item != nil:
		return errno.EEXIST
	case op == EpollAdd:
		item = &epollItem{key: key}
		item.watch.Events = ^Events(0)
		item.watch.Func = func(happened Events) { e.note(item, happened) }
		s.Watch(&item.watch)
		e.interest[key] = item
	case op != EpollMod && op != EpollDel:
		return errno.EINVAL
	case item == nil:
		return errno.ENOENT
	case op == EpollDel:
		e.forget(item)
		return errno.OK
	}
	item.want = want
	e.note(item, s.Ready()) // what is there already counts as new
	return errno.OK
}

// mask returns the events that the item reports; none once EPOLLONESHOT is used up.
func (i *epollItem) mask() Events {
	if i.want.Events&^(EpollET|EpollOneShot) == 0 {
		return 0
	}
	return Events(i.want.Events) | Always
}

// note puts an item in line if something happened that it reports.
func (e *Epoll) note(i *epollItem, happened Events) {
	if happened&i.mask() == 0 {
		return
	}
	if !i.queued {
		i.queued = true
		e.ready = append(e.ready, i)
	}
	e.watchers.Wake(In)
}

func (e *Epoll) forget(i *epollItem) {
	i.watch.Remove()
	delete(e.interest, i.key)
	if i.queued { // else a program that adds and deletes, and never waits, would make the line ever longer
		e.ready = slices.DeleteFunc(e.ready, func(x *epollItem) bool { return x == i })
	}
}

// Wait is epoll_wait(2): at most the given number of events. A negative timeout is for ever, 0 does not wait.
func (e *Epoll) Wait(c *Call, most int, timeout time.Duration) ([]EpollEvent, errno.Errno) {
	if most <= 0 {
		return nil, errno.EINVAL
	}
	e.core.Lock()
	defer e.core.Unlock()
	deadline := forever
	if timeout >= 0 {
		deadline = e.core.deadline(timeout)
	}
	for {
		if events := e.take(most); len(events) > 0 || timeout == 0 {
			return events, errno.OK
		}
		switch c.sleep(e.core, &e.watchers, In, deadline) {
		case timedOut:
			return e.take(most), errno.OK
		case interrupted, restarted:
			return nil, errno.EINTR // epoll_wait(2) is never restarted (signal(7))
		case canceled:
			return nil, errno.ECANCELED
		}
	}
}

// take asks those in line. One that is level-triggered and had something to say stands in line again.
func (e *Epoll) take(most int) (events []EpollEvent) {
	line := e.ready
	e.ready = nil
	for n, i := range line {
		if len(events) == most {
			e.ready = append(line[n:len(line):len(line)], e.ready...)
			break
		}
		i.queued = false
		if i.key.s.closed {
			e.forget(i)
			continue
		}
		now := i.key.s.Ready() & i.mask()
		if now == 0 {
			continue
		}
		events = append(events, EpollEvent{EpollEvents(now), i.want.Data})
		switch {
		case i.want.Events&EpollOneShot != 0:
			i.want.Events &= EpollET | EpollOneShot
		case i.want.Events&EpollET == 0:
			i.queued = true
			e.ready = append(e.ready, i)
		}
	}
	return events
}

// Close is the last close(2) of the instance.
func (e *Epoll) Close() {
	e.core.Lock()
	e.ready = nil
	for _, i := range e.interest {
		e.forget(i)
	}
	e.core.Unlock()
}
