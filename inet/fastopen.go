// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"bytes"
	"encoding/binary"
	"net/netip"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/tcp"
	"dialtone/wire"
)

// The bits of net.ipv4.tcp_fastopen (ip-sysctl.rst).
const (
	fastClient         = 0x1   // may send bytes with its SYN
	fastServer         = 0x2   // a listener with TCP_FASTOPEN takes them
	fastClientNoCookie = 0x4   // sends them without a cookie, too
	fastServerNoCookie = 0x200 // takes them without
	fastServerAll      = 0x400 // listeners take them without TCP_FASTOPEN, as many as their backlog says
)

// fastPeer is what a peer has granted: a cookie, and with it the MSS that it offered.
type fastPeer struct {
	cookie []byte
	mss    uint16
}

// maxCookiesKept bounds the peers whose cookies the host remembers.
const maxCookiesKept = 1024

// setFastConnect is TCP_FASTOPEN_CONNECT.
func (c *stream) setFastConnect(n int) errno.Errno {
	switch {
	case n < 0 || n > 1:
		return errno.EINVAL
	case c.stack.Sysctl.TCPFastOpen&fastClient == 0:
		return errno.EOPNOTSUPP
	case c.state() != tcp.Closed || c.queue != nil:
		return errno.EINVAL
	}
	c.change().fastConnect = n == 1
	return errno.OK
}

// mayDefer reports whether a connect may wait for the bytes to send: it may if they could go with the SYN.
func (c *stream) mayDefer() bool {
	return c.stack.cookies[c.remote.Addr()].cookie != nil || c.stack.Sysctl.TCPFastOpen&fastClientNoCookie != 0
}

// MayFastOpen implements [socket.FastOpener] (tcp_sendmsg_fastopen).
func (c *stream) MayFastOpen(addr []byte) errno.Errno {
	unspec := len(addr) >= sockaddr.LenFamily && sockaddr.FamilyOf(addr) == sockaddr.Unspec
	if c.stack.Sysctl.TCPFastOpen&fastClient == 0 || unspec {
		return errno.EOPNOTSUPP
	}
	return errno.OK
}

// Begin implements [socket.FastOpener].
func (c *stream) Begin(call *socket.Call) errno.Errno {
	c.open(call)
	return errno.EINPROGRESS
}

// openFast lets the SYN that is about to be sent take bytes along, or ask for the cookie with which a later one may.
func (c *stream) openFast(call *socket.Call) {
	switch peer := c.stack.cookies[c.remote.Addr()]; {
	case call.Text == nil && !c.opts.fastConnect:
	case peer.cookie == nil && c.stack.Sysctl.TCPFastOpen&fastClientNoCookie == 0:
		c.conn.RequestCookie()
	default:
		room := c.conn.SendInSYN(peer.cookie, peer.mss)
		call.Taken = c.conn.Write(call.Text[:min(len(call.Text), room)])
	}
	if call.Taken < len(call.Text) && c.sock.Blocks(call) {
		c.conn.SetQuickAck(0) // the rest comes as soon as the handshake is complete (sk_write_pending)
	}
}

// rememberPeer keeps what the peer has granted and offered, where fast open was tried (tcp_fastopen_cache_set).
func (c *stream) rememberPeer() {
	cookie, mss := c.conn.GrantedCookie()
	if mss == 0 {
		return
	}
	kept := c.stack.cookies
	if len(kept) >= maxCookiesKept {
		clear(kept)
	}
	peer := kept[c.remote.Addr()]
	if len(cookie) > 0 {
		peer.cookie = bytes.Clone(cookie)
	}
	peer.mss = mss
	kept[c.remote.Addr()] = peer
}

// acceptFast takes the bytes of a SYN that c, a listener, has just answered by child, if it may: then accept can have it
// before the handshake is complete (tcp_try_fastopen).
func (c *stream) acceptFast(child *stream, syn *wire.Segment) {
	mode, o := c.stack.Sysctl.TCPFastOpen, &syn.Options
	switch {
	case mode&fastServer == 0 || c.opts.fastQueue == 0:
		return
	case len(syn.Payload) == 0 && !o.HasFastOpen:
		return
	}
	cookie := c.stack.cookieFor(child.local.Addr(), child.remote.Addr())
	valid := mode&fastServerNoCookie != 0 || bytes.Equal(o.FastOpen, cookie)
	if o.HasFastOpen && !bytes.Equal(o.FastOpen, cookie) {
		child.conn.GrantCookie(cookie)
	}
	if !valid || c.queue.unfinished() >= int(c.opts.fastQueue) {
		return
	}
	child.conn.TakeSYNText(syn)
	child.fast = true
	c.established(child)
}

// unfinished counts the connections in the accept queue whose handshake is not complete.
func (q *listener) unfinished() (n int) {
	for _, child := range q.ready.all() {
		if child.conn.State() == tcp.SynReceived {
			n++
		}
	}
	return n
}

// cookieFor returns the cookie that the host at one address grants to a peer at another: only the host can make it
// (RFC 7413, 4.1.2).
func (s *Stack) cookieFor(local, remote netip.Addr) []byte {
	return binary.BigEndian.AppendUint64(nil, s.draw(false, words(local), words(remote), fastServer))
}
