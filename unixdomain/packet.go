// SPDX-License-Identifier: Apache-2.0

package unixdomain

import (
	"cmp"
	"math/bits"

	"dialtone/errno"
	"dialtone/socket"
)

// packet is what one send put into a queue: on a stream a piece of it, else a record.
type packet struct {
	next   *packet // in the queue
	data   []byte
	read   int // bytes of data that a stream's reader has had
	from   *endpoint
	weight int // what it counts at the sender's SO_SNDBUF
	rights []any
	cred   socket.Credentials
	// SIDs: of the socket it is from when it was sent, and the message's own.
	sender, message uint32
}

// nobody are the credentials of a packet that was sent before anybody asked for them (SO_PASSCRED): no process, and the
// overflow IDs of user_namespaces(7).
var nobody = socket.Credentials{UID: 65534, GID: 65534}

// maxRights is how many descriptors one message carries (unix(7), SCM_MAX_FD).
const maxRights = 253

// control checks a message's control data (scm_send): credentials must be the caller's own, but for who may pretend
// others; ESRCH, for a process that does not exist, is not known here.
func (e *endpoint) control(c *socket.Call, m *socket.Message) errno.Errno {
	if len(m.Rights) > maxRights {
		return errno.EINVAL
	}
	cred, who := m.Credentials, c.Caller
	if cred == nil || who == nil {
		return errno.OK
	}
	if cred.PID != who.PID && !who.May(socket.SysAdmin) ||
		cred.UID != who.UID && !who.May(socket.SetUID) ||
		cred.GID != who.GID && !who.May(socket.SetGID) {
		return errno.EPERM
	}
	return errno.OK
}

// stamp returns the credentials that a packet from e to other bears: those sent along, or the caller's if either end wants
// them, or if nobody can tell yet because the other end waits to be accepted (unix_maybe_add_creds).
func (e *endpoint) stamp(c *socket.Call, m *socket.Message, other *endpoint) socket.Credentials {
	switch {
	case m.Credentials != nil:
		return *m.Credentials
	case e.sock.Options().PassCred, other.sock == nil, other.sock.Options().PassCred:
		return credentialsOf(c)
	}
	return nobody
}

// deliver puts a copy of data into other's queue.
func (e *endpoint) deliver(c *socket.Call, m *socket.Message, other *endpoint, data []byte, rights []any, weight int) {
	e.unread += weight
	p := newPacket(len(data))
	copy(p.data, data)
	p.from, p.weight, p.rights, p.cred = e, weight, rights, e.stamp(c, m, other)
	if p.sender = e.sock.Label.SID; p.sender != 0 {
		p.message = cmp.Or(m.SID, p.sender)
	}
	other.queue.add(p)
}

// unread returns the data that nobody has read.
func (p *packet) unread() []byte { return p.data[p.read:] }

// consumed gives the sender its room back, and ends the packet, which has left its queue.
func (p *packet) consumed() {
	from := p.from
	from.unread -= p.weight
	p.free()
	if !from.dead && 4*from.unread <= from.sock.SendBuffer() {
		from.wake(socket.Out)
	}
}

// release throws the packet away unread.
func (p *packet) release(c *socket.Call) {
	rights := p.rights
	p.consumed()
	for _, r := range rights {
		if r, ok := r.(socket.Right); ok {
			r.ReleaseRight(c)
		}
	}
}

// peekRights returns the rights of a packet that stays in the queue.
func (p *packet) peekRights() []any {
	for _, r := range p.rights {
		if r, ok := r.(socket.Right); ok {
			r.HoldRight()
		}
	}
	return p.rights
}

// told fills in what recv says of a packet's sender: its name, if it has one by now, and its credentials if e asks for
// them.
func (e *endpoint) told(m *socket.Message, p *packet) {
	if p.from.named() {
		m.From = p.from.Name()
	}
	m.Sender, m.SID = p.sender, p.message
	if e.sock.Options().PassCred {
		cred := p.cred
		m.Credentials = &cred
	}
}

// sendRoom says whether e has room in SO_SNDBUF to send anything at all (sock_alloc_send_pskb): a pending error comes
// first, then the shut half.
func (e *endpoint) sendRoom() errno.Errno {
	if err := e.sock.TakeError(); err != errno.OK {
		return err
	}
	switch {
	case e.shutWrite:
		return errno.EPIPE
	case e.unread >= e.sock.SendBuffer():
		return errno.EAGAIN
	}
	return errno.OK
}

// What Linux counts for a packet on x86-64, in bytes: as many sends must fit into SO_SNDBUF here as there. Counted by
// experiment on 6.18 (TestSendBufferHoldsAsMuchAsLinux).
const (
	packetHead = 256  // struct sk_buff
	packetTail = 320  // struct skb_shared_info
	page       = 4096 // what doesn't fit beside the head comes in pages
	streamHead = page - packetTail
	recordHead = 4*page - packetTail
	streamMost = 8*page + streamHead // one packet of a stream
)

// weigh returns what n bytes count of which at most head come in one piece (skb->truesize).
func weigh(n, head int) int {
	paged := 0
	if n > head {
		paged = min(n, roundUp(n-head, page))
	}
	// kmalloc rounds up to powers of two.
	piece := 1 << bits.Len(uint(roundUp(n-paged, 64)+packetTail-1))
	return packetHead + piece + roundUp(paged, page)
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }
