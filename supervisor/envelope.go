// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"encoding/binary"

	"dialtone/sockaddr"
	"dialtone/socket"

	"golang.org/x/sys/unix"
)

// T keeps the bytes of a datagram and, if it is not connected, the name of the
// native socket that they came from. What else the layer knows of a datagram
// under access control travels beside it, as a descriptor (SCM_RIGHTS) of a
// memory file: the SIDs of its sender and of itself and, of AF_UNIX, the
// sender's address. Who reads T natively does not see it.

// sidsOfEnvelope is the length of the SIDs, which come first; the address, a
// sockaddr, follows.
const sidsOfEnvelope = 8

// envelopeOf describes what was received; "" if there is nothing to say.
func envelopeOf(m *socket.Message) string {
	onUnix := m.From.Family == sockaddr.Unix
	if m.Sender == 0 && m.SID == 0 && !onUnix {
		return ""
	}
	b := binary.LittleEndian.AppendUint32(nil, m.Sender)
	b = binary.LittleEndian.AppendUint32(b, m.SID)
	if onUnix {
		b = m.From.Append(b)
	}
	return string(b)
}

// envelopes are memory files by what they hold: a cache, for many datagrams
// have the same. The supervisor's lock guards it.
type envelopes struct{ fds map[string]int }

const maxEnvelopes = 256

// rights returns the control message that carries an envelope; nil for "".
func (es *envelopes) rights(text string) ([]byte, unix.Errno) {
	if text == "" {
		return nil, 0
	}
	fd, ok := es.fds[text]
	if !ok {
		if len(es.fds) >= maxEnvelopes {
			es.close()
		}
		var e unix.Errno
		if fd, e = sealedFile("envelope", unix.O_RDONLY, text); e != 0 {
			return nil, e
		}
		if es.fds == nil {
			es.fds = map[string]int{}
		}
		es.fds[text] = fd
	}
	return unix.UnixRights(fd), 0
}

func (es *envelopes) close() {
	for _, fd := range es.fds {
		unix.Close(fd) // those under way keep the file
	}
	clear(es.fds)
}

// openEnvelope reads what came beside a datagram: zeroes if nothing did.
func openEnvelope(control []byte) (sids [2]uint32, from []byte) {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return sids, nil
	}
	for _, m := range messages {
		fds, err := unix.ParseUnixRights(&m)
		if err != nil {
			continue
		}
		for _, fd := range fds {
			var b [sidsOfEnvelope + unix.SizeofSockaddrUnix]byte
			if n, err := unix.Pread(fd, b[:], 0); err == nil && n >= sidsOfEnvelope {
				sids, from = [2]uint32{le32(b[0:]), le32(b[4:])}, b[sidsOfEnvelope:n]
			}
			unix.Close(fd)
		}
	}
	return sids, from
}
