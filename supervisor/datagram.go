// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"fmt"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"

	"golang.org/x/sys/unix"
)

// datagram is the native side of a UDP, ping or raw socket. The queue that counts is the
// layer's; T's own holds a few datagrams at most.
//
// Unconnected, T is bound to its name, and each datagram comes from a socket
// whose name is the source address, where recvfrom reads it. Connected, T and
// S are connected to each other, and send and recv without an address are
// native. For AF_NETLINK T is connected from the start.
type datagram struct {
	h     *hosted
	s     int // S; -1: not connected
	watch uint64

	held *heldDatagram // what T had no room for
	// waiting is a send that waits for room at an AF_UNIX receiver; nil: none.
	waiting *socket.Call
	// probe is connected to T and polls writable when T has room again; -1:
	// there was no need yet.
	probe      int
	probeWatch uint64
	// failed is closed when there is an error that T can't show; nil: nobody
	// waits.
	failed chan struct{}
	posted bool // step will run soon
}

// datagramTurns is how many datagrams are moved before the others have their
// turn. It is more than T or S holds (net.core.wmem_max), so that one turn
// moves all that was there when it began.
const datagramTurns = 1024

// startDatagram readies a new T, of which fd is a descriptor. The supervisor
// is locked.
func (h *hosted) startDatagram(fd int) unix.Errno {
	if e := h.bindT(fd); e != 0 {
		return e
	}
	h.datagram = &datagram{h: h, s: -1, probe: -1}
	if h.isUnix() {
		// Nothing longer than our buffer; the kernel doubles it, and wants 32 bytes.
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, maxUnixDatagram/2); err != nil {
			return errnoOf(err)
		}
	}
	if h.sock == nil {
		return h.datagram.connect(fd)
	}
	h.watchLayer(socket.In|socket.Err, func() {
		h.sup.mu.Lock()
		defer h.sup.mu.Unlock()
		if h.datagram != nil {
			h.datagram.down()
		}
	})
	return 0
}

// follow makes T connected or not, as the layer's socket is.
func (d *datagram) follow(dup int) unix.Errno {
	_, peer, _ := d.h.sock.Ends()
	associated := peer.Family != sockaddr.Unspec // getpeername(2) tells no peer without a port
	switch {
	case associated && d.s < 0:
		return d.connect(dup)
	case !associated && d.s >= 0:
		if e := disconnectNative(dup); e != 0 {
			return e
		}
		d.closeS()
	}
	return 0
}

// connect joins T and an S.
func (d *datagram) connect(dup int) unix.Errno {
	s, e := nativeSocket(unix.SOCK_DGRAM | unix.SOCK_NONBLOCK)
	if e != 0 {
		return e
	}
	name := fmt.Sprintf("%ss%d", d.h.sup.prefix, d.h.id)
	if e = bindNative(s, name); e == 0 {
		if e = connectNative(s, d.h.name); e == 0 {
			e = connectNative(dup, name)
		}
	}
	if e == 0 {
		d.watch, e = d.h.sup.loop.watch(s, unix.EPOLLIN|unix.EPOLLOUT|unix.EPOLLET, func(uint32) { d.step() })
	}
	if e != 0 {
		unix.Close(s)
		return e
	}
	d.s = s
	return 0
}

// step runs on the loop when T has sent, or has room.
func (d *datagram) step() {
	d.h.sup.mu.Lock()
	defer d.h.sup.mu.Unlock()
	d.posted = false
	if d.h.datagram != d {
		return
	}
	d.up()
	d.down()
}

// goOn has step run again, once the others have had their turn.
func (d *datagram) goOn() {
	if !d.posted {
		d.posted = true
		d.h.sup.loop.post(d.step)
	}
}

// up passes on what T has sent natively.
func (d *datagram) up() {
	if d.s < 0 {
		return
	}
	buf := d.h.sup.chunk[:]
	for turn := 0; d.waiting == nil; turn++ {
		if turn == datagramTurns {
			d.goOn()
			return
		}
		n, _, err := unix.Recvfrom(d.s, buf, unix.MSG_DONTWAIT)
		if err == unix.ECONNREFUSED || err == unix.ECONNRESET {
			continue // T was disconnected: an error of S's own, read once
		}
		if err != nil {
			return
		}
		if d.h.sock == nil {
			d.h.netlinkRequest(buf[:n])
			continue
		}
		_, e := d.h.sock.Send(d.h.dataCall(), &socket.Message{Data: buf[:n]})
		switch {
		case e == errno.EAGAIN && d.h.isUnix():
			d.sendWhenRoom(append([]byte(nil), buf[:n]...))
		case e != errno.OK && e != errno.EAGAIN:
			d.reset(unix.Errno(e))
		}
	}
}

// reset makes T poll ERR and its next call fail with e, once. The datagram
// pair stays connected: S leaves T with a datagram unread, which is an error
// for T, and comes back.
func (d *datagram) reset(e unix.Errno) {
	h := d.h
	h.err = e
	if d.s < 0 {
		if d.failed != nil { // T can't show it, but who waits in a call of ours is told
			close(d.failed)
			d.failed = nil
		}
		return
	}
	dup, ok := h.dupT()
	if !ok {
		return
	}
	defer unix.Close(dup)                                                               // T does not close meanwhile
	_, _ = unix.SendmsgN(dup, []byte{0}, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL) // EAGAIN: one is unread already
	if disconnectNative(d.s) != 0 || connectNative(d.s, h.name) != 0 {
		h.sup.warn("an error of a datagram socket could not be shown")
	}
}

// failure is closed when h has an error that T can't show. The supervisor is
// locked.
func (h *hosted) failure() <-chan struct{} {
	d := h.datagram
	if d == nil || d.s >= 0 {
		return nil
	}
	if d.failed == nil {
		d.failed = make(chan struct{})
	}
	return d.failed
}

func (d *datagram) closeS() {
	if d.s >= 0 {
		d.h.sup.loop.drop(d.s, d.watch)
		unix.Close(d.s)
		d.s = -1
	}
}

// close drops what belongs to the socket. The supervisor is locked.
func (d *datagram) close() {
	d.up() // what T has sent last
	if d.waiting != nil {
		d.waiting.Cancel(d.h.sock.Core)
	}
	d.closeS()
	if d.probe >= 0 {
		d.h.sup.loop.drop(d.probe, d.probeWatch)
		unix.Close(d.probe)
		d.probe = -1
	}
}
