// SPDX-License-Identifier: Apache-2.0

package tcp

import (
	"math"
	"time"

	"dialtone/wire"
)

const (
	// defaultMSS is assumed of a peer that offers none (RFC 9293, 3.7.1).
	defaultMSS = 536
	// minMSS keeps a hostile offer from making us send a header for every byte (Linux: TCP_MIN_MSS less options).
	minMSS = 48
	// maxScale is the largest window shift (RFC 7323, 2.3).
	maxScale = 14
	// timestampLen is what the timestamp option takes of each packet, padded (RFC 7323, appendix A).
	timestampLen = 12
)

// Open begins an active connection: connect(2). Next then gives the SYN. The ports are in host order, iss is the
// initial sequence number (RFC 6528 says how to choose it). mss is what the MTU leaves after an IP and a TCP header
// without options; it is offered to the peer.
//
// Open and Accept keep what the methods Set... of a Conn have set, but for SetMSS, and SetQuickAck after a connection.
func (c *Conn) Open(now time.Duration, cfg *Config, local, remote uint16, iss uint32, mss uint16) {
	c.begin(now, cfg, local, remote, iss, mss)
	c.notes |= active | owesSYN
	c.rto = cfg.synWait(0)
	c.setState(SynSent)
}

// Accept begins a passive connection from a SYN that came to a listener. Next then gives the SYN-ACK. Bytes that came
// with the SYN are not taken, and not acknowledged, so that the peer sends them again (as Linux does without fast
// open).
func (c *Conn) Accept(now time.Duration, cfg *Config, syn *wire.Segment, iss uint32, mss uint16) {
	c.begin(now, cfg, syn.DstPort, syn.SrcPort, iss, mss)
	c.notes |= owesSYN
	c.takeSYN(now, syn)
	c.setState(SynReceived)
}

// begin fills in what both ways of opening have in common, and forgets an earlier connection.
func (c *Conn) begin(now time.Duration, cfg *Config, local, remote uint16, iss uint32, mss uint16) {
	fresh := Conn{
		cfg: cfg, local: local, remote: remote, offer: mss, mss: min(mss, defaultMSS), rcvMSS: min(mss, defaultMSS),
		sndUna: iss, sndNxt: iss, sndMax: iss, recover: iss, sndSmall: iss,
		rto: cfg.InitialRTO, since: now, ssthresh: math.MaxUint32,
		sndBuf: c.sndBuf, rcvBuf: c.rcvBuf, notes: c.notes&(noDelay|ownSndBuf|ownRcvBuf|corked) | notes(cfg.QuickAcks)*oneQuick,
		rare: c.rare.settings(),
	}
	if c.reason == Running {
		fresh.notes |= c.notes & answers
	}
	*c = fresh
	if c.sndBuf == 0 {
		c.sndBuf = cfg.SndBuf
	}
	if c.rcvBuf == 0 {
		c.rcvBuf = cfg.RcvBuf
	}
	if cfg.WindowScale {
		space := c.rcvBuf
		if space == cfg.RcvBuf { // it was not set (tcp_select_initial_window)
			space = max(space, cfg.RcvBufMost)
		}
		space = min(space, c.clamp())
		for c.rcvScale < maxScale && space>>c.rcvScale > math.MaxUint16 {
			c.rcvScale++
		}
	}
	if cfg.KeepInit != 0 {
		c.endAt = now + cfg.KeepInit
	}
}

// takeSYN notes what the peer's SYN, or SYN-ACK, says: its sequence number, its options, its window (never scaled in
// a SYN: RFC 7323, 2.2).
func (c *Conn) takeSYN(now time.Duration, seg *wire.Segment) {
	o := &seg.Options
	c.rcvNxt = seg.Seq + 1
	c.rcvAdv = c.rcvNxt + c.synWindow()
	c.acked = c.rcvNxt
	if c.set(scaleOK, c.cfg.WindowScale && o.HasWindowScale); c.has(scaleOK) {
		c.sndScale = min(o.WindowScale, maxScale)
	} else {
		c.rcvScale = 0
	}
	c.set(sackOK, c.cfg.SACK && o.SACKPermitted)
	if c.set(tsOK, c.cfg.Timestamps && o.HasTimestamps); c.has(tsOK) {
		c.tsRecent, c.tsRecentAt = o.TSVal, seconds(now)
	}
	peer := o.MSS
	if peer == 0 {
		peer = defaultMSS
	}
	c.mss = c.payload(min(c.offer, peer))
	c.cwnd = uint32(c.cfg.InitialWindow) * uint32(c.mss)
	c.sndWnd = uint32(seg.Window)
	c.maxWnd = c.sndWnd
	c.sndWL1 = seg.Seq
	c.sndWL2 = seg.Ack
	if f := c.fastOpen(); f != nil && c.state == SynSent {
		if f.peerMSS = peer; f.option { // a cookie that was not asked for is none (tcp_rcv_fastopen_synack)
			f.granted = validCookie(o.FastOpen)
		}
	}
}

// payload returns what is left of mss bytes after the options of every segment, something in any case.
func (c *Conn) payload(mss uint16) uint16 {
	if mss = max(mss, minMSS); c.has(tsOK) {
		mss -= timestampLen
	}
	return mss
}

// synWait returns how long to wait for an answer to the SYN after n retransmissions.
func (g *Config) synWait(n uint8) time.Duration {
	if len(g.SynBackoff) > 0 {
		return g.SynBackoff[min(int(n), len(g.SynBackoff)-1)]
	}
	if n <= g.SynLinearTimeouts {
		return g.InitialRTO
	}
	return g.doubled(g.InitialRTO, n-g.SynLinearTimeouts)
}

// doubled returns d after n doublings, at most MaxRTO.
func (g *Config) doubled(d time.Duration, n uint8) time.Duration {
	for ; n > 0 && d < g.MaxRTO; n-- {
		d *= 2
	}
	return min(d, g.MaxRTO)
}

// patience returns how long n retransmissions take that begin with rto and are doubled each time: Linux measures its
// limits in this time, not in segments (tcp_model_timeout; linux.md 1.5 shows it for SYNs).
func (g *Config) patience(rto time.Duration, n uint8) (sum time.Duration) {
	for i := range int(n) + 1 { // n may be 255
		sum += g.doubled(rto, uint8(i))
	}
	return sum
}

// synOver reports whether the SYN, or SYN-ACK, was sent often enough.
func (c *Conn) synOver(now time.Duration) bool {
	if c.state == SynReceived && !c.has(active) {
		return c.retries >= c.cfg.SynAckRetries
	}
	n := c.cfg.SynRetries
	if c.rare != nil && c.rare.synRetry != 0 {
		n = c.rare.synRetry
	}
	// Linear timeouts come on top of the retries, but not on top of the time that the retries would have taken: with
	// 4 of them one retry ends after 3 s, not 6 (linux.md, t4-syn-schedule).
	return c.retries >= n+c.cfg.SynLinearTimeouts ||
		c.retries > 0 && len(c.cfg.SynBackoff) == 0 && now-c.since >= c.cfg.patience(c.cfg.InitialRTO, n)
}
