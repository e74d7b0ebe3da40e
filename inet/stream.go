// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"net/netip"
	"time"

	"dialtone/clock"
	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/tcp"
	"dialtone/trail"
	"dialtone/wire"
)

// stream is the endpoint of a TCP socket: a connection, or a listener, or nothing yet. A connection outlives its socket
// until TCP is done with it, and precedes it while it waits to be accepted.
type stream struct {
	stack *Stack
	sock  *socket.Socket // nil: orphaned by close, or not accepted yet
	conn  tcp.Conn
	hold  hold

	// local and remote are the ends; IPv4 is never mapped here. The port of local stays for getsockname when the hold
	// on it is gone.
	local, remote netip.AddrPort
	way           hop // to remote

	next   *stream      // in stack.connections
	parent *stream      // the listener, while this waits to be accepted
	queue  *listener    // of a listener
	timer  *clock.Event // nil: nothing is due
	// began is when connect was called, or the SYN came; of one that waits, when TIME-WAIT began.
	began  time.Duration
	errors *errorQueue    // nil: empty
	opts   *streamOptions // read only

	own    *socket.Label // while there is no socket; nil: the zero label
	scope  uint32        // where the SYN came in, of an accepted connection
	syns   uint32        // SYNs sent, for the trail
	family sockaddr.Family
	final  errno.Errno // the ICMP error that ended the attempt
	shut   shutdown

	known bool // in stack.connections
	// waits: it is in TIME-WAIT. The socket does not see that state: to it the connection is over.
	waits     bool
	offered   bool // counts among its listener's handshakes
	multipath bool // of IPPROTO_MPTCP: see Disconnect
	noDelay   bool // TCP_NODELAY
	deferred  bool // connect was put off (TCP_FASTOPEN_CONNECT)
	fast      bool // the SYN brought bytes (TCP_FASTOPEN)
	cookie    bool // came by a SYN cookie: until it is established the host is to know nothing of it (tcp_syncookies)
	inCall    bool // the call that sent the SYN has not let the lock go yet
	lost      bool // what is sent vanishes: see MappedSticks
	filtered  bool // the host's own firewall dropped what was sent last
	mapped    bool // has had an IPv4-mapped peer
	narrow    bool // the way takes less than its first link, as far as the connection knows
	full      bool // there was no room to write: who waits for it is to be woken (SOCK_NOSPACE)
}

// shutdown is which halves of a connection are over, as poll and recv see it (sk_shutdown).
type shutdown uint8

const (
	shutRecv shutdown = 1 << iota
	shutSend
	shutBoth = shutRecv | shutSend
)

func (s *Stack) newStream(sock *socket.Socket) *stream {
	c := &stream{stack: s, sock: sock, family: sock.Family, multipath: sock.Protocol == protoMPTCP, opts: &plainOptions}
	c.local = netip.AddrPortFrom(wildcard(c.family), 0)
	c.hold.sock = sock
	c.hold.v6only = s.Sysctl.IPv6BindV6Only
	return c
}

// state returns the connection's state as the socket sees it: TIME-WAIT goes on without it, and a deferred connect looks
// as if the SYN had been sent.
func (c *stream) state() tcp.State {
	switch s := c.conn.State(); {
	case c.deferred:
		return tcp.SynSent
	case s == tcp.TimeWait:
		return tcp.Closed
	case s == tcp.SynReceived && c.fast:
		return tcp.Established // bytes came with the SYN, and accept has it, or may
	default:
		return s
	}
}

// hears reports whether what comes by in may be for c (SO_BINDTODEVICE).
func (c *stream) hears(in *Interface, to netip.Addr) bool {
	return c.device() == "" || c.device() == c.stack.arrival(in, to)
}

// now returns the time as package tcp wants it: never 0.
func (c *stream) now() time.Duration { return c.stack.core.NowLocked() + 1 }

// Name implements [socket.Endpoint].
func (c *stream) Name() sockaddr.Addr {
	a := addr(c.family, c.local)
	a.Scope = c.linkScope(a.IP)
	return a
}

func (c *stream) linkScope(ip netip.Addr) uint32 {
	if !ip.Is6() || !ip.IsLinkLocalUnicast() {
		return 0
	}
	if i := c.stack.interfaceNamed(c.device()); i != nil {
		return uint32(i.Index)
	}
	return c.scope
}

