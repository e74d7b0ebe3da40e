// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"encoding/binary"
	"time"

	"dialtone/errno"
	"dialtone/socket"
	"dialtone/tcp"
)

// Levels and options, in Linux's numbers (tcp(7), ip(7), ipv6(7)).
const (
	solIP   = 0
	solTCP  = 6
	solUDP  = 17
	solIPv6 = 41

	ipTOS               = 1
	ipTTL               = 2
	ipRecvErr           = 11
	ipBindAddressNoPort = 24
	ipMulticastIf       = 32
	ipMulticastTTL      = 33
	ipMulticastLoop     = 34

	ipv6V6Only      = 26
	ipv6RecvErr     = 25
	ipv6UnicastHops = 16
	ipv6TClass      = 67

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
	tcpUserTimeout = 18
)

// streamOptions are the options of a TCP socket below SOL_SOCKET. Those marked stored read back and do nothing yet:
// keep-alive probes, corking, and deferred accepts do not exist here.
type streamOptions struct {
	noDelay     bool
	bindNoPort  bool
	recvErr     bool
	tos, ttl    uint8
	synCount    uint8
	userTimeout time.Duration
	stored      map[storedKey]int
}

type storedKey struct{ level, name int }

// storedDefaults are the options that are stored, with what they read before they are set (tcp(7), ip-sysctl.rst).
var storedDefaults = map[storedKey]int{
	{solTCP, tcpCork}: 0, {solTCP, tcpQuickAck}: 1, {solTCP, tcpDeferAccept}: 0, {solTCP, tcpLinger2}: 60,
	{solTCP, tcpKeepIdle}: 7200, {solTCP, tcpKeepIntvl}: 75, {solTCP, tcpKeepCnt}: 9, {solTCP, tcpWindowClamp}: 0,
	{solIP, ipMulticastTTL}: 1, {solIP, ipMulticastLoop}: 1,
}

// apply hands the options to a connection that is about to begin.
func (c *stream) apply() {
	c.conn.SetNoDelay(c.opts.noDelay)
	if c.opts.synCount > 0 {
		c.conn.SetSynRetries(c.opts.synCount)
	}
	if c.opts.userTimeout > 0 {
		c.conn.SetUserTimeout(c.opts.userTimeout)
	}
	if c.sock != nil {
		c.conn.SetSndBuf(uint32(c.sock.SendBuffer()))
		c.conn.SetRcvBuf(uint32(c.sock.ReceiveBuffer()))
	}
}

// Option implements [socket.Endpoint].
func (c *stream) Option(_ *socket.Call, level, name int) ([]byte, errno.Errno) {
	o := &c.opts
	switch (storedKey{level, name}) {
	case storedKey{solTCP, tcpNoDelay}:
		return socket.Bool(o.noDelay), errno.OK
	case storedKey{solTCP, tcpMaxSeg}:
		if c.conn.State() == tcp.Closed {
			return socket.Int(536), errno.OK
		}
		return socket.Int(int(c.conn.MSS())), errno.OK
	case storedKey{solTCP, tcpSynCnt}:
		if o.synCount == 0 {
			return socket.Int(c.stack.Sysctl.TCPSynRetries), errno.OK
		}
		return socket.Int(int(o.synCount)), errno.OK
	case storedKey{solTCP, tcpUserTimeout}:
		return socket.Int(int(o.userTimeout.Milliseconds())), errno.OK
	case storedKey{solTCP, tcpInfo}:
		return c.info(), errno.OK
	case storedKey{solTCP, tcpCongestion}:
		return append([]byte("reno"), make([]byte, 12)...), errno.OK
	case storedKey{solIP, ipBindAddressNoPort}:
		return socket.Bool(o.bindNoPort), errno.OK
	}
	if b, ok := c.hold.option(level, name); ok {
		return b, errno.OK
	}
	return o.ip(level, name)
}

// SetOption implements [socket.Endpoint].
func (c *stream) SetOption(_ *socket.Call, level, name int, value []byte) errno.Errno {
	if level == socket.SolSocket && name == socket.SoBindToDevice {
		return c.stack.deviceExists(value)
	}
	if level == solTCP && name == tcpCongestion {
		if string(trimNul(value)) != "reno" {
			return errno.ENOENT
		}
		return errno.OK
	}
	if len(value) < 4 {
		return errno.EINVAL
	}
	n, o := socket.IntValue(value), &c.opts
	switch (storedKey{level, name}) {
	case storedKey{solTCP, tcpNoDelay}:
		o.noDelay = n != 0
		c.conn.SetNoDelay(o.noDelay)
		c.pump()
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
	case storedKey{solTCP, tcpMaxSeg}:
		if n < 88 || n > 32767 {
			return errno.EINVAL // TCP_MIN_MSS, MAX_TCP_WINDOW
		}
		c.conn.SetMSS(uint16(n))
	case storedKey{solIP, ipBindAddressNoPort}:
		o.bindNoPort = n != 0
	case storedKey{solIPv6, ipv6V6Only}:
		if c.hold.port != 0 {
			return errno.EINVAL // ipv6(7): only before the socket is bound
		}
		c.hold.v6only = n != 0
	default:
		return o.setIP(level, name, n)
	}
	return errno.OK
}

