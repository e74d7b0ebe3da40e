// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"dialtone/errno"
	"dialtone/socket"

	"golang.org/x/sys/unix"
)

// errorQueue serves MSG_ERRQUEUE as far as the layer keeps one: the bytes of
// the datagram that failed, and why; EAGAIN when there is none.
func (r *receiving) errorQueue() (int, unix.Errno) {
	if r.h.sock == nil {
		return 0, unix.EAGAIN
	}
	m := socket.Message{Data: make([]byte, total(r.iov, maxDatagram)), Flags: socket.MsgErrQueue}
	n, e := r.h.sock.Recv(r.c.layerCall(), &m)
	if e != errno.OK {
		return 0, unix.Errno(e)
	}
	if d := r.h.datagram; d != nil {
		r.h.takeError(r.dup) // it goes with the entry; the next one's takes its place
		d.down()
	}
	if e := r.c.scatter(r.iov, m.Data[:n]); e != 0 {
		return 0, e
	}
	return n, r.tell(m.From.Append(nil), append(m.Control, errorMessage(r.h.sock.Family, m.Extended)), m.Out)
}

// translate turns an error of T into that of the socket it stands for.
func (h *hosted) translate(e unix.Errno) unix.Errno {
	if e != unix.ECONNRESET {
		return e
	}
	if h.err != 0 {
		e, h.err = h.err, 0
	}
	return e
}

// takeError returns the pending error that the bytes' way has met, unless a
// native call has told it already, and clears it and T's.
func (h *hosted) takeError(dup int) unix.Errno {
	if h.err == 0 {
		return 0
	}
	e := h.err
	h.err = 0
	shown := h.datagram == nil || h.datagram.s >= 0
	if takeNativeError(dup) == 0 && shown {
		return 0
	}
	return e
}
