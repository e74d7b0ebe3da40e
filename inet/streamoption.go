// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"bytes"
	"encoding/binary"
	"math"
	"net/netip"
	"time"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/tcp"
)

// Options of level TCP, in Linux's numbers (tcp(7)).
const (
	tcpNoDelay     = 1
	tcpMaxSeg      = 2
	tcpCork        = 3
	tcpKeepIdle    = 4
	tcpKeepIntvl   = 5
	tcpKeepCnt     = 6
	tcpSynCnt      = 7
	tcpLinger2     = 8
	tcpDeferAccept = 9
	tcpWindowClamp = 10
	tcpInfo        = 11
	tcpQuickAck    = 12
	tcpCongestion  = 13
	tcpMD5Sig      = 14
	tcpUserTimeout = 18
	tcpFastOpen    = 23

	tcpNotSentLowat    = 25
	tcpFastOpenConnect = 30
)

// streamOptions are the options of a TCP socket below SOL_SOCKET, but for TCP_NODELAY. Sockets whose options are the same
// share them: a listener and its connections, and all that have set none. So they are never written to: see change.
type streamOptions struct {
	ipOptions
	userTimeout time.Duration
	synCount    uint8
	maxSeg      uint16 // TCP_MAXSEG, bytes; 0: as the MTU allows
	deferAccept uint8  // retransmissions of the SYN-ACK that a handshake without data waits for (TCP_DEFER_ACCEPT)
	fastConnect bool   // TCP_FASTOPEN_CONNECT
	fastQueue   int32  // TCP_FASTOPEN: how many connections that were opened fast may wait for the third segment
	keys        []signingKey
}

// plainOptions are those of a socket that has set none.
var plainOptions streamOptions

// change returns options to write to, which are c's alone.
func (c *stream) change() *streamOptions {
	o := *c.opts
	c.opts = &o
	return c.opts
}

// apply hands the options to a connection that is about to begin, with those of its socket, or of its listener's.
func (c *stream) apply(from *socket.Socket) {
	c.conn.SetNoDelay(c.noDelay)
	if c.opts.synCount > 0 {
		c.conn.SetSynRetries(c.opts.synCount)
	}
	if c.opts.userTimeout > 0 {
		c.conn.SetUserTimeout(c.opts.userTimeout)
	}
	if from.Options().KeepAlive {
		c.conn.SetKeepAlive(c.now(), c.keepTimes())
	}
	if c.opts.stored != nil {
		for _, name := range []int{tcpCork, tcpLinger2, tcpWindowClamp} {
			if c.opts.kept(storedKey{solTCP, name}) != 0 {
				c.count(name)
			}
		}
	}
	if low := c.notSentLow(); low != math.MaxUint32 {
		c.conn.SetUnsentLow(low)
	}
	c.setBuffers(from)
}

// count makes an option that is kept count for the connection.
func (c *stream) count(name int) {
	n := c.opts.kept(storedKey{solTCP, name})
	switch name {
	case tcpCork:
		c.conn.SetCork(n != 0)
	case tcpLinger2:
		c.conn.SetLinger2(time.Duration(n) * time.Second)
	case tcpWindowClamp:
		c.conn.SetWindowClamp(uint32(n))
	case tcpNotSentLowat:
		c.conn.SetUnsentLow(c.notSentLow())
	}
}

// notSentLow returns TCP_NOTSENT_LOWAT, the host's where it was not set.
func (c *stream) notSentLow() uint32 {
	if n := c.opts.stored[storedKey{solTCP, tcpNotSentLowat}]; n != 0 { // 0 at first, so that none is stored
		return uint32(n)
	}
	return c.stack.Sysctl.TCPNotSentLowat
}

func (c *stream) setBuffers(from *socket.Socket) {
	if n := from.Options().SendBuffer; n > 0 {
		c.conn.SetSndBuf(uint32(n))
	}
	if n := from.Options().ReceiveBuffer; n > 0 {
		c.conn.SetRcvBuf(uint32(n))
	}
}

// SetBuffers implements [socket.Buffered].
func (c *stream) SetBuffers() { c.setBuffers(c.sock) }

