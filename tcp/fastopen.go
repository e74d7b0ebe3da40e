// SPDX-License-Identifier: Apache-2.0

package tcp

import "dialtone/wire"

// fastOpen is what a connection that uses TCP Fast Open (RFC 7413) keeps beside the rest.
type fastOpen struct {
	cookie  []byte // to be sent: the one we hold, or the one we grant
	option  bool   // the SYN, or SYN-ACK, has the option; with an empty cookie it asks for one
	room    uint16 // how many bytes the SYN may carry
	granted []byte // what the peer gave us
	peerMSS uint16 // what the peer offered; 0: it has not answered our SYN
}

// fastOpen returns nil where there is no fast open.
func (c *Conn) fastOpen() *fastOpen {
	if c.rare == nil {
		return nil
	}
	return c.rare.fast
}

// RequestCookie makes the SYN ask the peer for a cookie. Call it after Open, before Next.
func (c *Conn) RequestCookie() { c.rarely().fast = &fastOpen{option: true} }

// maxOptionSpace is what TCP's options take of a header at most, in bytes (RFC 9293, 3.1).
const maxOptionSpace = 40

// SendInSYN lets the SYN carry bytes that are written before Next is called: at most one segment's worth, and only the
// first time the SYN is sent. cookie is what the peer granted before, and mss what it offered then; nil and 0 where both
// sides do without. It returns how many bytes the SYN has room for.
func (c *Conn) SendInSYN(cookie []byte, mss uint16) int {
	if mss == 0 || mss > c.offer {
		mss = c.offer
	}
	room := max(mss, minMSS+maxOptionSpace) - maxOptionSpace // tcp_send_syn_data
	c.rarely().fast = &fastOpen{cookie: cookie, option: cookie != nil, room: room}
	return int(room)
}

// validCookie returns a cookie that a peer granted if its length is one that cookies have (RFC 7413, 4.1.1), else nil.
func validCookie(cookie []byte) []byte {
	if n := len(cookie); n < 4 || n > 16 || n%2 != 0 {
		return nil
	}
	return cookie
}

// GrantCookie makes the SYN-ACK give the peer a cookie. Call it after Accept, before Next.
func (c *Conn) GrantCookie(cookie []byte) { c.rarely().fast = &fastOpen{cookie: cookie, option: true} }

// TakeSYNText takes the bytes that came with the SYN given to Accept, and acknowledges them with it. They can be read at
// once, and what is written then goes before the handshake is complete (RFC 7413, 4.2). Call it after Accept, before Next; the
// caller has seen that the peer's cookie is valid.
func (c *Conn) TakeSYNText(syn *wire.Segment) {
	c.notes |= early
	if len(syn.Payload) == 0 {
		return
	}
	c.notes |= synText
	c.recv.adopt(syn.Payload, syn.Buffer)
	c.rcvNxt += uint32(len(syn.Payload))
	c.rcvAdv = c.rcvNxt + c.synWindow()
}

// GrantedCookie returns the cookie that the peer's SYN-ACK gave us, nil if it gave none, and the MSS it offered, 0 without fast
// open. The cookie may point into the segment.
func (c *Conn) GrantedCookie() (cookie []byte, mss uint16) {
	if f := c.fastOpen(); f != nil {
		return f.granted, f.peerMSS
	}
	return nil, 0
}

// addFastOpen completes a SYN or SYN-ACK that is sent for the first time, and returns how many bytes it carries.
func (c *Conn) addFastOpen(out *wire.Segment) uint32 {
	f := c.fastOpen()
	// RFC 7413, 4.1.3: what was lost may have been the option's fault. Nor does a SYN that crossed the peer's answer it
	// with bytes again.
	if f == nil || c.retries > 0 || c.state == SynReceived && c.has(active) {
		return 0
	}
	if f.option {
		out.Options.HasFastOpen, out.Options.FastOpen = true, f.cookie
	}
	if n := min(c.send.size, int(f.room)); n > 0 {
		text := c.send.slice(0, n, n)
		out.Payload, out.Buffer = text.bytes, text.buffer
	}
	return uint32(len(out.Payload))
}
