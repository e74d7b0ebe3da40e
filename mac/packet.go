// SPDX-License-Identifier: Apache-2.0

package mac

import (
	"net/netip"

	"dialtone/errno"
	"dialtone/selinux"
	"dialtone/socket"
	"dialtone/trail"
	"dialtone/wire"
)

// This file is what is asked about packets. On links they bear contexts; SIDs mean something on one host alone.

// Leave implements [socket.Access] (selinux_ip_postroute).
func (m *Module) Leave(l *socket.Label, p *wire.Packet, netif string, msg *socket.Message, t *trail.Trail) bool {
	own := m.sid(l)
	message := own
	if msg != nil && msg.SID != 0 {
		message = selinux.SID(msg.SID)
	}
	if m.labelled {
		m.subject = subject{trail: t, netif: netif, source: ends(p.Src, p.SrcPort()), destination: ends(p.Dst, p.DstPort())}
		n, _ := m.server.NetifSID(netif)
		if m.may(message, n, selinux.ClassNetif, selinux.NetifEgress) != errno.OK ||
			m.may(message, m.server.NodeSID(p.Dst), selinux.ClassNode, selinux.NodeSendto) != errno.OK {
			return false
		}
	}
	m.label(l, p, own, message, msg)
	return true
}

// label writes on a packet who it is from, for whom it is, and what is in it.
func (m *Module) label(l *socket.Label, p *wire.Packet, own, message selinux.SID, msg *socket.Message) {
	p.Context = m.text(own)
	w := wanted(l, msg)
	// A connection's SYN alone says who is wanted: the answer comes from whoever accepted it.
	if msg == nil && p.TCP.Flags&(wire.SYN|wire.ACK) != wire.SYN {
		w = selinux.InitialAnySocket
	}
	if w == selinux.InitialAnySocket && message == own {
		return
	}
	p.Secure = &wire.Secure{}
	if w != selinux.InitialAnySocket {
		p.Secure.Wanted = m.text(w)
	}
	if message != own {
		p.Secure.Message = m.text(message)
	}
}

func ends(ip netip.Addr, port uint16) netip.AddrPort { return netip.AddrPortFrom(ip, port) }

// sender returns the SIDs of a packet's sender and of its message. A packet without a label has the interface's.
func (m *Module) sender(p *wire.Packet, netif string) (sender, message selinux.SID) {
	if p.Context == "" {
		_, sender = m.server.NetifSID(netif)
	} else {
		sender = m.sidOf(p.Context)
	}
	message = sender
	if p.Secure != nil && p.Secure.Message != "" {
		message = m.sidOf(p.Secure.Message)
	}
	return sender, message
}

// sidOf returns the SID of a context from elsewhere: that of unlabeled if it means nothing here.
func (m *Module) sidOf(context string) selinux.SID {
	sid, err := m.server.ContextToSID(context)
	if err != nil {
		return selinux.InitialUnlabeled
	}
	return sid
}

// forMe reports whether a packet wants the SID that a socket has, or none.
func (m *Module) forMe(p *wire.Packet, own selinux.SID) bool {
	if p.Secure == nil || p.Secure.Wanted == "" {
		return true
	}
	sid, err := m.server.ContextToSID(p.Secure.Wanted)
	return err == nil && sid == own
}

// incoming checks what labelled networking asks about a packet that came in (selinux_socket_sock_rcv_skb).
func (m *Module) incoming(own, sender, message selinux.SID, p *wire.Packet, netif string) bool {
	if !m.labelled {
		return true
	}
	n, _ := m.server.NetifSID(netif)
	return m.may(message, n, selinux.ClassNetif, selinux.NetifIngress) == errno.OK &&
		m.may(message, m.server.NodeSID(p.Src), selinux.ClassNode, selinux.NodeRecvfrom) == errno.OK &&
		m.may(own, sender, selinux.ClassPeer, selinux.PeerRecv) == errno.OK
}

