// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"dialtone/errno"
	"dialtone/socket"

	"golang.org/x/sys/unix"
)

// The pump of SOCK_SEQPACKET moves records, each whole: an empty one is a
// record too, and not the end.

// maxRecord is as long as a record gets with the usual SO_SNDBUF, in bytes
// (net.core.wmem_default). One that is longer fails with EMSGSIZE, after the fact.
const maxRecord = 212992

// credentialsSpace is the room for the one control message that S asks for.
var credentialsSpace = unix.CmsgSpace(unix.SizeofUcred)

// ofRecords reports whether the socket carries a connection's bytes in records.
func (h *hosted) ofRecords() bool { return h.sock != nil && h.sock.Type == socket.SeqPacket }

// nativeType is the type of T and S.
func (h *hosted) nativeType() int {
	if h.ofRecords() {
		return unix.SOCK_SEQPACKET
	}
	return unix.SOCK_STREAM
}

// plug connects T to an S of our own. After an error T is of no use any more.
func (h *hosted) plug(dup int) (s int, e unix.Errno) {
	if !h.ofRecords() {
		return h.sup.plugs.plug(dup)
	}
	// There are few of these: no listener is kept for them.
	p, e := newPlugs(unix.SOCK_SEQPACKET, h.sup.prefix+"records")
	if e != 0 {
		return -1, e
	}
	defer p.close()
	return p.plug(dup)
}

// recordBuffer returns the room for one record. The supervisor is locked.
func (s *Supervisor) recordBuffer() []byte {
	if s.record == nil {
		s.record = make([]byte, maxRecord)
	}
	return s.record
}

// recordsUp passes on the records that the target wrote; see moveUp.
func (p *pump) recordsUp() (more bool) {
	buf := p.h.sup.recordBuffer()
	for turn := 0; !p.upEnd; turn++ {
		if p.up != nil && !p.sendRecord(p.up) {
			return false
		}
		p.up = nil
		if p.failure != 0 || turn == pumpTurns {
			return p.failure == 0
		}
		n, end, e := receiveRecord(p.s, buf)
		switch {
		case e == unix.EAGAIN:
			return false
		case e == unix.ECONNRESET: // T was closed with records unread; what it wrote comes after the error
			p.resetLayer()
		case e != 0:
			p.failure = e
		case end:
			p.endUp()
		case !p.sendRecord(buf[:n]):
			p.up = append(make([]byte, 0, n), buf[:n]...) // never nil
		}
	}
	return false
}

// receiveRecord reads one record from S, without waiting. end: there will be no more.
func receiveRecord(s int, buf []byte) (n int, end bool, e unix.Errno) {
	beside := make([]byte, credentialsSpace)
	n, besideN, flags, _, err := unix.Recvmsg(s, buf, beside, unix.MSG_DONTWAIT)
	switch {
	case err != nil:
		return 0, false, errnoOf(err)
	case flags&unix.MSG_TRUNC != 0:
		return 0, false, unix.EMSGSIZE
	}
	return n, besideN == 0, 0 // every record has its sender's credentials (SO_PASSCRED), the end has none
}

// sendRecord gives the layer a record. It reports false if there is no room.
func (p *pump) sendRecord(b []byte) bool {
	_, e := p.h.sock.Send(p.h.dataCall(), &socket.Message{Data: b, Flags: socket.MsgNoSignal})
	switch e {
	case errno.EAGAIN:
		return false
	case errno.OK, errno.EPIPE: // EPIPE: it goes nowhere; what the peer sent may still come
	default:
		p.failure = unix.Errno(e)
	}
	return true
}

// recordsDown passes on the records that the peer sent; see moveDown.
func (p *pump) recordsDown() (more bool, _ unix.Errno) {
	buf := p.h.sup.recordBuffer()
	for turn := 0; !p.downEnd; turn++ {
		if p.down != nil && !p.deliverRecord(p.down) {
			return false, 0
		}
		p.down = nil
		if turn == pumpTurns {
			return true, 0
		}
		m := socket.Message{Data: buf, Size: -1}
		n, e := p.h.receive(&m)
		switch {
		case e == errno.EAGAIN:
			return false, 0
		case e == errno.ECONNRESET: // what the peer wrote comes after the error
			p.broken = unix.Errno(e)
		case e != errno.OK:
			return false, unix.Errno(e)
		case m.Size < 0 && p.broken != 0:
			return false, p.broken
		case m.Size < 0: // no record
			p.downEnd = true
			_ = unix.Shutdown(p.s, unix.SHUT_WR) // ENOTCONN: T is gone, recordsUp sees it
		case !p.discard && !p.deliverRecord(buf[:n]):
			p.down = append(make([]byte, 0, n), buf[:n]...) // never nil
		}
	}
	return false, 0
}

// deliverRecord gives the target a record. It reports false if T has no room.
func (p *pump) deliverRecord(b []byte) bool {
	_, err := unix.SendmsgN(p.s, b, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	if err == unix.EAGAIN {
		p.setFull(true)
		return false
	}
	p.discard = err != nil // EPIPE: T does not read any more
	p.setFull(false)
	return true
}