// option returns IPV6_V6ONLY of a holder's socket.
func (h *hold) option(level, name int) ([]byte, bool) {
	if level == solIPv6 && name == ipv6V6Only {
		return socket.Bool(h.v6only), true
	}
	return nil, false
}

// ip reads an option of level IP or IPv6, or a stored one.
func (o *streamOptions) ip(level, name int) ([]byte, errno.Errno) {
	switch (storedKey{level, name}) {
	case storedKey{solIP, ipTOS}, storedKey{solIPv6, ipv6TClass}:
		return socket.Int(int(o.tos)), errno.OK
	case storedKey{solIP, ipTTL}, storedKey{solIPv6, ipv6UnicastHops}:
		if o.ttl == 0 {
			return socket.Int(64), errno.OK
		}
		return socket.Int(int(o.ttl)), errno.OK
	case storedKey{solIP, ipRecvErr}, storedKey{solIPv6, ipv6RecvErr}:
		return socket.Bool(o.recvErr), errno.OK
	}
	key := storedKey{level, name}
	if n, ok := o.stored[key]; ok {
		return socket.Int(n), errno.OK
	}
	if n, ok := storedDefaults[key]; ok {
		return socket.Int(n), errno.OK
	}
	return nil, errno.ENOPROTOOPT
}

// setIP sets an option of level IP or IPv6, or stores one.
func (o *streamOptions) setIP(level, name, n int) errno.Errno {
	switch (storedKey{level, name}) {
	case storedKey{solIP, ipTOS}, storedKey{solIPv6, ipv6TClass}:
		o.tos = uint8(max(n, 0))
		return errno.OK
	case storedKey{solIP, ipTTL}, storedKey{solIPv6, ipv6UnicastHops}:
		if n == -1 {
			n = 0
		}
		if n < 0 || n > 255 {
			return errno.EINVAL
		}
		o.ttl = uint8(n)
		return errno.OK
	case storedKey{solIP, ipRecvErr}, storedKey{solIPv6, ipv6RecvErr}:
		o.recvErr = n != 0
		return errno.OK
	}
	key := storedKey{level, name}
	if _, ok := storedDefaults[key]; !ok {
		return errno.ENOPROTOOPT
	}
	if o.stored == nil {
		o.stored = map[storedKey]int{}
	}
	o.stored[key] = n
	return errno.OK
}

func (s *Stack) deviceExists(name []byte) errno.Errno {
	if s.interfaceNamed(string(name)) == nil {
		return errno.ENODEV
	}
	return errno.OK
}

func trimNul(b []byte) []byte {
	for i, c := range b {
		if c == 0 {
			return b[:i]
		}
	}
	return b
}

// linuxStates are the numbers that TCP_INFO has for the states (enum in net/tcp_states.h).
var linuxStates = map[tcp.State]byte{
	tcp.Established: 1, tcp.SynSent: 2, tcp.SynReceived: 3, tcp.FinWait1: 4, tcp.FinWait2: 5, tcp.TimeWait: 6,
	tcp.Closed: 7, tcp.CloseWait: 8, tcp.LastAck: 9, tcp.Closing: 11,
}

const linuxListen = 10

// info returns a struct tcp_info, as far as the first 104 bytes go (linux/tcp.h).
func (c *stream) info() []byte {
	i := c.conn.Info()
	b := make([]byte, 104)
	b[0] = linuxStates[i.State]
	if c.queue != nil {
		b[0] = linuxListen
	}
	b[2] = i.Retransmits
	if i.Timestamps {
		b[5] |= 1
	}
	if i.SACK {
		b[5] |= 2
	}
	if i.WindowScale {
		b[5] |= 4
	}
	b[6] = i.SndScale | i.RcvScale<<4
	put := func(at int, v uint32) { binary.LittleEndian.PutUint32(b[at:], v) }
	put(8, uint32(i.RTO.Microseconds()))
	put(16, uint32(i.MSS))
	put(20, uint32(i.MSS))
	put(68, uint32(i.SRTT.Microseconds()))
	put(72, uint32(i.RTTVar.Microseconds()))
	put(76, i.Ssthresh)
	put(80, i.Cwnd/max(uint32(i.MSS), 1))
	return b
}