// Option implements [socket.Endpoint].
func (c *stream) Option(_ *socket.Call, level, name int) ([]byte, errno.Errno) {
	o := c.opts
	switch (storedKey{level, name}) {
	case storedKey{socket.SolSocket, socket.SoSndBuf}: // it was not set, and grows, as the next
		return socket.Int(max(int(c.conn.SndBuf()), c.stack.Sysctl.TCPWmem.Default)), errno.OK
	case storedKey{socket.SolSocket, socket.SoRcvBuf}:
		return socket.Int(max(int(c.conn.RcvBuf()), c.stack.Sysctl.TCPRmem.Default)), errno.OK
	case storedKey{socket.SolSocket, socket.SoBindToIndex}:
		return c.stack.deviceIndex(c.sock), errno.OK
	case storedKey{solTCP, tcpNoDelay}:
		return socket.Bool(c.noDelay), errno.OK
	case storedKey{solTCP, tcpMaxSeg}:
		switch {
		case c.conn.State() == tcp.SynSent:
			return socket.Int(c.synMSS()), errno.OK
		case c.conn.State() != tcp.Closed:
			return socket.Int(int(c.conn.MSS())), errno.OK
		case o.maxSeg != 0:
			return socket.Int(int(o.maxSeg)), errno.OK
		}
		return socket.Int(536), errno.OK // TCP_MSS_DEFAULT
	case storedKey{solTCP, tcpSynCnt}:
		if o.synCount == 0 {
			return socket.Int(c.stack.Sysctl.TCPSynRetries), errno.OK
		}
		return socket.Int(int(o.synCount)), errno.OK
	case storedKey{solTCP, tcpUserTimeout}:
		return socket.Int(int(o.userTimeout.Milliseconds())), errno.OK
	case storedKey{solTCP, tcpKeepIdle}:
		return socket.Int(int(c.keepTimes().Idle / time.Second)), errno.OK
	case storedKey{solTCP, tcpKeepIntvl}:
		return socket.Int(int(c.keepTimes().Interval / time.Second)), errno.OK
	case storedKey{solTCP, tcpKeepCnt}:
		return socket.Int(int(c.keepTimes().Probes)), errno.OK
	case storedKey{solTCP, tcpInfo}:
		return c.info(), errno.OK
	case storedKey{solTCP, tcpQuickAck}:
		return socket.Bool(c.conn.QuickAck()), errno.OK
	case storedKey{solTCP, tcpLinger2}:
		n := o.kept(storedKey{level, name})
		if n == 0 {
			n = int(c.stack.Sysctl.TCPFinTimeout / time.Second)
		}
		return socket.Int(n), errno.OK
	case storedKey{solTCP, tcpCongestion}:
		return append([]byte("reno"), make([]byte, 12)...), errno.OK
	case storedKey{solTCP, tcpFastOpen}:
		return socket.Int(int(o.fastQueue)), errno.OK
	case storedKey{solTCP, tcpFastOpenConnect}:
		return socket.Bool(o.fastConnect), errno.OK
	case storedKey{solTCP, tcpDeferAccept}:
		return socket.Int(int(c.deferTime(o.deferAccept) / time.Second)), errno.OK
	case storedKey{solIPv6, ipv6AddrForm}:
		if c.hold.knows(level) {
			return addrForm(c.family, c.conn.State() == tcp.Established)
		}
	case storedKey{solIP, ipMTU}, storedKey{solIPv6, ipv6MTU}, storedKey{solIPv6, ipv6PathMTU}:
		if c.hold.knows(level) {
			return mtuOption(name, c.remote.Addr(), c.mtu())
		}
	}
	return o.option(c.stack, &c.hold, level, name)
}

