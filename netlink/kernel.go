// SPDX-License-Identifier: Apache-2.0

package netlink

import (
	"encoding/binary"

	"dialtone/errno"
)

// Messages (netlink(7)): struct nlmsghdr has the length of the whole message, its type, flags, a sequence number and the
// sender's port.
const (
	lenHeader = 16

	typeError = 2    // NLMSG_ERROR
	minType   = 0x10 // NLMSG_MIN_TYPE: those below it are for control

	flagRequest = 1     // NLM_F_REQUEST
	flagAck     = 4     // NLM_F_ACK
	flagCapped  = 0x100 // NLM_F_CAPPED: of the request an answer has the header alone
)

// ask puts the messages in b to the kernel (netlink_rcv_skb): it acknowledges each that asks for it, and says of each
// request that it does not know it (rtnetlink_rcv_msg).
func (e *endpoint) ask(b []byte) {
	for len(b) >= lenHeader {
		length := uint64(binary.LittleEndian.Uint32(b))
		if length < lenHeader || length > uint64(len(b)) {
			return
		}
		message := b[:length]
		typ, flags := binary.LittleEndian.Uint16(b[4:]), binary.LittleEndian.Uint16(b[6:])
		err := errno.OK
		if flags&flagRequest != 0 && typ >= minType && length > lenHeader {
			err = errno.EOPNOTSUPP
		}
		if err != errno.OK || flags&flagAck != 0 {
			e.answer(message, err)
		}
		b = b[min((length+3)&^3, uint64(len(b))):] // NLMSG_ALIGN
	}
}

// answer sends NLMSG_ERROR about a message; without an error it is an acknowledgement. It gets lost where there is no room.
func (e *endpoint) answer(message []byte, err errno.Errno) {
	flags := uint16(0)
	if err == errno.OK {
		message, flags = message[:lenHeader], flagCapped
	}
	b := binary.LittleEndian.AppendUint32(nil, uint32(lenHeader+4+len(message)))
	b = binary.LittleEndian.AppendUint16(b, typeError)
	b = binary.LittleEndian.AppendUint16(b, flags)
	b = append(b, message[8:12]...) // the sequence number
	b = binary.LittleEndian.AppendUint32(b, e.port)
	b = binary.LittleEndian.AppendUint32(b, uint32(-int32(err)))
	e.push(datagram{data: append(b, message...)})
}
