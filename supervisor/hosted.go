// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"fmt"
	"net/netip"

	"dialtone/errno"
	"dialtone/inet"
	"dialtone/sockaddr"
	"dialtone/socket"

	"golang.org/x/sys/unix"
)

// hosted is a target's socket: the socket layer's own, which decides
// everything, and the native one under the target's descriptor, which carries
// the bytes the last stretch. The supervisor's lock guards it.
type hosted struct {
	sup    *Supervisor
	id     uint64
	stack  *inet.Stack
	sock   *socket.Socket // nil: AF_NETLINK
	cookie uint64         // of T
	name   string         // abstract name of T; "" until it needs one
	phase  phase
	watch  socket.Watch // of the layer's socket

	// target, tid and fd are where T was last seen, and caller who had it.
	target  *Target
	tid, fd int
	caller  *socket.Caller
	// kept is a duplicate of T that resetClosed closes last; -1: none is.
	kept int
	// err is an error that the pump met, for SO_ERROR.
	err unix.Errno
	// explaining is the attempt under way that settle will explain.
	explaining *explaining

	pump     *pump      // phase pumped and filled
	listen   *listening // phase listening
	datagram *datagram  // of SOCK_DGRAM, SOCK_RAW and AF_NETLINK
	netlink  int        // of AF_NETLINK: its protocol
}

// phase is what the native socket is to the virtual one.
type phase uint8

const (
	// fresh: T is not connected. connect and listen move on.
	fresh phase = iota
	// inListen: T listens natively, and connections that wait in the
	// layer's queue are presented to it.
	inListen
	// filled: T is connected to S and its send queue is full, so that it polls
	// as a connection under way. The layer's event moves on.
	filled
	// pumped: T is connected to S, and the bytes travel between S and the
	// layer's socket.
	pumped
	// direct: T is connected to another target's T.
	direct
	// failed: the attempt under way failed; S is closed. The next connect puts
	// another T under the number.
	failed
	// gone: no descriptor leads to T any more.
	gone
)

// connects reports whether the socket is of a type that is connected, and so
// has a T of that type, which carries what is sent.
func (h *hosted) connects() bool { return h.sock != nil && h.sock.Type.ConnectionOriented() }

// plain is an address without its family's dress: mapped IPv4 is IPv4.
func plain(a sockaddr.Addr) netip.AddrPort { return netip.AddrPortFrom(a.IP.Unmap(), a.Port) }

// adopt makes a hosted socket of a layer's socket and a native one, which the
// caller closes after it has passed it on. The supervisor is locked.
func (s *Supervisor) adopt(t *Target, sock *socket.Socket, fd int) (*hosted, unix.Errno) {
	c, ok := cookie(fd)
	if !ok {
		return nil, unix.ENOTSOCK
	}
	s.lastID++
	h := &hosted{sup: s, id: s.lastID, stack: t.program.Stack, sock: sock, cookie: c, kept: -1}
	if e := s.ghosts.add(fd, h.id); e != 0 {
		return nil, e
	}
	s.byCookie[c] = h
	s.byID[h.id] = h
	s.startHarvest()
	return h, 0
}

// bindT makes sure that T has a name, by which the other end knows it.
func (h *hosted) bindT(dup int) unix.Errno {
	if h.name != "" {
		return 0
	}
	name := fmt.Sprintf("%st%d", h.sup.prefix, h.id)
	if e := bindNative(dup, name); e != 0 {
		return e
	}
	h.name = name
	return 0
}

// replaceT notes that another native socket is under the target's number.
func (h *hosted) replaceT(fd int) unix.Errno {
	c, ok := cookie(fd)
	if !ok {
		return unix.ENOTSOCK
	}
	s := h.sup
	h.unkeep()
	delete(s.byCookie, h.cookie)
	delete(s.byID, h.id)
	s.lastID++
	h.id, h.cookie, h.name, h.phase = s.lastID, c, "", fresh
	s.byCookie[c] = h
	s.byID[h.id] = h
	return s.ghosts.add(fd, h.id)
}

// watchLayer has step run on the loop whenever the layer's socket has news.
// The supervisor is locked.
func (h *hosted) watchLayer(events socket.Events, step func()) {
	core := h.sock.Core
	core.Lock()
	defer core.Unlock()
	h.watch.Remove()
	posted := false // under the host's lock
	h.watch.Events = events
	h.watch.Func = func(socket.Events) {
		if posted {
			return
		}
		posted = true
		h.sup.loop.post(func() {
			core.Lock()
			posted = false
			core.Unlock()
			step()
		})
	}
	h.sock.Watch(&h.watch)
}

// ready returns the layer's readiness.
func (h *hosted) ready() socket.Events {
	h.sock.Core.Lock()
	defer h.sock.Core.Unlock()
	return h.sock.Ready()
}

func (h *hosted) unwatchLayer() {
	if h.sock == nil {
		return
	}
	core := h.sock.Core
	core.Lock()
	h.watch.Remove()
	core.Unlock()
}

// forget is the end of a hosted socket: no descriptor leads to T any more, and
// the layer's socket is closed. The supervisor is locked.
func (h *hosted) forget() {
	if h.phase == gone {
		return
	}
	s := h.sup
	h.explaining.tell(errno.EINPROGRESS, errno.EINPROGRESS, nil) // unless it had an outcome
	if h.pump != nil {
		h.pump.close()
		h.pump = nil
	}
	h.stopListening()
	h.unkeep()
	if h.datagram != nil {
		h.datagram.close()
		h.datagram = nil
	}
	h.phase = gone
	if s.byCookie[h.cookie] == h {
		delete(s.byCookie, h.cookie)
	}
	delete(s.byID, h.id)
	h.unwatchLayer()
	if h.sock != nil {
		h.sock.Close(&socket.Call{})
	}
}

// seen notes where a call has found T.
func (h *hosted) seen(c *call, fd int) {
	h.target, h.tid, h.fd, h.caller = c.target, c.tid, fd, c.caller
}

// dupT duplicates T where it was last seen. ok is false when it is not there
// any more.
func (h *hosted) dupT() (dup int, ok bool) {
	if h.target == nil {
		return -1, false
	}
	// The thread may have ended; the descriptor is its process's.
	for i, tid := range [...]int{h.tid, h.target.proc.shim} {
		if i > 0 && tid == h.tid {
			break
		}
		dup, _, err := h.target.callers.getfd(tid, h.fd)
		if err != nil {
			continue
		}
		if c, ok := cookie(dup); ok && c == h.cookie {
			return dup, true
		}
		unix.Close(dup)
	}
	return -1, false
}
