// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

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

type heldDatagram struct {
	data     []byte
	from     source
	envelope string // "" without access control
}

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
		d.up() // what T has sent before
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
	if d.s >= 0 {
		d.up()
	}
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

// down passes on what has come in for the layer's socket.
func (d *datagram) down() {
	if d.h.sock == nil {
		d.flushHeld()
		return
	}
	buf := d.h.sup.chunk[:]
	for turn := 0; d.flushHeld(); turn++ {
		if turn == datagramTurns {
			d.goOn()
			return
		}
		m := socket.Message{Data: buf}
		n, e := d.h.receive(&m)
		if e == errno.EAGAIN {
			return
		}
		if e != errno.OK {
			d.reset(unix.Errno(e))
			if e == errno.ENOTCONN || e == errno.EINVAL {
				return // it does not go away by being read
			}
			continue
		}
		d.held = &heldDatagram{data: append([]byte(nil), buf[:n]...), from: source{plain(m.From), m.TTL}, envelope: envelopeOf(&m)}
	}
}

// flushHeld gives T the datagram that is held. It reports whether none is left.
func (d *datagram) flushHeld() bool {
	if d.held == nil {
		return true
	}
	e := d.deliver(d.held)
	if e == unix.EAGAIN {
		d.awaitRoom()
		return false
	}
	switch e {
	case unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM:
		d.h.sup.warn("a datagram was lost: %v", e)
	}
	d.held = nil // ECONNREFUSED, EPIPE: T has been closed or shut
	return true
}

// deliver gives T one datagram.
func (d *datagram) deliver(m *heldDatagram) unix.Errno {
	beside, e := d.h.sup.envelopes.rights(m.envelope)
	if e != 0 {
		return e
	}
	if e = d.deliverWith(m, beside); e == unix.ETOOMANYREFS {
		e = d.deliverWith(m, nil) // too many descriptors are under way: its SIDs are not known then
	}
	return e
}

// deliverWith gives T a datagram and what goes beside it.
func (d *datagram) deliverWith(m *heldDatagram, beside []byte) unix.Errno {
	if d.s >= 0 {
		_, err := unix.SendmsgN(d.s, m.data, beside, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		return errnoOf(err)
	}
	fd, e := d.h.sup.senders.get(d.h.sup.prefix, m.from)
	if e != 0 {
		return e
	}
	_, err := unix.SendmsgN(fd, m.data, beside, &unix.SockaddrUnix{Name: "@" + d.h.name}, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	return errnoOf(err)
}

// awaitRoom has step run when T's queue has room. S tells by itself.
func (d *datagram) awaitRoom() {
	const events = unix.EPOLLOUT | unix.EPOLLONESHOT
	if d.s >= 0 {
		return
	}
	if d.probe >= 0 {
		d.h.sup.loop.rearm(d.probe, events, d.probeWatch)
		return
	}
	p, e := nativeSocket(unix.SOCK_DGRAM | unix.SOCK_NONBLOCK)
	if e != 0 {
		return // the next datagram that comes, or the next receive that is caught, tries again
	}
	if e = connectNative(p, d.h.name); e == 0 {
		d.probeWatch, e = d.h.sup.loop.watch(p, events, func(uint32) {
			d.h.sup.mu.Lock()
			defer d.h.sup.mu.Unlock()
			if d.h.datagram == d {
				d.down()
			}
		})
	}
	if e != 0 {
		unix.Close(p)
		return
	}
	d.probe = p
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
	if d.s >= 0 {
		d.up() // what T has sent last
	}
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

// source is what a sender's name tells of a datagram.
type source struct {
	address netip.AddrPort
	ttl     uint8 // 0: nobody asks for it
}

// senders are sockets whose names are sources. The name stays with a datagram
// after the socket is closed, so they are a cache.
type senders struct {
	fds map[source]*sender
	now uint64 // counts uses
}

type sender struct {
	fd   int
	used uint64
}

const maxSenders = 256

// senderMark stands between the prefix and the address in a sender's name,
// ttlMark between the address and the TTL.
const (
	senderMark = "a."
	ttlMark    = "/"
)

func (ss *senders) get(prefix string, from source) (int, unix.Errno) {
	ss.now++
	if s := ss.fds[from]; s != nil {
		s.used = ss.now
		return s.fd, 0
	}
	if len(ss.fds) >= maxSenders {
		ss.evict()
	}
	fd, e := nativeSocket(unix.SOCK_DGRAM | unix.SOCK_NONBLOCK)
	if e != 0 {
		return -1, e
	}
	if e := bindNative(fd, fmt.Sprint(prefix, senderMark, from.address, ttlMark, from.ttl)); e != 0 {
		unix.Close(fd)
		return -1, e
	}
	ss.fds[from] = &sender{fd: fd, used: ss.now}
	return fd, 0
}

// evict closes the sender that was used longest ago.
func (ss *senders) evict() {
	var oldest source
	least := ^uint64(0)
	for a, s := range ss.fds {
		if s.used < least {
			oldest, least = a, s.used
		}
	}
	unix.Close(ss.fds[oldest].fd)
	delete(ss.fds, oldest)
}

func (ss *senders) close() {
	for _, s := range ss.fds {
		unix.Close(s.fd)
	}
	clear(ss.fds)
}

// sourceOf reads the source address and the TTL out of a sender's name. Without
// one the datagram came from the socket's peer, and its TTL is not known.
func (h *hosted) sourceOf(from unix.Sockaddr) (a sockaddr.Addr, ttl uint8) {
	_, text, ok := strings.Cut(abstractName(from), h.sup.prefix+senderMark)
	if ok {
		address, hops, _ := strings.Cut(text, ttlMark)
		if ap, err := netip.ParseAddrPort(address); err == nil {
			a = sockaddr.Of(ap)
		}
		if n, err := strconv.ParseUint(hops, 10, 8); err == nil {
			ttl = uint8(n)
		}
	} else {
		_, a, _ = h.sock.Ends()
	}
	if h.sock.Family == sockaddr.Inet6 && a.IP.Is4() {
		a.Family, a.IP = sockaddr.Inet6, netip.AddrFrom16(a.IP.As16())
	}
	return a, ttl
}
