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
// native socket that they came from (senders.go, aside.go). What else the layer
// knows of a datagram travels beside it, as a descriptor (SCM_RIGHTS) of a memory file: the control
// messages that the socket asks for, under access control the SIDs of its
// sender and of itself and, of AF_UNIX, the sender's address. Who reads T
// natively does not see it.
type envelope struct {
	sids    [2]uint32
	from    []byte // a sockaddr
	control []socket.ControlMessage
}

// maxEnvelope is above the length of any, bytes.
const maxEnvelope = 1024

// envelopeOf describes what was received; "" if there is nothing to say.
func envelopeOf(m *socket.Message) string {
	onUnix := m.From.Family == sockaddr.Unix
	if m.Sender == 0 && m.SID == 0 && !onUnix && m.Control == nil {
		return ""
	}
	var from []byte
	if onUnix {
		from = m.From.Append(nil)
	}
	b := binary.LittleEndian.AppendUint32(nil, m.Sender)
	b = binary.LittleEndian.AppendUint32(b, m.SID)
	b = append(append(b, byte(len(from))), from...)
	return string(appendControl(b, m.Control))
}

// appendControl appends control messages: their levels and types are below 256,
// and so are the lengths.
func appendControl(b []byte, all []socket.ControlMessage) []byte {
	for _, c := range all {
		b = append(append(b, byte(c.Level), byte(c.Type), byte(len(c.Data))), c.Data...)
	}
	return b
}

// readEnvelope is the inverse of envelopeOf. Whoever knows T's name may have
// sent something else: that says nothing.
func readEnvelope(b []byte) (e envelope) {
	if len(b) < 9 || len(b) < 9+int(b[8]) {
		return envelope{}
	}
	e.sids = [2]uint32{le32(b[0:]), le32(b[4:])}
	e.from, b = b[9:9+int(b[8])], b[9+int(b[8]):]
	for len(b) > 0 {
		if len(b) < 3 || len(b) < 3+int(b[2]) {
			return envelope{}
		}
		data := b[3 : 3+int(b[2])]
		e.control = append(e.control, socket.ControlMessage{Level: int(b[0]), Type: int(b[1]), Data: data})
		b = b[3+len(data):]
	}
	return e
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
func openEnvelope(control []byte) (e envelope) {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return e
	}
	for _, m := range messages {
		fds, err := unix.ParseUnixRights(&m)
		if err != nil {
			continue
		}
		for _, fd := range fds {
			b := make([]byte, maxEnvelope)
			if n, err := unix.Pread(fd, b, 0); err == nil {
				e = readEnvelope(b[:n])
			}
			unix.Close(fd)
		}
	}
	return e
}
