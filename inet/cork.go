// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// corked is a datagram that is not complete: it grows by each send, until one is made without MSG_MORE, or UDP_CORK is taken
// off (udp(7)). Where it goes and how the first one has said.
type corked struct {
	to   sockaddr.Addr
	way  path
	own  *ownOptions
	data []byte
}

// corks reports whether m leaves a datagram incomplete.
func (d *datagram) corks(m *socket.Message) bool { return d.opts.cork || m.Flags&socket.MsgMore != 0 }

// appendCorked adds m to the datagram that is not complete, and sends that if it is now. What can't be added ends it; but of
// another version of IP it is only refused.
func (d *datagram) appendCorked(call *socket.Call, m *socket.Message) (int, errno.Errno) {
	c := d.pending
	if is6 := !c.to.IP.Is4(); is6 && m.To != nil {
		if to, e := d.target(m.To); e == errno.OK && to.IP.Is4() {
			return 0, errno.EINVAL
		}
	}
	e := d.stopped()
	if e == errno.OK && headerLen(c.to.IP)+udpHeader+len(c.data)+len(m.Data) > d.opts.longest(c.to.IP, c.way.out, c.own) {
		e = d.tooLong(c.to, c.way.out, c.own)
	}
	if e != errno.OK {
		d.pending = nil
		return 0, e
	}
	if c.data = append(c.data, m.Data...); d.corks(m) {
		return len(m.Data), errno.OK
	}
	d.pending = nil
	return d.dispatch(call, m, c.data, &c.to, &c.way, c.own)
}

// uncork sends the datagram that is not complete, if there is one: UDP_CORK was taken off. Nobody is told of an error.
func (d *datagram) uncork(call *socket.Call) {
	if c := d.pending; c != nil && !d.opts.cork {
		d.pending = nil
		_, _ = d.dispatch(call, &socket.Message{}, c.data, &c.to, &c.way, c.own)
	}
}
