// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"slices"
	"time"

	"dialtone/errno"
	"dialtone/socket"
	"dialtone/wire"

	"golang.org/x/sys/unix"
)

// pumpChunk is how many bytes are moved at once, and thus how many can be under
// way inside a pump in each direction; after pumpTurns chunks a pump lets the
// others have their turn.
const (
	pumpChunk = 64 << 10
	pumpTurns = 16
)

// pumpEvents are those of S that its pump waits for always, and EPOLLOUT only
// when T had no room: every connection has it once, and every read of T's.
const pumpEvents = unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLET

// A pump moves the bytes of one stream between S and the layer's socket. It
// never waits. The supervisor's lock guards it.
type pump struct {
	h     *hosted
	s     int    // S; does not block
	watch uint64 // of S on the loop
	// filled is how many bytes keep T from being writable, in phase filled.
	filled int

	up, down       []byte     // read, but not taken by the other side: a copy; nil: nothing
	upEnd, downEnd bool       // the end was read and passed on
	full           bool       // T had no room for down: S is watched for EPOLLOUT
	hup            bool       // S has polled HUP, which stays
	discard        bool       // the target shut its reading half: drop what comes
	failure        unix.Errno // the layer's answer to what the target wrote
	broken         unix.Errno // how the connection has ended, with records still to come
	ended          bool

	orphan   bool          // T has been closed; what it wrote is still under way
	progress time.Duration // when the layer last took some of that, by the host's clock
}

// orphanPatience is how long the peer of a closed connection may keep its
// window shut. Linux's probes double their interval from 200 ms to 120 s; then a
// connection without a descriptor is given up (tcp_probe_timer). A variable for
// a test's sake.
var orphanPatience = 325 * time.Second

// startPump begins to move bytes. The supervisor is locked.
func (h *hosted) startPump(s int) unix.Errno {
	p := &pump{h: h, s: s}
	if h.ofRecords() {
		if err := unix.SetsockoptInt(s, unix.SOL_SOCKET, unix.SO_PASSCRED, 1); err != nil {
			unix.Close(s)
			return errnoOf(err)
		}
	}
	id, e := h.sup.loop.watch(s, pumpEvents, p.event)
	if e != 0 {
		unix.Close(s)
		return e
	}
	p.watch = id
	h.pump = p
	h.phase = pumped
	// The bytes are small and hurried as often as not, and the target's own
	// TCP_NODELAY is not asked for: the pump hands on what it gets.
	if !h.isUnix() {
		h.setOption(unix.IPPROTO_TCP, unix.TCP_NODELAY, socket.Int(1))
	}
	h.watchLayer(socket.In|socket.Out|socket.RdHup, p.step)
	if h.ready()&^socket.Out != 0 {
		p.run() // what came before the watch; S's own tells of it
	}
	return 0
}

// event is told of events of S.
func (p *pump) event(events uint32) {
	p.h.sup.mu.Lock()
	defer p.h.sup.mu.Unlock()
	p.hup = p.hup || events&unix.EPOLLHUP != 0
	p.run()
}

// step moves what can be moved.
func (p *pump) step() {
	p.h.sup.mu.Lock()
	defer p.h.sup.mu.Unlock()
	p.run()
}

// run is step with the supervisor locked.
func (p *pump) run() {
	if p.ended {
		return
	}
	buf := p.h.sup.chunk[:]
	upMore, closed := p.moveUp(buf)
	if closed {
		if p.down != nil || takeNativeError(p.s) != 0 {
			p.resetLayer() // T was closed with bytes unread
		}
		p.h.forget()
		return
	}
	downMore, e := false, p.failure
	if e == 0 {
		downMore, e = p.moveDown(buf)
	}
	if e != 0 {
		p.fail(e)
		return
	}
	if upMore || downMore {
		p.h.sup.loop.post(p.step)
	}
}

// bury is told that T has been closed. Once all that T has written is passed
// on, the socket ends; and if the peer does not take it.
func (p *pump) bury() {
	now := p.h.sock.Core.Now()
	switch {
	case !p.orphan:
		p.orphan, p.progress = true, now
		p.run()
	case p.h.isUnix(): // there is no such limit: the peer may read it at any time
	case now-p.progress > orphanPatience:
		p.resetLayer()
		p.h.forget()
	}
}

// moveUp passes on what the target wrote. more: its turn ended before the
// bytes did. closed: the target has closed T.
func (p *pump) moveUp(buf []byte) (more, closed bool) {
	if p.h.ofRecords() {
		if more = p.recordsUp(); !p.upEnd {
			return more, false
		}
	}
	for turn := 0; !p.upEnd; turn++ {
		if p.up = p.send(p.up); len(p.up) > 0 {
			return false, false
		}
		if p.failure != 0 || turn == pumpTurns {
			return p.failure == 0, false
		}
		n, e := receive(p.s, buf[:wire.MaxText]) // as much as one segment
		switch {
		case e == unix.EAGAIN:
			return false, false
		case e != 0: // ECONNRESET: T was closed with bytes unread
			p.resetLayer()
			return false, true
		case n == 0 && p.h.lingersNot() && p.closed():
			return false, true // the reset comes instead of an end
		case n == 0:
			p.endUp()
		default:
			p.up = slices.Clone(p.send(buf[:n]))
		}
	}
	return false, p.closed()
}

// closed reports whether the target has closed T.
func (p *pump) closed() bool {
	if !p.hungUp() {
		return false
	}
	if p.orphan {
		return true
	}
	dup, open := p.h.dupT()
	if open { // shutdown(SHUT_RDWR): harvest will see the close
		unix.Close(dup)
	}
	return !open
}

// endUp passes on that the target will write no more.
func (p *pump) endUp() {
	p.upEnd = true
	p.h.sock.Shutdown(ownCall(), socket.ShutWR) // ENOTCONN: the connection is over
}

// send gives the layer b. It returns what the layer has no room for.
func (p *pump) send(b []byte) (rest []byte) {
	if len(b) == 0 {
		return nil
	}
	n, e := p.h.sock.Send(p.h.dataCall(), &socket.Message{Data: b, Flags: socket.MsgNoSignal})
	switch e {
	case errno.OK, errno.EAGAIN:
		if p.orphan && n > 0 {
			p.progress = p.h.sock.Core.Now()
		}
		return b[n:]
	case errno.EPIPE: // the bytes go nowhere; what the peer sent may still come
	default:
		p.failure = unix.Errno(e)
	}
	return nil
}

// hungUp reports whether T is closed, or shut both ways.
func (p *pump) hungUp() bool {
	if !p.hup {
		fds := []unix.PollFd{{Fd: int32(p.s)}}
		n, err := unix.Poll(fds, 0)
		p.hup = err == nil && n == 1 && fds[0].Revents&unix.POLLHUP != 0
	}
	return p.hup
}

// moveDown passes on what the peer sent. more: its turn ended before the bytes
// did. An error is the connection's end.
func (p *pump) moveDown(buf []byte) (more bool, _ unix.Errno) {
	if p.h.ofRecords() {
		return p.recordsDown()
	}
	for turn := 0; !p.downEnd; turn++ {
		if p.down = p.deliver(p.down); len(p.down) > 0 {
			return false, 0
		}
		if turn == pumpTurns {
			return true, 0
		}
		n, e := p.h.receive(&socket.Message{Data: buf})
		switch {
		case e == errno.EAGAIN:
			return false, 0
		case e != errno.OK:
			return false, unix.Errno(e)
		case n == 0:
			p.downEnd = true
			_ = unix.Shutdown(p.s, unix.SHUT_WR) // ENOTCONN: T is gone, moveUp sees it
		case !p.discard:
			p.down = slices.Clone(p.deliver(buf[:n]))
		}
	}
	return false, 0
}

// deliver gives the target b. It returns what T has no room for.
func (p *pump) deliver(b []byte) (rest []byte) {
	for len(b) > 0 {
		n, err := unix.SendmsgN(p.s, b, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		if err == unix.EAGAIN {
			p.setFull(true)
			return b
		}
		if err != nil { // EPIPE: T does not read any more; TCP takes the bytes and drops them
			p.discard = true
			return nil
		}
		b = b[n:]
	}
	p.setFull(false)
	return nil
}

// setFull notes whether T has room, and has the loop tell of it if not.
func (p *pump) setFull(full bool) {
	if p.full == full {
		return
	}
	p.full = full
	events := uint32(pumpEvents)
	if full {
		events |= unix.EPOLLOUT
	}
	p.h.sup.loop.rearm(p.s, events, p.watch)
}

// fail ends the connection with an error: T reads ECONNRESET after what it
// has, polls ERR and HUP, and finds the very error in SO_ERROR.
func (p *pump) fail(e unix.Errno) {
	h := p.h
	h.err = e
	if dup, ok := h.dupT(); ok {
		// S closed with a byte unread resets T; else T would read an end.
		_, _ = unix.SendmsgN(dup, []byte{0}, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL) // EAGAIN: bytes are there
		unix.Close(dup)
	}
	p.close()
	h.pump = nil
	h.unwatchLayer()
	h.phase = failed
}

// resetLayer has the layer's close reset the connection, as TCP and AF_UNIX do
// when bytes are left unread.
func (p *pump) resetLayer() {
	if e, ok := p.h.sock.Endpoint.(unreader); ok {
		core := p.h.sock.Core
		core.Lock()
		e.LeftUnread()
		core.Unlock()
		return
	}
	linger := append(socket.Int(1), socket.Int(0)...)
	p.h.setOption(socket.SolSocket, socket.SoLinger, linger)
}

// close drops S, which the loop closes once the supervisor is not locked: that
// takes as long as all the rest. The supervisor is locked.
func (p *pump) close() {
	p.ended = true
	s, l := p.s, p.h.sup.loop
	l.forget(p.watch)
	l.post(func() { unix.Close(s) })
}
