// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"time"

	"dialtone/errno"
	"dialtone/tcp"
)

// keepTimes returns TCP_KEEPIDLE, TCP_KEEPINTVL and TCP_KEEPCNT, which where they are not set are the host's.
func (c *stream) keepTimes() tcp.KeepAlive {
	y := &c.stack.Sysctl
	k := tcp.KeepAlive{Idle: y.TCPKeepAliveTime, Interval: y.TCPKeepAliveIntvl, Probes: uint8(y.TCPKeepAliveProbes)}
	if n, ok := c.opts.stored[storedKey{solTCP, tcpKeepIdle}]; ok {
		k.Idle = time.Duration(n) * time.Second
	}
	if n, ok := c.opts.stored[storedKey{solTCP, tcpKeepIntvl}]; ok {
		k.Interval = time.Duration(n) * time.Second
	}
	if n, ok := c.opts.stored[storedKey{solTCP, tcpKeepCnt}]; ok {
		k.Probes = uint8(n)
	}
	return k
}

// KeepAlive implements [socket.KeepAlive]: SO_KEEPALIVE was switched.
func (c *stream) KeepAlive(on bool) {
	var k tcp.KeepAlive
	if on {
		k = c.keepTimes()
	}
	c.conn.SetKeepAlive(c.now(), k)
	c.arm()
}

// setKeep sets TCP_KEEPIDLE, TCP_KEEPINTVL or TCP_KEEPCNT (do_tcp_setsockopt).
func (c *stream) setKeep(name, n int) errno.Errno {
	if n < 1 || n > maxKeepTime || name == tcpKeepCnt && n > maxKeepProbes {
		return errno.EINVAL
	}
	c.change().store(storedKey{solTCP, name}, n)
	if c.sock.Options().KeepAlive {
		c.KeepAlive(true)
	}
	return errno.OK
}

// MAX_TCP_KEEPIDLE and MAX_TCP_KEEPINTVL, in seconds, and MAX_TCP_KEEPCNT.
const (
	maxKeepTime   = 32767
	maxKeepProbes = 127
)