// Peer implements [socket.Endpoint].
func (c *stream) Peer() (sockaddr.Addr, errno.Errno) {
	switch c.state() {
	case tcp.Closed, tcp.SynSent:
		return sockaddr.Addr{}, errno.ENOTCONN
	}
	return c.Remote(), errno.OK
}

// Remote implements [socket.Remote].
func (c *stream) Remote() sockaddr.Addr {
	a := addr(c.family, c.remote)
	a.Scope = c.linkScope(a.IP)
	return a
}

// pump sends what the connection has to send, and sees to its next deadline. It is called after everything that may
// have given it something to do.
func (c *stream) pump() {
	for !c.conn.Quiet() {
		p := c.stack.newPacket()
		if !c.conn.Next(c.now(), &p.TCP) {
			c.stack.keep(p)
			break
		}
		p.Proto, p.Src, p.Dst = wire.TCP, c.local.Addr(), c.remote.Addr()
		p.TOS, p.TTL = c.opts.fields(c.stack, p.Dst)
		if c.opts.keys != nil {
			c.sign(p)
		}
		c.transmit(p)
	}
	c.arm()
}

// transmit sends one segment of the connection.
func (c *stream) transmit(p *wire.Packet) {
	t := c.trail()
	if p.TCP.Flags.Has(wire.SYN) && !p.TCP.Flags.Has(wire.ACK) {
		c.syns++
		if t != nil {
			t.Add(c.stack.core.Now(), trail.Sent, "SYN %d to %v", c.syns, c.remote)
		}
		if c.syns > 1 {
			c.reroute()
		}
	}
	if c.way.out == nil || c.lost { // the route is gone
		p.Free()
		return
	}
	if !c.mayLeave(p) {
		p.Free()
		return
	}
	c.filtered = c.stack.output(p, c.way.path(c.remote.Addr()), t) == filtered
}

// reroute looks the way up again before a SYN is sent again. If there is none any more the SYN is lost, and the reason
// noted: it becomes the error when the retries have run out.
func (c *stream) reroute() {
	w, _, e := c.stack.lookUp(c.query(c.remote.Addr(), c.local.Addr()))
	if e != errno.OK && c.sock != nil {
		c.sock.NoteError(e)
	}
	c.way = w.hop()
}

// query asks for the way from an address to another.
func (c *stream) query(to, from netip.Addr) query {
	q := query{to: to, from: from, device: c.device(), foreign: c.opts.transparent}
	q.onLink = c.sock != nil && c.sock.Options().DontRoute && to.Is4()
	return q
}

// device is what the socket is bound to by SO_BINDTODEVICE; what waits to be accepted has its listener's.
func (c *stream) device() string {
	switch {
	case c.sock != nil:
		return c.sock.Options().Device()
	case c.parent != nil:
		return c.parent.device()
	}
	return ""
}

// trail returns the trail of the connect under way, nil if nobody wants it.
func (c *stream) trail() *trail.Trail {
	if c.sock == nil {
		return nil
	}
	return c.sock.Trail()
}

// arm makes the timer due no later than the connection wants. One that is due too early does no harm, so it is moved
// only forward in time.
func (c *stream) arm() {
	at, ok := c.conn.Deadline()
	if c.cookie && c.conn.State() == tcp.SynReceived {
		at = c.began + cookieLife // a SYN-ACK with a cookie is not sent again
	}
	if !ok {
		return
	}
	at-- // see now
	if c.timer == nil {
		c.timer = c.stack.newTimer(c)
	}
	if !c.timer.Set() || at < c.timer.At() {
		c.stack.core.After(c.timer, at)
	}
}

// disarm makes nothing due.
func (c *stream) disarm() {
	if c.timer != nil {
		c.stack.core.Cancel(c.timer)
		c.stack.freeTimer(c.timer)
		c.timer = nil
	}
}

// Due implements [clock.Task]: the connection's timer.
func (c *stream) Due() {
	if c.cookie && c.conn.State() == tcp.SynReceived {
		c.conn.Fail()
		c.ended()
		return
	}
	c.handle(c.conn.Tick(c.now()))
	c.pump()
	if c.timer != nil && !c.timer.Set() {
		c.disarm()
	}
}
