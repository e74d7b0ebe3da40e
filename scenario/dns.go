// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"net"

	"github.com/miekg/dns"
)

// reply returns the bytes that answer a query, at most size of them unless it is 0; nil if there is no answering it.
func (z *zone) reply(query []byte, size int) []byte {
	q := new(dns.Msg)
	unpacked := q.Unpack(query)
	var r *dns.Msg
	switch {
	case len(query) < 12 || q.Response:
		return nil // not even a header, or an answer: two servers could go on forever
	case unpacked != nil || len(q.Question) != 1:
		r = &dns.Msg{MsgHdr: dns.MsgHdr{Id: q.Id, Response: true, Opcode: q.Opcode, Rcode: dns.RcodeFormatError}}
	default:
		if r = z.answer(q); r == nil {
			return nil
		}
	}
	if size > 0 {
		if options := q.IsEdns0(); options != nil {
			size = max(size, int(options.UDPSize())) // RFC 6891, 6.2.3
		}
		r.Truncate(size) // sets TC: the client asks again over TCP
	}
	b, err := r.Pack()
	if err != nil {
		return nil // what was understood always packs, but for names made too long by escapes: the client will time out
	}
	return b
}

// answerTCP answers questions on c until the client closes it, each behind its length in two bytes (RFC 1035, 4.2.2).
func (z *zone) answerTCP(c net.Conn) {
	framed := &dns.Conn{Conn: c}
	for {
		query, err := framed.ReadMsgHeader(nil)
		if err != nil {
			return
		}
		reply := z.reply(query, 0)
		if reply == nil {
			continue // the client waits, as it does by UDP
		}
		if _, err := framed.Write(reply); err != nil {
			return
		}
	}
}

// answerUDP answers one question.
func (z *zone) answerUDP(query []byte) []byte { return z.reply(query, dns.MinMsgSize) }