// about makes a packet what the next checks are about.
func (m *Module) about(p *wire.Packet, netif string, t *trail.Trail) {
	m.subject = subject{trail: t, netif: netif, source: ends(p.Src, p.SrcPort()), destination: ends(p.Dst, p.DstPort())}
}

// Offer implements [socket.Access]. Who wants another listener is told that nobody listens; who is denied is told nothing.
func (m *Module) Offer(l *socket.Label, p *wire.Packet, netif string) (socket.Label, socket.Admission) {
	own, class := m.sid(l), classOfPacket(p)
	if !m.forMe(p, own) {
		return socket.Label{}, socket.Refuse
	}
	client, message := m.sender(p, netif)
	m.about(p, netif, nil)
	if !m.incoming(own, client, message, p, netif) {
		return socket.Label{}, socket.Lose
	}
	if m.flask && m.may(own, client, class, selinux.SocketRecvfrom|selinux.SocketAcceptfrom) != errno.OK {
		return socket.Label{}, socket.Lose
	}
	fresh, e := m.childOf(l, client, class, m.labelled && p.Context != "")
	if e != errno.OK {
		return socket.Label{}, socket.Lose
	}
	if m.flask && fresh != own && m.may(fresh, client, class, selinux.SocketAcceptfrom) != errno.OK {
		return socket.Label{}, socket.Lose
	}
	return socket.Label{SID: uint32(fresh), Peer: uint32(client), Accepted: true}, socket.Admit
}

// Arrive implements [socket.Access].
func (m *Module) Arrive(l *socket.Label, p *wire.Packet, netif string, t *trail.Trail) (sender, message uint32, a socket.Admission) {
	if p.Proto == wire.TCP && p.TCP.Flags.Has(wire.RST) {
		return 0, 0, socket.Admit // a host's word, no socket's
	}
	own, class := m.sid(l), classOfPacket(p)
	from, msg := m.sender(p, netif)
	m.about(p, netif, t)
	if !m.incoming(own, from, msg, p, netif) {
		return 0, 0, socket.Lose
	}
	if p.Proto == wire.TCP {
		return uint32(from), uint32(msg), m.segment(l, p, own, from)
	}
	if !matches(selinux.SID(l.Wanted), from) || !m.forMe(p, own) {
		return 0, 0, socket.Refuse
	}
	if m.flask {
		if m.may(own, from, class, selinux.SocketRecvfrom) != errno.OK {
			return 0, 0, socket.Lose
		}
		if msg != from && m.may(own, msg, class, selinux.SocketRecvMsg) != errno.OK {
			return 0, 0, socket.Lose
		}
	}
	return uint32(from), uint32(msg), socket.Admit
}

// segment checks a segment of a connection: each one, since the policy may change. The client learns from the SYN-ACK
// which SID the server's socket has. If it wants one and the answer has no label at all, then nobody has looked at what
// it wanted. Where both ends connect at once there is no listener: each is the one that the other may want.
func (m *Module) segment(l *socket.Label, p *wire.Packet, own, from selinux.SID) socket.Admission {
	w := selinux.SID(l.Wanted)
	opens := !l.Accepted && p.TCP.Flags.Has(wire.SYN)
	switch {
	case !opens:
	case !p.TCP.Flags.Has(wire.ACK):
		if !matches(w, from) || !m.forMe(p, own) {
			return socket.Refuse
		}
	case p.Context == "" && !matches(w, selinux.SIDWild):
		m.decide(m.subject.trail, "%v does not say who it is, %s was wanted: ECONNREFUSED", p.Src, m.text(w))
		return socket.Refuse
	}
	if m.flask && m.may(own, from, selinux.ClassTCPSocket, selinux.SocketRecvfrom|connection(l)) != errno.OK {
		return socket.Lose
	}
	if opens {
		l.Peer = uint32(from)
	}
	return socket.Admit
}
