// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"net/netip"

	"dialtone/errno"
	"dialtone/socket"
	"dialtone/tcp"
	"dialtone/trail"
	"dialtone/wire"
)

// This file asks access control about packets, where there is any.

// label returns the label of the connection's socket, or of the one it will have or had.
func (c *stream) label() *socket.Label {
	if c.sock != nil {
		return &c.sock.Label
	}
	if c.own == nil {
		c.own = new(socket.Label)
	}
	return c.own
}

// kept returns a label for own: nil stands for the zero one, which is all there is without access control.
func kept(l socket.Label) *socket.Label {
	if l == (socket.Label{}) {
		return nil
	}
	own := l
	return &own
}

// mayOpen reports whether the connection's SYN would be let out: if not connect is refused, as by Linux's
// selinux_ip_postroute, and lets go of a port that it chose.
func (c *stream) mayOpen(w path, local, to netip.AddrPort, t *trail.Trail) errno.Errno {
	a := c.stack.core.Access
	if a == nil {
		return errno.OK
	}
	syn := wire.Packet{Src: local.Addr(), Dst: to.Addr(), Proto: wire.TCP}
	syn.TCP.SrcPort, syn.TCP.DstPort = local.Port(), to.Port()
	if a.Leave(c.label(), &syn, w.out.Name, nil, t) {
		return errno.OK
	}
	if !c.hold.number {
		c.stack.tcpPorts.drop(&c.hold)
	}
	return errno.ECONNREFUSED
}

// mayLeave reports whether a segment may leave, and labels it.
func (c *stream) mayLeave(p *wire.Packet) bool {
	a := c.stack.core.Access
	return a == nil || a.Leave(c.label(), p, c.way.out.Name, nil, nil)
}

// mayArrive reports whether a segment may reach the connection. One that is refused counts as a reset: the peer is not
// who it must be.
func (c *stream) mayArrive(p *wire.Packet, in *Interface) bool {
	a := c.stack.core.Access
	if a == nil {
		return true
	}
	_, _, admission := a.Arrive(c.label(), p, in.Name, c.trail())
	if admission != socket.Refuse {
		return admission == socket.Admit
	}
	if rst, ok := tcp.ResetFor(&p.TCP); ok {
		c.stack.answer(p, in, func(a *wire.Packet) { a.Proto, a.TCP = wire.TCP, rst })
	}
	p.TCP.Flags, p.TCP.Payload = wire.RST|wire.ACK, nil
	return true
}

// mayOffer asks whether the listener takes a SYN, and which label the connection's socket gets.
func (c *stream) mayOffer(p *wire.Packet, in *Interface) (socket.Label, socket.Admission) {
	if a := c.stack.core.Access; a != nil {
		return a.Offer(c.label(), p, in.Name)
	}
	return socket.Label{}, socket.Admit
}

// mayArrive asks about a datagram for d: who it is from, and what becomes of it.
func (d *datagram) mayArrive(p *wire.Packet, in *Interface) (sender, message uint32, a socket.Admission) {
	if a := d.stack.core.Access; a != nil {
		return a.Arrive(&d.sock.Label, p, in.Name, nil)
	}
	return 0, 0, socket.Admit
}
