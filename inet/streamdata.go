// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"dialtone/errno"
	"dialtone/personality"
	"dialtone/socket"
	"dialtone/tcp"
)

// Send implements [socket.Endpoint] (tcp_sendmsg). While the handshake runs it answers EAGAIN; an address is ignored.
func (c *stream) Send(_ *socket.Call, m *socket.Message) (int, errno.Errno) {
	if m.Flags&socket.MsgOOB != 0 {
		return 0, errno.EOPNOTSUPP
	}
	switch c.state() {
	case tcp.SynSent, tcp.SynReceived:
		return 0, errno.EAGAIN
	}
	if e := c.sock.TakeError(); e != errno.OK {
		return 0, e
	}
	if c.queue != nil || c.shut&shutSend != 0 || c.conn.WriteClosed() {
		return 0, errno.EPIPE
	}
	if len(m.Data) == 0 {
		return 0, errno.OK
	}
	if c.narrow {
		c.conn.SetMSS(c.findMSS()) // the way may be wider again (tcp_current_mss)
	}
	n := c.conn.Write(m.Data)
	if m.Flags&socket.MsgMore != 0 && n == len(m.Data) {
		c.conn.ExpectMore()
	}
	c.pump()
	c.full = n < len(m.Data)
	if n == 0 {
		return 0, errno.EAGAIN
	}
	return n, errno.OK
}

// Recv implements [socket.Endpoint] (tcp_recvmsg): data first, then the pending error, then the end.
func (c *stream) Recv(_ *socket.Call, m *socket.Message) (int, errno.Errno) {
	if m.Flags&socket.MsgErrQueue != 0 {
		return c.errors.recv(c.sock, m)
	}
	if m.Flags&socket.MsgOOB != 0 {
		return 0, errno.EINVAL // there is never urgent data: tcp(7)
	}
	if c.queue != nil {
		return 0, errno.ENOTCONN
	}
	if c.conn.Buffered() > 0 {
		return c.take(m), errno.OK
	}
	if c.conn.PeerClosed() {
		return 0, errno.OK // an end in order comes before what went wrong after it (SOCK_DONE)
	}
	if e := c.sock.TakeError(); e != errno.OK {
		return 0, e
	}
	switch {
	case c.shut&shutRecv != 0:
		return 0, errno.OK
	case c.state() == tcp.Closed:
		return 0, errno.ENOTCONN
	case len(m.Data) == 0:
		return 0, errno.OK
	}
	return 0, errno.EAGAIN
}

// take moves buffered bytes to m, or copies them with MSG_PEEK, or drops them with MSG_TRUNC (tcp(7)).
func (c *stream) take(m *socket.Message) int {
	if m.Flags&socket.MsgPeek != 0 {
		return c.conn.Peek(m.Data, 0)
	}
	n := 0
	if m.Flags&socket.MsgTrunc != 0 {
		n = c.conn.Discard(len(m.Data))
	} else {
		n = c.conn.Read(m.Data)
	}
	c.pump()
	return n
}

// Ready implements [socket.Endpoint] (tcp_poll).
func (c *stream) Ready() socket.Events {
	var e socket.Events
	if !c.errors.empty() {
		e |= socket.Err
	}
	if c.queue != nil {
		if c.queue.ready.len() > 0 {
			e |= socket.In
		}
		return e
	}
	state := c.state()
	fresh := state == tcp.Closed && c.sock.State() == personality.Fresh
	if fresh && c.shut == 0 && !c.stack.core.Personality.Poll.FreshHangup {
		return e
	}
	if c.shut == shutBoth || state == tcp.Closed {
		e |= socket.Hup
	}
	if c.shut&shutRecv != 0 {
		e |= socket.In | socket.RdHup
	}
	if state == tcp.SynSent || state == tcp.SynReceived {
		if c.deferred {
			e |= socket.Out
		}
		return e
	}
	if c.conn.Buffered() >= c.sock.Options().ReceiveLow() {
		e |= socket.In
	}
	if c.shut&shutSend != 0 || state == tcp.Closed || c.conn.Writable() {
		e |= socket.Out
	} else {
		c.full = true
	}
	return e
}

// Shutdown implements [socket.Endpoint] (inet_shutdown): on a socket that is not connected it is ENOTCONN, and still
// counts for a later connection; it ends an attempt, and stops a listener.
func (c *stream) Shutdown(call *socket.Call, how socket.How) errno.Errno {
	var mask shutdown
	if how.Reads() {
		mask |= shutRecv
	}
	if how.Writes() {
		mask |= shutSend
	}
	e := errno.OK
	switch state := c.state(); {
	case c.queue != nil:
		if !how.Reads() {
			return errno.OK
		}
		c.Disconnect(call)
		c.sock.Dissolved("shutdown stopped the listener")
		c.wakeAll()
		return errno.OK
	case state == tcp.SynSent && c.stack.core.Personality.Stream.ShutdownKills:
		if how.Writes() {
			c.conn.Fail()
			c.ended()
			return errno.OK
		}
	case state == tcp.SynSent:
		c.Disconnect(call)
		c.sock.Dissolved("shutdown ended the attempt")
		c.wakeAll()
		return errno.OK
	case state == tcp.Closed:
		e = errno.ENOTCONN
	}
	c.sock.Settle()
	c.shut |= mask
	c.closeHalves(mask)
	c.wakeAll()
	return e
}

// closeHalves tells the connection what was shut.
func (c *stream) closeHalves(mask shutdown) {
	if c.conn.State() == tcp.Closed {
		return
	}
	if mask&shutSend != 0 {
		c.conn.CloseWrite()
	}
	if mask&shutRecv != 0 {
		c.conn.CloseRead()
	}
	c.pump()
}

func (c *stream) wakeAll() {
	c.sock.Wake(socket.In | socket.Out | socket.Hup | socket.RdHup)
}

// Close implements [socket.Endpoint] (tcp_close). A connection that has something to say yet lives on without its
// socket.
func (c *stream) Close(*socket.Call) {
	if c.queue != nil {
		c.stopListening()
	}
	o := c.sock.Options()
	switch {
	case c.conn.State() == tcp.Closed:
	case o.LingerOn && o.Linger == 0:
		c.conn.Abort()
	default:
		c.conn.Close(c.now())
	}
	c.pump()
	if c.conn.State() == tcp.Closed {
		c.forget()
		c.stack.tcpPorts.drop(&c.hold)
	}
	c.own = kept(c.sock.Label)
	c.sock = nil
}
