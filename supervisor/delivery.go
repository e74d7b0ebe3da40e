// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"dialtone/errno"
	"dialtone/socket"

	"golang.org/x/sys/unix"
)

type heldDatagram struct {
	data     []byte
	from     source
	envelope string // what its sender's name does not tell; "": nothing
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
		from := source{address: plain(m.From)}
		if d.s < 0 {
			if number, ok := d.h.sup.asides.number(m.Control); ok {
				from.aside, m.Control = number, nil
			}
		}
		d.held = &heldDatagram{data: append([]byte(nil), buf[:n]...), from: from, envelope: envelopeOf(&m)}
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