// SetOption implements [socket.Endpoint].
func (c *stream) SetOption(call *socket.Call, level, name int, value []byte) errno.Errno {
	if deviceOption(level, name) {
		return c.stack.setDevice(call, c.sock, name, value)
	}
	if level == solTCP && name == tcpCongestion {
		if len(value) == 0 {
			return errno.EINVAL
		}
		if name, _, _ := bytes.Cut(value, []byte{0}); string(name) != "reno" {
			return errno.ENOENT
		}
		return errno.OK
	}
	if unicast := name == ipUnicastIf && level == solIP || name == ipv6UnicastIf && level == solIPv6; unicast && c.hold.knows(level) && len(value) >= 4 {
		if index := binary.BigEndian.Uint32(value); index != 0 && c.stack.interfaceIndexed(index) == nil {
			return errno.EADDRNOTAVAIL // connections ask for no such thing
		}
	}
	changes := level == solIPv6 && name == ipv6AddrForm && c.hold.knows(level)
	if level != solTCP && !changes {
		return c.change().set(call, &c.hold, level, name, value)
	}
	if len(value) < 4 {
		return errno.EINVAL
	}
	if level == solTCP && name == tcpMD5Sig {
		return c.setKey(value)
	}
	n := socket.IntValue(value)
	if level == solTCP && name == tcpNoDelay {
		c.noDelay = n != 0
		c.conn.SetNoDelay(c.noDelay)
		c.pump()
		return errno.OK
	}
	o := c.change()
	switch (storedKey{level, name}) {
	case storedKey{solTCP, tcpSynCnt}:
		if n < 1 || n > 127 {
			return errno.EINVAL
		}
		o.synCount = uint8(n)
		c.conn.SetSynRetries(o.synCount)
	case storedKey{solTCP, tcpUserTimeout}:
		if n < 0 {
			return errno.EINVAL
		}
		o.userTimeout = time.Duration(n) * time.Millisecond
		c.conn.SetUserTimeout(o.userTimeout)
	case storedKey{solTCP, tcpKeepIdle}, storedKey{solTCP, tcpKeepIntvl}, storedKey{solTCP, tcpKeepCnt}:
		return c.setKeep(name, n)
	case storedKey{solTCP, tcpMaxSeg}:
		if n != 0 && (n < 88 || n > 32767) {
			return errno.EINVAL // TCP_MIN_MSS, MAX_TCP_WINDOW
		}
		o.maxSeg = uint16(n) // for connections to come
	case storedKey{solTCP, tcpFastOpen}:
		if n < 0 {
			return errno.EINVAL
		}
		o.fastQueue = int32(min(n, c.stack.core.Somaxconn))
	case storedKey{solTCP, tcpFastOpenConnect}:
		return c.setFastConnect(n)
	case storedKey{solTCP, tcpDeferAccept}:
		o.deferAccept = c.deferFor(n)
	case storedKey{solIPv6, ipv6AddrForm}:
		return c.becomeIPv4(n)
	case storedKey{solTCP, tcpQuickAck}:
		c.conn.SetQuickAck(n)
		c.pump()
	case storedKey{solTCP, tcpWindowClamp}:
		if n == 0 && c.state() != tcp.Closed {
			return errno.EINVAL
		}
		fallthrough
	default:
		if e := o.set(call, &c.hold, level, name, value); e != errno.OK {
			return e
		}
		c.count(name)
		c.pump()
	}
	return errno.OK
}

// deferTime returns how long n retransmissions of a SYN-ACK take (retrans_to_secs).
func (c *stream) deferTime(n uint8) (d time.Duration) {
	facts := &c.stack.core.Personality.TCP
	wait := facts.InitialRTO
	for range n {
		d += wait
		wait = min(2*wait, facts.MaxRTO)
	}
	return d
}

// deferFor returns how many retransmissions of a SYN-ACK take so many seconds at least; more than 255 there are not
// (secs_to_retrans).
func (c *stream) deferFor(seconds int) (n uint8) {
	for n < math.MaxUint8 && c.deferTime(n) < time.Duration(seconds)*time.Second {
		n++
	}
	return n
}

// linger2 returns what TCP_LINGER2 is once it is set: -1 for no time at all, two minutes at most (TCP_FIN_TIMEOUT_MAX), and with 0
// the host's.
func linger2(seconds int) int { return min(max(seconds, -1), 120) }

// minReceiveWindow is the least that TCP_WINDOW_CLAMP can be set to, in bytes (SOCK_MIN_RCVBUF / 2).
const minReceiveWindow = 1152

// becomeIPv4 is IPV6_ADDRFORM: a connected AF_INET6 socket with an IPv4-mapped peer becomes one of AF_INET (ipv6(7)).
func (c *stream) becomeIPv4(family int) errno.Errno {
	return becomeIPv4(c.sock, &c.family, family, c.conn.State() == tcp.Established, c.remote)
}

func becomeIPv4(s *socket.Socket, family *sockaddr.Family, wanted int, connected bool, remote netip.AddrPort) errno.Errno {
	switch {
	case *family != sockaddr.Inet6:
		return errno.ENOPROTOOPT
	case wanted != int(sockaddr.Inet):
		return errno.EINVAL
	case !connected:
		return errno.ENOTCONN
	case !remote.Addr().Is4():
		return errno.EADDRNOTAVAIL
	}
	*family, s.Family = sockaddr.Inet, sockaddr.Inet
	return errno.OK
}

// addrForm reads IPV6_ADDRFORM: the family, of a connected socket.
func addrForm(family sockaddr.Family, connected bool) ([]byte, errno.Errno) {
	if !connected {
		return nil, errno.ENOTCONN
	}
	return socket.Int(int(family)), errno.OK
}
