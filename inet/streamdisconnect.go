// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"net/netip"

	"dialtone/errno"
	"dialtone/socket"
	"dialtone/tcp"
)

// Disconnect implements [socket.Endpoint] (tcp_disconnect): the connection ends, with a reset where the peer knows of
// it, and the socket's next error is ECONNRESET where there was anything to end. What bind fixed stays. Of Multipath TCP
// it is a subflow that ends: the socket above keeps its name, and has no error (mptcp_disconnect).
func (c *stream) Disconnect(*socket.Call) errno.Errno {
	active := c.queue != nil || c.deferred || c.conn.State() != tcp.Closed
	if c.queue != nil {
		c.stopListening()
	} else {
		switch c.conn.State() {
		case tcp.TimeWait:
			c.leaveTimeWait()
		case tcp.Closed, tcp.LastAck, tcp.Closing:
			if c.deferred {
				c.sock.SetError(errno.ECONNRESET)
			}
		default:
			c.sock.SetError(errno.ECONNRESET)
		}
	}
	c.deferred = false
	c.conn.Abort()
	c.pump()
	c.forget()
	c.conn = tcp.Conn{}
	c.shut = 0
	c.remote, c.way = netip.AddrPort{}, hop{}
	if active && !c.hold.number { // tcp_set_state lets go of it; who is closed already keeps what bind gave
		c.stack.tcpPorts.drop(&c.hold)
	}
	if c.multipath {
		c.sock.TakeError()
	} else if !c.hold.address {
		c.local = netip.AddrPortFrom(wildcard(c.family), c.local.Port())
	}
	return errno.OK
}

// leaveTimeWait lets TIME-WAIT go on without the socket, which is free for a new connection.
func (c *stream) leaveTimeWait() {
	s := c.stack
	c.forget()
	rest := &stream{stack: s, family: c.family, local: c.local, remote: c.remote, way: c.way, conn: c.conn, opts: c.opts}
	rest.waits, rest.began, rest.own = true, c.began, kept(*c.label())
	c.conn, c.waits = tcp.Conn{}, false
	rest.hold = hold{sock: c.sock, addr: c.hold.addr, v6only: c.hold.v6only, uid: c.hold.uid, implicit: c.hold.implicit}
	s.tcpPorts.take(&rest.hold, c.hold.port)
	rest.enter()
	rest.arm()
}
